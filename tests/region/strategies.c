/* Promise: each strategy works in the way it is described, not only to the same end: bump resets without a look at its blocks
 * and chains pieces or is spent, as its creator chose; cells are threaded lazily and last in, first out; blocks fit best, split,
 * merge and are resized in place both ways; buddy halves and joins powers of two without headers; bitmap keeps its books
 * beside the memory. */
#include "region_test.h"

enum { BUFFER = 1 << 20 };

static _Alignas(4096) unsigned char buffer[BUFFER];

static loam_region *over_buffer(enum loam_region_kind kind, size_t size, size_t cell, size_t least)
{
    struct loam_region_options options = {.kind = kind,
                                          .source = LOAM_SOURCE_BUFFER,
                                          .buffer = buffer,
                                          .buffer_size = size,
                                          .cell = cell,
                                          .least = least};
    loam_region *region;
    memset(buffer, 0xd7, sizeof buffer);
    CHECK_CODE(loam_region_create(&region, &options), LOAM_OK);
    return region;
}

static unsigned char *must(loam_region *region, size_t size)
{
    unsigned char *block = loam_region_alloc(region, size);
    if (block == NULL)
        FAIL("%zu bytes: %s", size, loam_strerror(loam_region_error(region)));
    return block;
}

static void must_free(loam_region *region, void *block)
{
    CHECK_CODE(loam_region_free(region, block), LOAM_OK);
}

static size_t largest_free(loam_region *region)
{
    struct loam_region_stats stats;
    CHECK_CODE(loam_region_stats(region, &stats), LOAM_OK);
    return stats.largest_free;
}

static size_t taken(loam_region *region)
{
    struct loam_region_stats stats;
    CHECK_CODE(loam_region_stats(region, &stats), LOAM_OK);
    return stats.taken;
}

/* Bytes of the buffer that are not as the test left them. */
static size_t touched(void)
{
    size_t count = 0;
    for (size_t i = 0; i < BUFFER; i++)
        count += buffer[i] != 0xd7;
    return count;
}

/* ---- bump ---- */

static void test_bump(void)
{
    test_what = "bump";
    loam_region *region = over_buffer(LOAM_REGION_BUMP, BUFFER, 0, 0);
    unsigned char *first = must(region, 8), *at = first;
    for (int i = 0; i < 1000; i++)
        CHECK(must(region, 24) == at + (i == 0 ? 8 : 24) && (at += i == 0 ? 8 : 24)); /* nothing between blocks */
    CHECK((uintptr_t)loam_region_alloc_aligned(region, 4096, 10) % 4096 == 0);
    while (loam_region_alloc(region, 1000) != NULL)
        ;
    CHECK_CODE(loam_region_error(region), LOAM_ERROR_SPENT);
    memset(buffer + BUFFER / 2, 0xd7,
           BUFFER / 2); /* a reset that looked at blocks would trip over what they hold now */
    CHECK_CODE(loam_region_reset(region), LOAM_OK);
    for (size_t i = BUFFER / 2; i < BUFFER; i++)
        CHECK_EQ(buffer[i], 0xd7);
    CHECK(must(region, 8) == first);
    loam_region_destroy(region);

    /* fixed: spent when the first piece is; else chained */
    struct loam_region_options options = {.kind = LOAM_REGION_BUMP, .flags = LOAM_REGION_FIXED, .first = 8192};
    for (int fixed = 1; fixed >= 0; fixed--, options.flags = 0) {
        CHECK_CODE(loam_region_create(&region, &options), LOAM_OK);
        size_t before = taken(region);
        int count = 0;
        while (count < 1000 && loam_region_alloc(region, 100) != NULL)
            count++;
        CHECK(fixed ? count < 82 && taken(region) == before : count == 1000 && taken(region) > 100000);
        check_region(region);
        loam_region_destroy(region);
    }
}

/* ---- cells ---- */

static void test_cells(void)
{
    test_what = "cells";
    loam_region *region = over_buffer(LOAM_REGION_CELLS, BUFFER, 64, 0);
    if (touched() > 1000)
        FAIL("creation has written %zu bytes: cells are to be threaded when they are first used", touched());
    unsigned char *cell[100];
    for (int i = 0; i < 100; i++) {
        cell[i] = must(region, 64);
        CHECK(i == 0 || cell[i] == cell[i - 1] + 64);
    }
    if (touched() > 1500)
        FAIL("a hundred allocations have written %zu bytes", touched());
    for (int i = 0; i < 100; i += 3)
        must_free(region, cell[i]);
    for (int i = 99; i >= 0; i -= 3)
        CHECK(must(region, 1 + (size_t)i % 64) == cell[i]); /* last in, first out */
    CHECK(loam_region_alloc(region, 65) == NULL && loam_region_error(region) == LOAM_ERROR_SIZE);
    must_free(region, cell[5]);
    CHECK_CODE(loam_region_free(region, cell[5]), LOAM_ERROR_FREE);
    CHECK_CODE(loam_region_free(region, cell[6] + 8), LOAM_ERROR_INTERIOR);
    CHECK_CODE(loam_region_free(region, cell[99] + 64), LOAM_ERROR_FREE); /* never handed out */
    CHECK_CODE(loam_region_free(region, &region), LOAM_ERROR_FOREIGN);
    CHECK(must(region, 64) == cell[5]);
    check_region(region);
    loam_region_destroy(region);
}

/* ---- blocks ---- */

static void test_blocks(void)
{
    static const size_t sizes[] = {1600, 320, 960, 640, 1280};
    unsigned char *block[5], *wall[5];
    test_what = "blocks";
    loam_region *region = over_buffer(LOAM_REGION_BLOCKS, 65536, 0, 0);
    for (int i = 0; i < 5; i++) {
        block[i] = must(region, sizes[i]);
        wall[i] = must(region, 16);
        CHECK(wall[i] == block[i] + sizes[i] + 32); /* a header of 32 bytes in front */
    }
    for (int i = 0; i < 5; i++)
        must_free(region, block[i]);
    CHECK(must(region, 900) == block[2]); /* the best of 320, 640, 960, 1280, 1600 and the end */
    CHECK(must(region, 1270) == block[4]);
    CHECK(must(region, 300) == block[1]);
    unsigned char *part = must(region, 400); /* 640 is cut */
    CHECK(part == block[3] && must(region, 208 - 16) == block[3] + 400 + 32);

    /* wall[0] goes, between the free 1600 and the live block 1: all that is free merges */
    must_free(region, wall[0]);
    unsigned char *merged = must(region, 1600 + 32 + 16);
    CHECK(merged == block[0]);

    /* resized in place both ways: shorter, and what came free serves; longer again, over what is free behind it */
    memset(merged, 0x31, 1648);
    CHECK(loam_region_resize(region, merged, 800) == merged);
    unsigned char *rest = must(region, 700);
    CHECK(rest == merged + 800 + 32);
    CHECK_CODE(loam_region_resize_in_place(region, merged, 1000), LOAM_ERROR_SPENT);
    must_free(region, rest);
    CHECK_CODE(loam_region_resize_in_place(region, merged, 1000), LOAM_OK);
    CHECK(loam_region_resize(region, merged, 1648) == merged && loam_region_usable(region, merged) == 1648);
    for (int i = 0; i < 800; i++)
        CHECK_EQ(merged[i], 0x31);
    check_region(region);
    loam_region_destroy(region);
}

/* ---- buddy ---- */

static void test_buddy(void)
{
    test_what = "buddy";
    loam_region *region = over_buffer(LOAM_REGION_BUDDY, BUFFER, 0, 32);
    size_t whole = largest_free(region);
    CHECK_EQ(whole, BUFFER / 2);
    unsigned char *a = must(region, 8192);
    CHECK(loam_region_resize(region, a, 4096) == a);
    unsigned char *b = must(region, 4096);
    CHECK(b == a + 4096); /* two halves, nothing between them */
    memset(a, 0xff, 4096); /* no header in either */
    memset(b, 0xff, 4096);
    for (size_t size = 1; size <= 4096; size += 1 + size / 5) {
        unsigned char *block = must(region, size);
        size_t usable = loam_region_usable(region, block);
        CHECK((usable & (usable - 1)) == 0 && usable >= size && usable >= 32 && (usable < 2 * size || usable == 32));
        CHECK_EQ((uintptr_t)block % usable, 0);
        must_free(region, block);
    }
    must_free(region, b);
    CHECK(loam_region_resize(region, a, 100) == a && loam_region_usable(region, a) == 128);
    CHECK(must(region, 100) == a + 128); /* the half that was cut off last is the best */
    CHECK_CODE(loam_region_resize_in_place(region, a, 200), LOAM_ERROR_SPENT);
    must_free(region, a + 128);
    CHECK_CODE(loam_region_resize_in_place(region, a, 8192), LOAM_OK);
    must_free(region, a);
    CHECK_EQ(largest_free(region), whole); /* all is joined again */
    check_region(region);
    loam_region_destroy(region);
}

/* ---- bitmap ---- */

static void test_bitmap(void)
{
    static unsigned char *block[2000];
    test_what = "bitmap";
    loam_region *region = over_buffer(LOAM_REGION_BITMAP, 65536, 0, 0); /* in larger ones the lists may fill up first */
    for (int i = 0; i < 2000; i++) {
        block[i] = must(region, 8 + 8 * ((size_t)i % 5));
        CHECK(i == 0 || block[i] == block[i - 1] + 8 + 8 * ((i - 1) % 5)); /* contiguous: nothing in band */
        memset(block[i], 0xff, 8 + 8 * ((size_t)i % 5));
    }
    must_free(region, block[10]);
    must_free(region, block[15]);
    CHECK(must(region, 8) == block[15] && must(region, 8) == block[10]); /* the slot freed last comes first */
    for (int i = 100; i < 200; i++)
        must_free(region, block[i]);
    CHECK(must(region, 100 / 5 * (8 + 16 + 24 + 32 + 40)) == block[100]); /* a hundred of five sizes are one again */
    must_free(region, block[300]);
    CHECK_CODE(loam_region_free(region, block[300]), LOAM_ERROR_FREE);
    CHECK_CODE(loam_region_free(region, block[302] + 8), LOAM_ERROR_INTERIOR);
    check_region(region);
    loam_region_destroy(region);
}

int main(void)
{
    test_bump();
    test_cells();
    test_blocks();
    test_buddy();
    test_bitmap();
    return 0;
}
