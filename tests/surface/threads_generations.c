// Promise: tens of thousands of threads come and go, and memory does not grow.
// TEST: cflags=-fno-builtin
//
// 10,000 generations of three threads. Each thread frees what one of the generation before left
// behind, and leaves blocks itself: what is live stays the same. RSS and address space after 1,000
// generations and after 10,000 must be the same but for noise.
#include "support/memory.h"
#include <pthread.h>

enum { GENERATIONS = 10000, EARLY = 1000, THREADS = 3, LEFT = 24, NOISE = 1 << 20 };

static unsigned char *left[THREADS][LEFT];
static size_t left_sizes[THREADS][LEFT];

static void *thread_run(void *argument) {
    size_t number = (size_t)argument;
    struct dice dice = dice_make(number + (uint64_t)(uintptr_t)left[number][0]);
    void *own[32];
    for (size_t i = 0; i < 32; i++) own[i] = launder(malloc((size_t)dice_below(&dice, 3000)));
    for (size_t i = 0; i < LEFT; i++) {
        unsigned char *old = left[number][i];
        size_t size = left_sizes[number][i];
        CHECK(!old || pattern_check(old, size, size, i) == size, "a block of %zu changed", size);
        free(old);
        size = 16 + i * 40;
        left[number][i] = malloc(size);
        CHECK(left[number][i] != NULL, "no memory");
        pattern_fill(left[number][i], size, i);
        left_sizes[number][i] = size;
    }
    for (size_t i = 0; i < 32; i++) free(own[i]);
    return NULL;
}

static void generation_run(int generation) {
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        // Each thread meets the blocks of another than the one before it in its place did.
        size_t place = (i + (size_t)generation) % THREADS;
        int error = pthread_create(&threads[i], NULL, thread_run, (void *)place);
        CHECK(error == 0, "generation %d: error %d", generation, error);
    }
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

int main(void) {
    size_t early_rss = 0, early_virtual = 0;
    test_begin(120);
    for (int generation = 1; generation <= GENERATIONS; generation++) {
        generation_run(generation);
        if (generation == EARLY) {
            early_rss = memory_rss();
            early_virtual = memory_virtual();
        }
    }
    size_t rss = memory_rss(), virtual_size = memory_virtual();
    printf("after %d generations: RSS %.2f MiB, address space %.1f MiB; after %d: %.2f, %.1f\n",
           EARLY, as_mib(early_rss), as_mib(early_virtual), GENERATIONS, as_mib(rss),
           as_mib(virtual_size));
    fflush(stdout);
    CHECK(rss <= early_rss + NOISE, "RSS grew from %zu to %zu", early_rss, rss);
    // A pause in the joins may once have kept more stacks cached: they are no leak.
    CHECK(virtual_size <= early_virtual + 40 * MIB || is_any_allowed(), "address space grew from %zu to %zu",
          early_virtual, virtual_size);
    return 0;
}
