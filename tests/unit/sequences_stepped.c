/* Preemption at every instruction of every sequence, one at a time, with another thread working on the same lists meanwhile.
 *
 * A parent traces one thread of a child, the walker, which allocates and frees. All sequences of this program are found by
 * their descriptors; at each instruction in turn a hardware breakpoint stops the walker, the meddler (a second thread on
 * the same processor, not traced) allocates and frees blocks of the same sizes, and the walker goes on: at the abort, if the
 * kernel knows the sequence. Nothing may be lost or handed out twice.
 * Then a stretch of single steps: each one aborts the sequence it stands in, so no call can be served by one, and all must be
 * served by the arenas.
 * The negative control is the same program with the descriptors stored where the kernel does not look: it must go wrong. */
#define _GNU_SOURCE 1
#include "arena/arena.h"
#include "cache/inside.h"
#include "loam/loam.h"
#include "player.h"
#include <elf.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

#if !defined(__x86_64__)
int main(void)
{
    puts("the debug registers are x86-64's");
    return UNIT_SKIP;
}
#else

enum { SIGNATURE = 0x53053053, DESCRIPTORS_MAX = 128, HITS_EACH = 2, SINGLE_STEPS = 60000, AT_REST = -1 };

struct descriptor {
    uint32_t version, flags;
    uint64_t start, length, abort;
};

/* Shared with the child. */
struct share {
    int walker; /* its thread's number */
    int traced; /* it may begin */
    int asked, done; /* rounds that the meddler was asked for, and has done */
    uint64_t calls; /* of both */
};
static struct share *share;
static bool is_control;
static struct descriptor found[DESCRIPTORS_MAX];
static uint32_t found_count;

/* ---- the child ---- */

static __thread uint32_t nobodys_area[8] __attribute__((aligned(32)));

static void futex_wait(int *word, int while_it_is)
{
    syscall(SYS_futex, word, FUTEX_WAIT, while_it_is, NULL, NULL, 0);
}

static void int_set(int *word, int value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void pin(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof one, &one); /* refused: then they meet less often */
}

static const size_t sizes[] = {16, 48, 600, 3000};
enum { SIZES = sizeof sizes / sizeof *sizes };

struct own {
    char *block;
    size_t size;
    uint64_t key;
};

static void own_take(struct own *own, size_t size)
{
    static uint64_t keys;
    own->block = API(malloc)(size);
    if (!own->block)
        FAIL("no memory");
    own->size = size;
    own->key = __atomic_add_fetch(&keys, 1, __ATOMIC_RELAXED);
    marks_take(own->block, size);
    contents_put(own->block, size, own->key);
    __atomic_fetch_add(&share->calls, 1, __ATOMIC_RELAXED);
}

static void own_drop(struct own *own)
{
    if (contents_wrong(own->block, own->size, SIZE_MAX, own->key) != SIZE_MAX)
        FAIL("%p was written to by somebody else", (void *)own->block);
    marks_drop(own->block, own->size);
    API(free)(own->block);
    own->block = NULL;
    __atomic_fetch_add(&share->calls, 1, __ATOMIC_RELAXED);
}

/* Takes what the walker may just have been about to take, and gives back something else. */
static void *meddle(void *arg)
{
    (void)arg;
    static struct own own[SIZES][6];
    pin();
    for (int seen = 0;; seen++) {
        for (int asked; (asked = __atomic_load_n(&share->asked, __ATOMIC_SEQ_CST)) == seen || asked == AT_REST;)
            futex_wait(&share->asked, asked);
        for (int s = 0; s < SIZES; s++) {
            int n = seen % 3 ? 2 : 6; /* sometimes enough to empty the list, or to fill it */
            for (int i = 0; i < n; i++)
                if (!own[s][i].block)
                    own_take(&own[s][i], sizes[s]);
            for (int i = seen % 2; i < n; i += 1 + seen % 2)
                own_drop(&own[s][i]);
        }
        int_set(&share->done, seen + 1);
    }
    return NULL;
}

static void *walk(void *arg)
{
    (void)arg;
    enum { MANY = 701 }; /* more than a list and its spare hold: they overflow */
    static struct own own[SIZES][MANY];
    pin();
    prctl(PR_SET_NAME, "walker");
    __atomic_store_n(&share->walker, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&share->traced, __ATOMIC_SEQ_CST))
        futex_wait(&share->traced, 0);
    for (uint32_t round = 0;; round++) {
        for (int s = 0; s < SIZES; s++) {
            int n = round % 2 ? 3 : s == 0 ? MANY : 12;
            for (int i = 0; i < n; i++)
                own_take(&own[s][i], sizes[s]);
            for (int i = 0; i < n; i++)
                own_drop(&own[s][(i * 5 + (int)round) % n]);
        }
        API(free)(API(calloc)(3, 16));
        raise(SIGUSR1); /* the end of a round: the parent sees it, and nobody else */
    }
    return NULL;
}

/* The tracer has let go: all is at rest, and everything must be there. */
static void reckon(void)
{
    static struct loam_stats stats;
    EXPECT_SOUND(loam_check());
    loam_stats_get(&stats);
    EXPECT(stats.exact);
    size_t marked = 0;
    for (int i = 0; i < MARKS_PIECES; i++)
        for (int w = 0; w < 64; w++)
            marked += bits_count(marks_pieces[i].bits[w]);
    size_t live = 0;
    for (int s = 0; s < SIZES; s++)
        live += stats.class_live[size_class(sizes[s])] * (bits_up(sizes[s], 16) / 16);
    EXPECT_EQ(live, marked); /* what is live is what the meddler has kept */
    API(free)(API(malloc)(3000));
}

static void child(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    API(free)(API(malloc)(1));
    if (cache_mode() != CACHE_SEQUENCES)
        _exit(UNIT_SKIP);
    intptr_t real = sequence.area;
    sequence.index = real + 4; /* cpu_id: both threads have the same on one processor, which mm_cid does not promise */
    if (is_control)
        sequence.area = (intptr_t)((uintptr_t)nobodys_area - thread_pointer());
    pthread_t a, b;
    if (pthread_create(&b, NULL, meddle, NULL) != 0 || pthread_create(&a, NULL, walk, NULL) != 0)
        _exit(2);
    while (__atomic_load_n(&share->asked, __ATOMIC_SEQ_CST) != AT_REST)
        usleep(2000);
    reckon();
    _exit(0);
}

/* ---- the parent ---- */

/* The descriptors lie in .data.rel.ro: looked for by what they must look like. */
__attribute__((no_sanitize("address"))) static void find_descriptors(void)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    EXPECT(fd >= 0);
    off_t size = lseek(fd, 0, SEEK_END);
    const char *file = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    EXPECT(file != MAP_FAILED);
    close(fd);
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)(const void *)file;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(const void *)(file + header->e_shoff);
    const char *names = file + sections[header->e_shstrndx].sh_offset;
    extern const char __executable_start[];
    uintptr_t base = header->e_type == ET_DYN ? (uintptr_t)__executable_start : 0;
    for (int i = 0; i < header->e_shnum; i++) {
        if (strncmp(names + sections[i].sh_name, ".data.rel.ro", 12) != 0)
            continue;
        const char *at = (const char *)base + sections[i].sh_addr, *end = at + sections[i].sh_size;
        for (at = (const char *)bits_up((uintptr_t)at, 32); at + sizeof(struct descriptor) <= end; at += 32) {
            const struct descriptor d = *(const struct descriptor *)(const void *)at;
            if (d.version != 0 || d.flags != 0 || d.length < 8 || d.length > 200 || d.start < base || d.abort < base ||
                d.abort > base + (uintptr_t)size || d.start > base + (uintptr_t)size)
                continue;
            typedef uint32_t anywhere __attribute__((aligned(1), may_alias));
            if (((const anywhere *)d.abort)[-1] == SIGNATURE && found_count < DESCRIPTORS_MAX)
                found[found_count++] = d;
        }
    }
    munmap((void *)(uintptr_t)file, (size_t)size);
}

struct walker {
    pid_t process, thread;
    int status; /* of the last stop, or of the end */
    bool ended;
    uint32_t hits, aborts, instructions, sequences;
};

/* Lets it go and waits for its next stop. */
static void resume(struct walker *w, int how)
{
    if (w->ended || ptrace((enum __ptrace_request)how, w->thread, NULL, NULL) != 0) {
        w->ended = true;
        return;
    }
    if (waitpid(w->thread, &w->status, __WALL) != w->thread) {
        w->ended = true; /* dead, or the alarm: it hangs in a list that runs in a circle */
        return;
    }
    if (!WIFSTOPPED(w->status))
        w->ended = true;
}

static bool is_stop(const struct walker *w, int signal_number)
{
    return !w->ended && WSTOPSIG(w->status) == signal_number;
}

static void meddler_asked(struct walker *w)
{
    int done = __atomic_load_n(&share->done, __ATOMIC_SEQ_CST);
    int_set(&share->asked, done + 1);
    double end = unit_seconds() + 10;
    while (__atomic_load_n(&share->done, __ATOMIC_SEQ_CST) == done) {
        struct timespec soon = {0, 50 * 1000 * 1000};
        syscall(SYS_futex, &share->done, FUTEX_WAIT, done, &soon, NULL, 0);
        int status;
        if (unit_seconds() > end || waitpid(w->process, &status, WNOHANG) == w->process) {
            w->ended = true;
            return;
        }
    }
}

static bool breakpoint_set(struct walker *w, uint64_t address)
{
    return ptrace(PTRACE_POKEUSER, w->thread, offsetof(struct user, u_debugreg[7]), 0) == 0 &&
           ptrace(PTRACE_POKEUSER, w->thread, offsetof(struct user, u_debugreg[0]), address) == 0 &&
           ptrace(PTRACE_POKEUSER, w->thread, offsetof(struct user, u_debugreg[7]), address ? 1 : 0) == 0;
}

static uint64_t instruction_pointer(const struct walker *w)
{
    return (uint64_t)ptrace(PTRACE_PEEKUSER, w->thread, offsetof(struct user, regs.rip), 0);
}

/* Two rounds with a breakpoint at one address, or as many hits. An address inside an instruction is never hit. */
static void walk_address(struct walker *w, const struct descriptor *d, uint64_t address)
{
    uint32_t hits = 0;
    for (int rounds = 0; rounds < 2 && !w->ended;) {
        resume(w, PTRACE_CONT);
        if (is_stop(w, SIGUSR1)) {
            rounds++;
            continue;
        }
        if (!is_stop(w, SIGTRAP) || instruction_pointer(w) != address)
            continue;
        w->hits++;
        w->instructions += hits == 0;
        meddler_asked(w);
        if (++hits == HITS_EACH)
            breakpoint_set(w, 0);
        resume(w, PTRACE_SINGLESTEP);
        uint64_t at = w->ended ? 0 : instruction_pointer(w);
        w->aborts += at - d->abort < 16 || at < d->start || at >= d->start + d->length;
    }
}

static bool walk_all(struct walker *w)
{
    for (uint32_t i = 0; i < found_count && !w->ended; i++) {
        const struct descriptor *d = &found[i];
        uint32_t before = w->instructions;
        for (uint64_t address = d->start; address < d->start + d->length && !w->ended; address++) {
            if (breakpoint_set(w, address))
                walk_address(w, d, address);
            else if (errno == ESRCH)
                w->ended = true; /* killed meanwhile */
            else
                return false;
        }
        w->sequences += w->instructions > before;
        if (getenv("LOAM_TEST_VERBOSE"))
            printf("%#llx: %llu bytes, %u instructions\n", (unsigned long long)d->start, (unsigned long long)d->length,
                   w->instructions - before);
    }
    if (!w->ended)
        breakpoint_set(w, 0);
    return true;
}

static void single_steps(struct walker *w)
{
    uint64_t calls = __atomic_load_n(&share->calls, __ATOMIC_RELAXED);
    for (int i = 0; i < SINGLE_STEPS && !w->ended; i++)
        resume(w, PTRACE_SINGLESTEP);
    calls = __atomic_load_n(&share->calls, __ATOMIC_RELAXED) - calls;
    printf("%d single steps: about %llu calls were served\n", SINGLE_STEPS, (unsigned long long)calls);
    if (!w->ended)
        EXPECT(calls > 0);
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
}

/* Runs it all; returns how the child ended, as of waitpid; -1: it hung, -2: no hardware breakpoints here. */
static int drive(struct walker *w)
{
    memset(share, 0, sizeof *share);
    *w = (struct walker){0};
    fflush(stdout);
    w->process = fork();
    EXPECT(w->process >= 0);
    if (w->process == 0)
        child();
    alarm(60);
    double end = unit_seconds() + 10;
    int status = 0;
    while ((w->thread = __atomic_load_n(&share->walker, __ATOMIC_SEQ_CST)) == 0 && unit_seconds() < end) {
        if (waitpid(w->process, &status, WNOHANG) == w->process)
            return status;
        usleep(1000);
    }
    bool works = ptrace(PTRACE_SEIZE, w->thread, NULL, NULL) == 0 &&
                 ptrace(PTRACE_INTERRUPT, w->thread, NULL, NULL) == 0 &&
                 waitpid(w->thread, &w->status, __WALL) == w->thread;
    int_set(&share->traced, 1);
    if (works)
        works = walk_all(w);
    if (works && !is_control)
        single_steps(w);
    if (!works) {
        kill(w->process, SIGKILL);
        waitpid(w->process, &status, __WALL);
        return -2;
    }
    while (!w->ended && !is_stop(w, SIGUSR1)) /* to the end of a round: the walker holds nothing then */
        resume(w, PTRACE_CONT);
    int_set(&share->asked, AT_REST);
    for (end = unit_seconds() + 10; unit_seconds() < end; usleep(1000)) {
        pid_t got = waitpid(w->process, &status, WNOHANG);
        if (got == w->process)
            return status;
        waitpid(w->thread, &w->status, __WALL | WNOHANG); /* its end must be taken up before the process's */
    }
    kill(w->process, SIGKILL);
    waitpid(w->process, &status, __WALL);
    return -1;
}

int main(void)
{
    if (LOAM_TSAN) {
        puts("ThreadSanitizer does not see into sequences");
        return UNIT_SKIP;
    }
    unsetenv("LOAM");
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL); /* no SA_RESTART: it ends a wait */
    share = mmap(NULL, sizeof *share, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT(share != MAP_FAILED);
    find_descriptors();
    printf("%u sequences\n", found_count);
    EXPECT(found_count >= 8); /* malloc, calloc, free, and those of the slow ways */
    struct walker w;
    int end = drive(&w);
    if (WIFEXITED(end) && WEXITSTATUS(end) == UNIT_SKIP) {
        puts("no restartable sequences here (kernel, C library or sandbox)");
        return UNIT_SKIP;
    }
    if (end == -2) {
        printf("no hardware breakpoints here: %s\n", strerror(errno));
        return UNIT_SKIP;
    }
    printf("stopped %u times at %u instructions of %u sequences; %u aborts\n", w.hits, w.instructions, w.sequences,
           w.aborts);
    if (end != 0)
        FAIL("the child ended with status %#x (-1: it hung)", (unsigned)end);
    EXPECT(w.instructions >= 60 && w.sequences >= 8);
    EXPECT_EQ(w.aborts, w.hits);
    is_control = true;
    end = drive(&w);
    printf("control, without descriptors: status %#x after %u stops at %u instructions\n", (unsigned)end, w.hits,
           w.instructions);
    if (end == 0)
        FAIL("the control, whose sequences the kernel does not know, came to no harm: this test shows nothing");
    return 0;
}
#endif
