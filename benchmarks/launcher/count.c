// count: runs one program, counts the system calls that it and its children make.
//
//   count OUT SECONDS PRELOAD PROGRAM [ARG...]
//
// Called as measure is, and writes its file OUT in the same way: `end ...`, then `syscalls N` and one line for each call
// that allocators make (`mmap N`, `madvise N`, ...). A run under count is several times slower, so nothing in it is timed.
//
// The child installs a seccomp filter that stops it at every system call, with the call's number in the event's message:
// one stop a call, half of what PTRACE_SYSCALL costs. Children and threads are followed. The filter needs "no new
// privileges", so a set-user-id program would run without its privileges; none of ours is one. What is answered by the
// vDSO (the clock) is no system call and is not counted; counting begins when the program has been exec'ed.
//
// Easy to get wrong: a filter that says "trace" while nobody traces makes every call fail with ENOSYS, so the child is seized
// before it is let go, and children are seized by the kernel for us (TRACEFORK, TRACEVFORK, TRACECLONE).
#define _GNU_SOURCE
#include "child.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

enum { numbers = 1024 };
static unsigned long counts[numbers];
static unsigned long all;

static const struct {
    const char *name;
    long number;
} told[] = {
    {"mmap", SYS_mmap},         {"munmap", SYS_munmap}, {"mremap", SYS_mremap},
    {"madvise", SYS_madvise},   {"brk", SYS_brk},       {"mprotect", SYS_mprotect},
    {"membarrier", SYS_membarrier}, {"futex", SYS_futex},   {"sched_yield", SYS_sched_yield},
};

static void filter_install(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SECCOMP_RET_DATA),
        BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_TRACE),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog filter = {sizeof code / sizeof code[0], code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
        fprintf(stderr, "launcher: system calls cannot be counted here: %s\n", strerror(errno));
        _exit(125);
    }
}

// Until the program itself is gone; what it leaves behind is killed by the caller.
static int wait_for_end(void)
{
    int begun = 0;
    for (;;) {
        int status;
        pid_t got = waitpid(-1, &status, __WALL);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            die("waitpid");
        if (WIFSTOPPED(status)) {
            unsigned long number;
            if (status >> 16 == PTRACE_EVENT_EXEC)
                begun = 1;
            if (begun && status >> 16 == PTRACE_EVENT_SECCOMP && ptrace(PTRACE_GETEVENTMSG, got, 0, &number) == 0) {
                counts[number < numbers ? number : numbers - 1]++;
                all++;
            }
            stop_continue(got, status);
        } else if (got == program) {
            return status;
        }
    }
}

int main(int count, char **arguments)
{
    if (count < 5) {
        fprintf(stderr, "usage: count OUT SECONDS PRELOAD PROGRAM [ARG...]\n");
        return 120;
    }
    int go = child_start(arguments[3], arguments + 4, filter_install);
    long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SEIZE, program, 0, options) != 0) {
        int why = errno;
        kill(program, SIGKILL);
        errno = why;
        die("system calls cannot be counted here: ptrace");
    }
    timer_start(atof(arguments[2]));
    child_go(go);
    int status = wait_for_end();
    kill(-program, SIGKILL);
    FILE *f = fopen(arguments[1], "we");
    if (f == NULL)
        die(arguments[1]);
    end_write(f, status);
    fprintf(f, "syscalls %lu\n", all);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        fprintf(f, "%s %lu\n", told[i].name, counts[told[i].number]);
    if (fclose(f) != 0)
        die(arguments[1]);
    return 0;
}
