// Promise: 2,000 threads alive with 1 KiB live each cost at most 4 MiB over their stacks and blocks.
// TEST: cflags=-fno-builtin
//
// Memory follows live data and processors, not threads. The stacks are the test's own mapping, so
// that what of them is resident can be counted apart (mincore); thread control blocks and TLS lie in
// them too. What the C library itself allocates for each thread (its dtv, some 280 bytes) counts
// against the budget. Each thread has churned through some sizes before it waits, as a real one has.
#include "support/memory.h"
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>

enum { THREADS = 2000, LIVE = 1024, STACK = 64 * 1024, BUDGET = 4 << 20 };

static pthread_barrier_t all_live, may_end;
static unsigned char *live[THREADS];
static unsigned char *stacks;

static void *thread_run(void *argument) {
    size_t number = (size_t)argument;
    void *some[16];
    for (size_t round = 0; round < 4; round++) {
        for (size_t i = 0; i < 16; i++) some[i] = launder(malloc(32 + 48 * i));
        for (size_t i = 0; i < 16; i++) free(some[i]);
    }
    live[number] = malloc(LIVE);
    CHECK(live[number] != NULL, "no memory in thread %zu", number);
    pattern_fill(live[number], LIVE, number);
    pthread_barrier_wait(&all_live);
    pthread_barrier_wait(&may_end);
    CHECK(pattern_check(live[number], LIVE, LIVE, number) == LIVE, "thread %zu lost its block",
          number);
    // Half free their own, half their neighbour's.
    pthread_barrier_wait(&all_live);
    free(live[number ^ (number / 2 % 2)]);
    return NULL;
}

static size_t stacks_resident(void) {
    static unsigned char pages[(size_t)THREADS * STACK / 4096];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = (size_t)THREADS * STACK / page, n = 0;
    CHECK(mincore(stacks, (size_t)THREADS * STACK, pages) == 0, "mincore failed");
    for (size_t i = 0; i < count; i++) n += pages[i] & 1;
    return n * page;
}

int main(void) {
    static pthread_t threads[THREADS];
    test_begin(120);
    stacks = mmap(NULL, (size_t)THREADS * STACK, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(stacks != MAP_FAILED, "no room for the stacks");
    pthread_barrier_init(&all_live, NULL, THREADS + 1);
    pthread_barrier_init(&may_end, NULL, THREADS + 1);
    // Resident before the baseline: the arrays, and what the first use of each function brings in.
    memset(threads, 0, sizeof threads);
    memset(live, 0, sizeof live);
    stacks_resident();
    free(launder(malloc(LIVE)));
    size_t before = memory_rss();

    for (size_t i = 0; i < THREADS; i++) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        CHECK(pthread_attr_setstack(&attributes, stacks + i * STACK, STACK) == 0, "stack %zu", i);
        int error = pthread_create(&threads[i], &attributes, thread_run, (void *)i);
        pthread_attr_destroy(&attributes);
        if (error == EAGAIN && i > 0) test_skip("the system does not allow 2,000 threads");
        CHECK(error == 0, "thread %zu: error %d", i, error);
    }
    pthread_barrier_wait(&all_live);
    size_t rss = memory_rss(), resident = stacks_resident();
    size_t bytes = (size_t)THREADS * LIVE;
    size_t over = rss > before + resident + bytes ? rss - before - resident - bytes : 0;
    printf("%d threads alive: RSS %.2f MiB more; stacks %.2f, live %.2f; over them %.2f (budget "
           "%.2f)\n", THREADS, as_mib(rss - before), as_mib(resident), as_mib(bytes), as_mib(over),
           as_mib(BUDGET));
    pthread_barrier_wait(&may_end);
    pthread_barrier_wait(&all_live);
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    printf("after them: RSS over the stacks %.2f MiB\n", as_mib(memory_rss() - stacks_resident()));
    fflush(stdout);
    CHECK(over <= BUDGET, "%zu bytes over live bytes and stacks", over);
    return 0;
}
