// Promise: mallinfo and mallinfo2 tell the truth: what is live is in them, what was freed is not.
// TEST: cflags=-fno-builtin
//
// Only what the fields' documentation says is used: uordblks is what is handed out of the heap,
// fordblks what is free in it, arena their sum, hblkhd what is in mappings of single blocks (its
// blocks may be counted there alone or in uordblks too). Slack allowed: rounding of sizes, blocks
// held in lists. Numbers "at rest" only: no other thread runs while they are read.
#include "support/surface.h"
#include <malloc.h>
#include <pthread.h>

enum { BLOCKS = 20000, BLOCK_SIZE = 1000 };
static void *blocks[BLOCKS];

// Bytes handed out, whatever way the allocator counts its direct mappings.
static size_t live_low(const struct mallinfo2 *info) {
    return info->uordblks;
}
static size_t live_high(const struct mallinfo2 *info) {
    return info->uordblks + info->hblkhd;
}

static void info_is_sane(const char *when) {
    struct mallinfo2 info = mallinfo2();
    printf("%-24s arena %zu uordblks %zu fordblks %zu hblks %zu hblkhd %zu ordblks %zu smblks %zu "
           "fsmblks %zu keepcost %zu\n",
           when, info.arena, info.uordblks, info.fordblks, info.hblks, info.hblkhd, info.ordblks,
           info.smblks, info.fsmblks, info.keepcost);
    CHECK(info.uordblks + info.fordblks <= info.arena + info.hblkhd + 64 * KIB,
          "used %zu and free %zu in %zu", info.uordblks, info.fordblks, info.arena);
    CHECK(info.uordblks + info.fordblks + info.hblkhd + 64 * KIB >= info.arena,
          "%zu of arena are neither used nor free", info.arena);
    CHECK((info.hblks == 0) == (info.hblkhd == 0), "%zu mappings of %zu bytes", info.hblks,
          info.hblkhd);
    CHECK(info.keepcost <= info.fordblks + 64 * KIB, "keepcost %zu of %zu free", info.keepcost,
          info.fordblks);
    CHECK(info.fordblks == 0 || info.ordblks + info.smblks > 0, "free bytes in no hole");
}

static void small_blocks_are_counted(void) {
    struct mallinfo2 before = mallinfo2();
    for (size_t i = 0; i < BLOCKS; i++) blocks[i] = malloc(BLOCK_SIZE);
    struct mallinfo2 after = mallinfo2();
    info_is_sane("20,000 blocks of 1000");
    size_t asked = (size_t)BLOCKS * BLOCK_SIZE;
    size_t grown = after.uordblks - before.uordblks;
    CHECK(grown >= asked && grown <= asked + asked / 16 + 64 * KIB, "%zu live, uordblks grew %zu",
          asked, grown);
    CHECK(after.arena >= after.uordblks || after.hblkhd > 0, "arena %zu holds %zu", after.arena,
          after.uordblks);
    for (size_t i = 0; i < BLOCKS; i += 2) free(blocks[i]);
    struct mallinfo2 half = mallinfo2();
    info_is_sane("every other one freed");
    size_t left = half.uordblks - before.uordblks;
    CHECK(left >= asked / 2 && left <= asked / 2 + asked / 32 + 64 * KIB, "%zu live, uordblks %zu",
          asked / 2, left);
    for (size_t i = 1; i < BLOCKS; i += 2) free(blocks[i]);
    struct mallinfo2 end = mallinfo2();
    info_is_sane("all freed");
    CHECK(end.uordblks <= before.uordblks + 64 * KIB, "%zu then %zu", before.uordblks,
          end.uordblks);
}

static void large_blocks_are_counted(void) {
    enum { LARGE = 8 };
    void *large[LARGE];
    struct mallinfo2 before = mallinfo2();
    for (size_t i = 0; i < LARGE; i++) large[i] = malloc(8 * MIB);
    struct mallinfo2 after = mallinfo2();
    info_is_sane("8 blocks of 8 MiB");
    CHECK(live_high(&after) - live_low(&before) >= LARGE * 8 * MIB, "%zu then %zu",
          live_low(&before), live_high(&after));
    size_t most = live_low(&after) - live_low(&before);
    CHECK(most <= LARGE * 8 * MIB + 1 * MIB, "uordblks grew %zu", most);
    for (size_t i = 0; i < LARGE; i++) free(large[i]);
    struct mallinfo2 end = mallinfo2();
    info_is_sane("freed");
    CHECK(live_low(&end) <= live_low(&before) + 64 * KIB, "%zu live of %zu", live_low(&end),
          live_low(&before));
}

static void old_structure_agrees(void) {
    void *p = malloc(3 * MIB);
    struct mallinfo2 wide = mallinfo2();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    struct mallinfo narrow = mallinfo();
#pragma GCC diagnostic pop
    CHECK(narrow.uordblks == (int)wide.uordblks, "%d, %zu", narrow.uordblks, wide.uordblks);
    CHECK(narrow.arena == (int)wide.arena, "%d, %zu", narrow.arena, wide.arena);
    CHECK(narrow.fordblks == (int)wide.fordblks, "%d, %zu", narrow.fordblks, wide.fordblks);
    CHECK(narrow.hblkhd == (int)wide.hblkhd, "%d, %zu", narrow.hblkhd, wide.hblkhd);
    CHECK(narrow.hblks == (int)wide.hblks, "%d, %zu", narrow.hblks, wide.hblks);
    CHECK(narrow.ordblks == (int)wide.ordblks, "%d, %zu", narrow.ordblks, wide.ordblks);
    CHECK(narrow.keepcost == (int)wide.keepcost, "%d, %zu", narrow.keepcost, wide.keepcost);
    free(p);
}

static void *thread_allocates(void *unused) {
    (void)unused;
    for (size_t i = 0; i < BLOCKS / 4; i++) blocks[i] = malloc(BLOCK_SIZE);
    return NULL;
}

static void other_threads_are_counted(void) {
    pthread_t thread;
    struct mallinfo2 before = mallinfo2();
    CHECK(pthread_create(&thread, NULL, thread_allocates, NULL) == 0, "no thread");
    pthread_join(thread, NULL);
    struct mallinfo2 after = mallinfo2();
    size_t asked = (size_t)BLOCKS / 4 * BLOCK_SIZE;
    CHECK(after.uordblks - before.uordblks >= asked, "%zu then %zu", before.uordblks,
          after.uordblks);
    info_is_sane("a thread allocated");
    for (size_t i = 0; i < BLOCKS / 4; i++) free(blocks[i]);
    struct mallinfo2 end = mallinfo2();
    CHECK(end.uordblks <= before.uordblks + 128 * KIB, "%zu then %zu", before.uordblks,
          end.uordblks);
}

int main(void) {
    test_begin(60);
    info_is_sane("at the start");
    small_blocks_are_counted();
    large_blocks_are_counted();
    old_structure_agrees();
    other_threads_are_counted();
    info_is_sane("at the end");
    return 0;
}
