// Promise: after start we need no system call but mmap, munmap, mremap, madvise and futex.
// TEST: cflags=-fno-builtin
//
// Two children. In one every other call kills (but for write and exit, which the test needs, and
// return from signals); there malloc_trim is left out, because it may ask for a membarrier. In the
// other all else is refused with EPERM, and malloc_trim must survive that. Threads that were there
// before the filter take part.
#include "support/child.h"
#include "support/load.h"
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { THREADS = 3 };

static struct load loads[THREADS + 1];
static bool trims;
static int ready, go, done; // waited upon by futex alone, one of the calls that are allowed

static void wait_while(int *word, int value) {
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
        syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static void count_up(int *word) {
    __atomic_add_fetch(word, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, word, FUTEX_WAKE, 1000, NULL, NULL, 0);
}

static void filter_install(unsigned otherwise) {
    static const unsigned allowed[] = {SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex,
                                       SYS_write, SYS_exit, SYS_exit_group, SYS_rt_sigreturn};
    enum { COUNT = sizeof allowed / sizeof *allowed };
    struct sock_filter code[COUNT + 3];
    code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < COUNT; i++)
        code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i],
                                                   (unsigned char)(COUNT - i), 0);
    code[COUNT + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, otherwise);
    code[COUNT + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {COUNT + 3, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(TEST_SKIPPED);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        _exit(TEST_SKIPPED);
}

static void work(unsigned number) {
    struct load *load = &loads[number];
    for (uint64_t round = 0; round < 3; round++) {
        load_run(load, number * 10 + round, 6000, 1024, true);
        if (trims) malloc_trim(0);
        if (round == 1) load_clear(load);
    }
    struct mallinfo2 info = mallinfo2();
    CHECK(info.uordblks + info.hblkhd > 0, "nothing is live");
    load_clear(load);
}

static void *thread_run(void *number) {
    count_up(&ready);
    wait_while(&go, 0);
    work((unsigned)(uintptr_t)number);
    count_up(&done);
    wait_while(&go, 1); // for ever: a thread's end would need other calls, the process ends first
    return NULL;
}

static void life(void *otherwise) {
    pthread_t thread;
    free(launder(malloc(100))); // the start
    for (uintptr_t i = 1; i <= THREADS; i++)
        CHECK(pthread_create(&thread, NULL, thread_run, (void *)i) == 0, "no thread");
    // A thread's own start is not what is forbidden.
    for (int i = 0; i < THREADS; i++) wait_while(&ready, i);
    filter_install(*(unsigned *)otherwise);
    count_up(&go);
    work(0);
    for (int i = 0; i < THREADS; i++) wait_while(&done, i);
}

static struct child child;

int main(void) {
    test_begin(60);
    unsigned kill = SECCOMP_RET_KILL_PROCESS, refuse = SECCOMP_RET_ERRNO | EPERM;
    child_run(&child, 2, life, &kill);
    if (child_exited(&child, TEST_SKIPPED)) test_skip("this kernel has no seccomp filters");
    CHECK(child_exited(&child, 0), "with all else killing: status %#x: %s", child.status,
          child.output);
    trims = true;
    child_run(&child, 2, life, &refuse);
    CHECK(child_exited(&child, 0), "with all else refused: status %#x: %s", child.status,
          child.output);
    return 0;
}
