// Promise: fresh memory is cut for a size as the program asks for it: each size gets its part of 64 KiB; used memory 8 KiB at a time.
// TEST: cflags=-fno-builtin
//
// Where many sizes are asked for by turns, small pieces keep what is allocated together near each other, at the price of more misses
// (calls that the lists could not serve); where few are, large pieces do. Where blocks were given back before, neighbours are
// scattered already, and larger pieces save misses.
#include "support/alone.h"
#include <malloc.h>

enum { SIZES = 32, EACH = 512, BLOCKS = SIZES * EACH, SMALL = 64 };

static unsigned char *block[BLOCKS];

static int by_address(const void *a, const void *b) {
    const unsigned char *left = *(unsigned char *const *)a, *right = *(unsigned char *const *)b;
    return left < right ? -1 : left > right;
}

static uint64_t misses_now(void) {
    static struct loam_stats stats;
    loam_stats_get(&stats);
    return stats.list_misses;
}

static unsigned char *block_make(size_t size) {
    unsigned char *p = malloc(size);
    CHECK(p != NULL, "no memory");
    *p = (unsigned char)(size / 16);
    return p;
}

// Sizes from 64 bytes on by turns: how long are the stretches of memory that hold only one of them, in the mean?
static size_t stretch_of(size_t sizes) {
    uint64_t before = misses_now();
    size_t bytes = 0;
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = SMALL + i % sizes * 16;
        block[i] = block_make(size);
        bytes += size;
    }
    size_t misses = (size_t)(misses_now() - before), stretches = 1;
    qsort(block, BLOCKS, sizeof *block, by_address);
    for (size_t i = 1; i < BLOCKS; i++)
        stretches += *block[i] != *block[i - 1] || block[i - 1] + *block[i - 1] * 16 != block[i];
    size_t mean = bytes / stretches;
    printf("fresh, %zu sizes: %zu stretches of one size, of %zu bytes in the mean; %zu misses\n", sizes, stretches, mean, misses);
    CHECK(misses <= bytes / mean + 32 * sizes, "%zu misses for %zu KiB", misses, bytes / KIB);
    return mean;
}

// A 32nd of 64 KiB.
static void many_sizes_stay_near(void) {
    size_t mean = stretch_of(SIZES);
    CHECK(mean <= 5 * KIB / 2, "%zu bytes of one size stand together", mean);
}

// Half of 64 KiB is more than a list has room for: 128 blocks.
static void two_sizes_gather(void) {
    size_t mean = stretch_of(2);
    CHECK(mean >= 5 * KIB, "only %zu bytes of one size stand together", mean);
}

// 16,384 blocks of 64 bytes, of which one in 64 stays; then 12,000 new ones.
static void used_memory_costs_few_misses(void) {
    enum { TRIES = 5, AGAIN = 12000 };
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < BLOCKS; i++) block[i] = block_make(SMALL);
    for (size_t i = 0; i < BLOCKS; i++)
        if (i % 64 != 0) free(block[i]);
    for (int round = 0; round < TRIES; round++) { // the heap's clock may empty a list: it does not each time
        static unsigned char *again[AGAIN];
        malloc_trim(0); // out of the lists
        uint64_t before = misses_now();
        for (size_t i = 0; i < AGAIN; i++) again[i] = block_make(SMALL);
        size_t misses = (size_t)(misses_now() - before);
        least = misses < least ? misses : least;
        for (size_t i = 0; i < AGAIN; i++) free(again[i]);
    }
    printf("used: %zu misses for %d blocks\n", least, AGAIN);
    CHECK(least <= 140, "%zu misses for %d blocks in memory that was used before", least, AGAIN);
}

int main(void) {
    static const struct alone_case cases[] = {
        {"many_sizes_stay_near", many_sizes_stay_near},
        {"two_sizes_gather", two_sizes_gather},
        {"used_memory_costs_few_misses", used_memory_costs_few_misses},
    };
    test_begin(60);
    alone_run(cases, sizeof cases / sizeof *cases);
    return 0;
}
