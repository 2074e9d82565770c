/* mymalloc.c does what its specification asks: a list with a lock for each processor, pools behind them, best fit, sbrk and
 * mmap. One case a run: lists CASE.
 *
 * The processors are the test's own: get_nprocs_conf says 8, sched_getcpu says what `here` holds, so that any machine can show
 * what happens on many. sbrk, mmap, munmap and mremap are counted on their way. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../support/check.h"
#include <malloc.h> /* ours: this is compiled with -I. of the interface's folder */
#ifndef MYMALLOC_MALLOC_H
#error "the system's malloc.h was found"
#endif

enum { PROCESSORS = 8, POOL = 256 * 1024, THRESHOLD = 128 * 1024, MARK = 16 };

static _Thread_local int here;
static atomic_long break_ups, break_bytes, maps, mapped_bytes;

int get_nprocs_conf(void)
{
    return PROCESSORS;
}

int sched_getcpu(void)
{
    return here;
}

void *sbrk(intptr_t increment)
{
    static void *(*real)(intptr_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "sbrk");
    void *was = real(increment);
    if (increment != 0 && was != (void *)-1) {
        break_ups += increment > 0;
        break_bytes += increment;
    }
    return was;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    maps++;
    mapped_bytes += (long)(length + 4095) / 4096 * 4096;
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

int munmap(void *address, size_t length)
{
    mapped_bytes -= (long)(length + 4095) / 4096 * 4096;
    return (int)syscall(SYS_munmap, address, length);
}

void *mremap(void *address, size_t was, size_t length, int flags, ...)
{
    mapped_bytes += (long)length - (long)was;
    return (void *)syscall(SYS_mremap, address, was, length, flags);
}

/* ---- what mymalloc_print tells ---- */

struct told {
    unsigned long pools, first, taken, given, waits;
};

static struct told told[PROCESSORS];

static void ask(void)
{
    static char text[8192];
    int ends[2], saved = dup(STDERR_FILENO);
    CHECK(pipe(ends) == 0 && saved >= 0, "pipe");
    dup2(ends[1], STDERR_FILENO);
    mymalloc_print();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    size_t have = 0;
    for (ssize_t n; (n = read(ends[0], text + have, sizeof text - 1 - have)) > 0;)
        have += (size_t)n;
    text[have] = 0;
    close(ends[0]);
    char *line = text;
    for (int i = 0; i < PROCESSORS; i++) {
        unsigned number;
        struct told *t = &told[i];
        CHECK(sscanf(
                  line,
                  "list %u: pools %lu bytes, the first holds %lu; %lu taken, %lu given back; lock found held %lu times",
                  &number, &t->pools, &t->first, &t->taken, &t->given, &t->waits) == 6 &&
                  number == (unsigned)i,
              "line %d: %s", i, line);
        line = strchr(line, '\n') + 1;
    }
    CHECK(*line == 0, "no more lists than processors: %s", line);
}

static void *must(size_t size)
{
    void *at = malloc(size);
    CHECK(at != NULL && (uintptr_t)at % 16 == 0, "%zu bytes: %p", size, at);
    memset(at, 0x6d, size);
    return at;
}

/* ---- cases ---- */

/* The constructor has taken a pool for each list from the break. */
static void begun(long ups, long bytes, long mapped)
{
    CHECK(ups >= 1 && bytes >= (long)PROCESSORS * POOL, "pools from the break before main: %ld moves, %ld bytes", ups,
          bytes);
    CHECK(mapped == 0, "and not from mmap: %ld", mapped);
    ask();
    for (int i = 0; i < PROCESSORS; i++)
        CHECK(told[i].first >= POOL, "behind list %d stand %lu bytes", i, told[i].first);
}

static void separate(void)
{
    enum { COUNT = 500 };
    static char *objects[PROCESSORS][COUNT];
    char *low[PROCESSORS], *high[PROCESSORS];
    for (int i = 0; i < COUNT; i++)
        for (here = 0; here < PROCESSORS; here++)
            objects[here][i] = must(1 + (size_t)i);
    ask();
    for (int p = 0; p < PROCESSORS; p++) {
        CHECK(told[p].taken >= COUNT, "list %d served its processor: %lu", p, told[p].taken);
        low[p] = high[p] = objects[p][0];
        for (int i = 0; i < COUNT; i++) {
            low[p] = objects[p][i] < low[p] ? objects[p][i] : low[p];
            high[p] = objects[p][i] > high[p] ? objects[p][i] : high[p];
        }
        for (int q = 0; q < p; q++)
            CHECK(high[q] < low[p] || high[p] < low[q], "lists %d and %d share no pool", p, q);
    }
    here = 2; /* another processor frees: the object goes back to where it came from */
    char *gone = objects[5][250];
    free(gone);
    char *other = must(251);
    here = 5;
    char *again = must(251);
    CHECK(other != gone && again == gone, "it went back to the list of processor 5, first in line");
    here = 100; /* more processors than were configured (a virtual machine that grows) */
    CHECK(must(100) != NULL, "served by one of the lists");
    here = -1;
    CHECK(must(100) != NULL, "as is one who cannot be told where he is");
}

static void *busy(void *arg)
{
    void *objects[64] = {NULL};
    here = (int)(intptr_t)arg;
    for (int i = 0; i < 200000; i++) {
        free(objects[i % 64]);
        objects[i % 64] = malloc(16 + (size_t)i % 500);
    }
    for (int i = 0; i < 64; i++)
        free(objects[i]);
    return NULL;
}

static void run_four(int step)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, busy, (void *)(intptr_t)(i * step));
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ask();
}

/* Threads on processors of their own never wait for each other; on one and the same they do. */
static void locks(void)
{
    run_four(1);
    for (int i = 0; i < 4; i++) {
        CHECK(told[i].taken >= 200000 && told[i].given >= 200000, "list %d did the work of its thread: %lu", i,
              told[i].taken);
        CHECK(told[i].waits == 0, "and nobody waited for it: %lu", told[i].waits);
    }
    for (int turn = 0; turn < 30 && told[0].waits == 0; turn++)
        run_four(0);
    CHECK(told[0].waits > 0, "four threads on one processor never found its lock held");
    printf("four threads on four lists: 0 waits; on one list: %lu\n", told[0].waits);
}

/* A pool serves any mix of sizes, and what was freed as small serves as large: all of it, again and again. */
static void splitting(void)
{
    static char *objects[20000];
    static const size_t sizes[] = {16, 48, 240, 1000, 4080, 16384};
    long ups = break_ups, mapped = maps;
    for (int turn = 0; turn < 3; turn++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            int count = 0;
            for (size_t used = 0; used + sizes[s] + MARK <= POOL * 9 / 10; used += sizes[s] + MARK)
                objects[count++] = must(sizes[s]);
            while (count > 0)
                free(objects[--count]);
        }
    CHECK(break_ups == ups && maps == mapped,
          "nine tenths of the first pool serve any size, nothing more was asked for");
    for (int i = 0; i < 20000; i++)
        objects[i] = must(100); /* far more than the first pool */
    ask();
    CHECK(told[0].pools >= 2 * POOL, "the list has got more pools: %lu", told[0].pools);
    for (int i = 0; i < 20000; i++)
        free(objects[i]);
    ask();
    CHECK(told[0].pools < 2 * POOL, "and given them back: %lu", told[0].pools);
}

/* What the pools do not serve comes from the free block that fits best. */
static void best_fit(void)
{
    static const size_t sizes[] = {100000, 40000, 70000, 30000, 90000, 50000};
    char *objects[6], *walls[6];
    for (int i = 0; i < 6; i++) {
        objects[i] = must(sizes[i]);
        walls[i] = must(20000);
    }
    for (int i = 0; i < 6; i++)
        free(objects[i]);
    CHECK(must(69800) == (void *)objects[2], "69,800 into the 70,000");
    CHECK(must(29900) == (void *)objects[3], "29,900 into the 30,000");
    CHECK(must(40000) == (void *)objects[1], "40,000 fit exactly");
    CHECK(must(99700) == (void *)objects[0], "99,700 into the 100,000");
    CHECK(must(49900) == (void *)objects[5], "49,900 into the 50,000");
    CHECK(must(89700) == (void *)objects[4], "89,700 into the 90,000");
    for (int i = 0; i < 6; i++)
        free(walls[i]);
}

static atomic_bool stop;

static void *wait_for_stop(void *arg)
{
    while (!stop)
        usleep(1000);
    return arg;
}

static void sources(void)
{
    enum { COUNT = 100 };
    static void *objects[COUNT], *others[COUNT];
    void *small = must(THRESHOLD - MARK - 1);
    CHECK(maps == 0, "below the threshold: no mapping");
    void *large = must(THRESHOLD - MARK);
    CHECK(maps == 1 && mapped_bytes >= THRESHOLD,
          "at the threshold of 128 KiB, 16 bytes of mark included: one mapping");
    free(small);
    free(large);
    CHECK(mapped_bytes == 0, "which goes back when it is freed: %ld", (long)mapped_bytes);

    long ups = break_ups, before = break_bytes;
    for (int i = 0; i < COUNT; i++)
        objects[i] = must(50000);
    CHECK(break_ups > ups && maps == 1, "one thread: growth from the break, %ld moves, and no mapping",
          (long)break_ups - ups);
    pthread_t thread;
    stop = false;
    CHECK(pthread_create(&thread, NULL, wait_for_stop, NULL) == 0, "a thread");
    ups = break_ups;
    long bytes = break_bytes, mapped = maps;
    for (int i = 0; i < COUNT; i++)
        others[i] = must(50000);
    for (int i = 0; i < COUNT; i++)
        free(objects[i]);
    CHECK(break_ups == ups && break_bytes == bytes, "two threads: the break stays, up and down: %ld moves",
          (long)break_ups - ups);
    CHECK(maps > mapped, "and growth is from mmap");
    for (int i = 0; i < COUNT; i++)
        free(others[i]);
    stop = true;
    pthread_join(thread, NULL);
    CHECK(break_bytes - before <= COUNT * 51000L * 5 / 4, "not much more of the break than was needed");
}

/* After all is freed, the mappings are what they were, and the break is no higher. */
static void leaks(void)
{
    static void *objects[5000];
    long before = break_bytes;
    for (int turn = 0; turn < 4; turn++) {
        for (int i = 0; i < 5000; i++) {
            here = i % PROCESSORS;
            uint32_t kind = check_random(100);
            objects[i] = must(kind < 90 ? check_random(2000) : kind < 98 ? check_random(60000) : check_random(1000000));
        }
        for (int i = 0; i < 5000; i++) {
            here = (i + turn) % PROCESSORS;
            if (i % 3 == 0)
                objects[i] = realloc(objects[i], 1 + check_random(3000));
            if (i % 7 == 0)
                objects[i] = realloc(objects[i], 1 + check_random(300000));
        }
        for (int i = 0; i < 5000; i++) {
            here = i * 3 % PROCESSORS;
            free(objects[turn % 2 ? i : 4999 - i]);
        }
        CHECK(mapped_bytes == 0, "turn %d: %ld bytes are still mapped", turn, (long)mapped_bytes);
        CHECK(break_bytes <= before, "turn %d: the break is %ld bytes higher", turn, (long)break_bytes - before);
    }
    CHECK(maps > 10 && break_ups > 3, "though much was taken: %ld maps, %ld moves of the break", (long)maps,
          (long)break_ups);
    ask();
    unsigned long taken = 0, given = 0;
    for (int i = 0; i < PROCESSORS; i++) {
        taken += told[i].taken;
        given += told[i].given;
    }
    CHECK(taken == given, "%lu taken, %lu given back", taken, given);
}

static void library(void)
{
    char *text = strdup("from the C library"); /* its pointers may come here */
    text = realloc(text, 1000);
    CHECK(strcmp(text, "from the C library") == 0, "grown");
    free(text);
    char *line = NULL;
    size_t length = 0;
    FILE *file = fopen("/proc/self/status", "r");
    CHECK(file != NULL && getline(&line, &length, file) > 0, "getline");
    fclose(file);
    free(line);
    void *aligned = NULL;
    CHECK(posix_memalign(&aligned, 4096, 10000) == 0, "posix_memalign");
    free(aligned);

    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    long before = usage.ru_maxrss;
    static char long_text[5000];
    memset(long_text, 'x', sizeof long_text - 1);
    for (int i = 0; i < 20000; i++)
        free(strdup(long_text));
    getrusage(RUSAGE_SELF, &usage);
    CHECK(usage.ru_maxrss - before < 10000, "100 MB of the C library's text freed here: %ld KiB are left",
          usage.ru_maxrss - before);

    void *zero = malloc(0), *other = malloc(0);
    CHECK(zero != NULL && other != NULL && zero != other, "0 bytes");
    free(zero);
    free(other);
    free(NULL);
    CHECK(realloc(must(10), 0) == NULL, "realloc to 0 frees");
    size_t huge = SIZE_MAX;
    CHECK(malloc(huge) == NULL && malloc(huge - 15) == NULL && malloc(huge / 2) == NULL, "too much");
    CHECK(calloc(huge / 2, 3) == NULL && realloc(NULL, huge) == NULL, "too much");
    for (size_t size = 1; size < 600000; size += 1 + size / 3) {
        unsigned char *dirty = must(size);
        memset(dirty, 0xff, size);
        free(dirty);
        unsigned char *clear = calloc(1, size);
        for (size_t i = 0; i < size; i++)
            CHECK(clear[i] == 0, "calloc of %zu: byte %zu", size, i);
        memset(clear, 0x31, size);
        size_t have = size;
        for (size_t to = 1; to < 600000; have = to, to = to * 5 + 3) {
            clear = realloc(clear, to);
            size_t kept = have < to ? have : to;
            CHECK(clear != NULL && clear[0] == 0x31 && clear[kept / 2] == 0x31 && clear[kept - 1] == 0x31,
                  "realloc %zu to %zu", have, to);
            memset(clear, 0x31, to);
        }
        free(clear);
    }
}

static void mistake(const char *name)
{
    char *a = must(64), *b = must(50000), *c = must(64);
    if (strcmp(name, "double") == 0) {
        free(a);
        free(a);
    } else if (strcmp(name, "double_large") == 0) {
        free(b);
        free(b);
    } else if (strcmp(name, "inside") == 0) {
        free(c + 16);
    } else if (strcmp(name, "overwritten") == 0) {
        memset(c - 16, 'x', 16);
        free(c);
    }
}

int main(int argc, char **argv)
{
    long ups = break_ups, bytes = break_bytes, mapped = maps;
    static char buffer[4096];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    maps = 0;
    mapped_bytes = 0;
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "mistake") == 0 && argc > 2) {
        mistake(argv[2]);
        return 0;
    }
    check_seed(1);
    if (strcmp(name, "begun") == 0)
        begun(ups, bytes, mapped);
    else if (strcmp(name, "separate") == 0)
        separate();
    else if (strcmp(name, "locks") == 0)
        locks();
    else if (strcmp(name, "splitting") == 0)
        splitting();
    else if (strcmp(name, "best_fit") == 0)
        best_fit();
    else if (strcmp(name, "sources") == 0)
        sources();
    else if (strcmp(name, "leaks") == 0)
        leaks();
    else if (strcmp(name, "library") == 0)
        library();
    else
        CHECK(0, "no such case: %s", name);
    return 0;
}
