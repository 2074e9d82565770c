// Promise: in a small heap the lists hold 1 MiB, batches between them 1 MiB more, one size half of that; not more, and not less.
// TEST: cflags=-fno-builtin
//
// What is too little shows in misses (calls that the lists could not serve) or in cached bytes, what is too much in cached bytes. The
// heap's clock may empty lists in between: what must be reached is tried again, what must not be exceeded holds always.
#include "support/alone.h"

enum { TRIES = 20, FIRST_ROOM = 64 << 10 /* of lists that have not grown, of the sizes used here */ };

static struct loam_stats stats;

static size_t cached_now(void) {
    loam_stats_get(&stats);
    CHECK(stats.exact, "lists could not be counted");
    return stats.cached_bytes;
}

// Thirteen sizes, some 21 KB of each: 270 KiB in all. Lists of 1 MiB have room for that. Where a list happens to stand between two batches,
// one comes and one goes in each round; more misses than that mean that lists are too short.
static void cycle_leaves_lists_seldom(void) {
    enum { SIZES = 13, COUNT = 24, WARM = 50, ROUNDS = 200 };
    static void *block[SIZES][COUNT];
    uint64_t before = 0;
    for (int round = 0; round < WARM + ROUNDS; round++) {
        if (round == WARM) {
            loam_stats_get(&stats);
            before = stats.list_misses;
        }
        for (size_t s = 0; s < SIZES; s++)
            for (int i = 0; i < COUNT; i++)
                CHECK((block[s][i] = malloc(784 + 16 * s)) != NULL, "no memory");
        for (size_t s = 0; s < SIZES; s++)
            for (int i = 0; i < COUNT; i++)
                free(block[s][i]);
    }
    loam_stats_get(&stats);
    size_t misses = (size_t)(stats.list_misses - before);
    printf("%d rounds of %d calls: %zu misses\n", ROUNDS, SIZES * COUNT * 2, misses);
    CHECK(misses <= 2 * SIZES * ROUNDS, "%zu misses in %d rounds of %d sizes", misses, ROUNDS, SIZES);
}

static void *spread[2048];

// Takes `count` blocks of the size, more than lists have, and gives them back.
static void flood(size_t size, size_t count) {
    for (size_t i = 0; i < count; i++)
        CHECK((spread[i] = malloc(size)) != NULL, "no memory");
    for (size_t i = 0; i < count; i++)
        free(spread[i]);
}

static size_t flood_many_sizes(void) {
    for (int round = 0; round < 8; round++)
        for (size_t size = 256; size <= 1008; size += 16)
            flood(size, 256);
    return cached_now();
}

static void many_sizes_are_bounded(void) {
    size_t cached = flood_many_sizes();
    printf("48 sizes: %zu KiB cached of %zu KiB mapped\n", cached / KIB, stats.mapped_bytes / KIB);
    CHECK(stats.mapped_bytes < 8 * MIB, "the heap is not small: %zu KiB", stats.mapped_bytes / KIB);
    CHECK(cached <= 2 * MIB + FIRST_ROOM, "%zu bytes cached in a small heap", cached);
}

// Where much is used, much may be cached.
static void large_heap_has_more(void) {
    enum { LARGE = 3840 << 10 }; // 2 MiB of batches, the rest in lists
    void *large = malloc(64 * MIB);
    CHECK(large != NULL, "no memory");
    size_t cached = 0;
    for (int i = 0; i < TRIES && cached < LARGE; i++) cached = flood_many_sizes();
    printf("48 sizes beside 64 MiB: %zu KiB cached\n", cached / KIB);
    CHECK(cached >= LARGE, "only %zu bytes cached in a heap of 64 MiB", cached);
    free(large);
}

// One size: 32 KiB in its list, as much in the spare, and half of what batches may hold. Then two more sizes.
static void one_size_has_half(void) {
    enum { LIST = 64 << 10 };
    size_t one = 0, three = 0;
    for (int i = 0; i < TRIES && one < 512 * KIB; i++) {
        flood(1024, 2048);
        size_t cached = cached_now();
        CHECK(cached <= LIST + 512 * KIB + FIRST_ROOM, "%zu bytes of one size are cached", cached);
        one = cached > one ? cached : one;
    }
    for (int i = 0; i < TRIES && three < 1024 * KIB; i++) {
        for (size_t size = 1024; size > 1024 - 3 * 16; size -= 16) flood(size, 2048);
        size_t cached = cached_now();
        CHECK(cached <= 3 * LIST + MIB + FIRST_ROOM, "%zu bytes of three sizes are cached", cached);
        three = cached > three ? cached : three;
    }
    printf("one size: %zu KiB cached, three: %zu KiB\n", one / KIB, three / KIB);
    CHECK(one >= 512 * KIB, "only %zu bytes of one size are cached", one);
    CHECK(three >= 1024 * KIB, "only %zu bytes of three sizes are cached", three);
}

int main(void) {
    static const struct alone_case cases[] = {
        {"cycle_leaves_lists_seldom", cycle_leaves_lists_seldom},
        {"many_sizes_are_bounded", many_sizes_are_bounded},
        {"large_heap_has_more", large_heap_has_more},
        {"one_size_has_half", one_size_has_half},
    };
    test_begin(60);
    alone_run(cases, sizeof cases / sizeof *cases);
    return 0;
}
