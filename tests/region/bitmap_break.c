/* Promise: the bitmap region over the break keeps what interface 003 promises: small objects touch, overhead under 9
 * bytes an object, the freed one is used first, freed neighbours merge whatever their size, the break moves seldom,
 * comes down again, may start anywhere, hold garbage and end soon, and be moved by others. */
#include "region_test.h"

enum { MANY = 10000 };

static void *block[4 * MANY];

static loam_region *start_at(size_t bytes, size_t offset)
{
    loam_region *region;
    struct loam_region_options options = {.kind = LOAM_REGION_BITMAP, .source = LOAM_SOURCE_BREAK};
    fake_break_start(bytes, offset);
    CHECK_CODE(loam_region_create(&region, &options), LOAM_OK);
    return region;
}

static size_t grown(void)
{
    return (size_t)(fake_break.at - fake_break.start);
}

static void test_contiguous(void)
{
    test_what = "five hundred 8-byte objects in a row";
    loam_region *region = start_at(1 << 20, 24);
    for (size_t i = 0; i < 500; i++) {
        block[i] = loam_region_alloc(region, 1 + i % 8);
        CHECK_EQ((uintptr_t)block[i], (uintptr_t)block[0] + 8 * i);
    }
    check_region(region);
    loam_region_destroy(region);
}

static void test_overhead(void)
{
    test_what = "overhead under 9 bytes an object";
    double worst = 0;
    for (size_t size = 0; size <= 128; size += 8) { /* 0: random sizes of 1 to 128 bytes */
        struct random random;
        size_t live = 0;
        random_seed(&random, 7 + size);
        loam_region *region = start_at(1 << 24, 0);
        for (int i = 0; i < MANY; i++) {
            size_t bytes = size != 0 ? size : 1 + random_below(&random, 128);
            CHECK(loam_region_alloc(region, bytes) != NULL);
            live += bytes;
        }
        double overhead = (double)(grown() - live) / MANY;
        worst = overhead > worst ? overhead : worst;
        if (overhead >= 9)
            FAIL("%.2f bytes of overhead for each of %d objects of %zu bytes (0: 1 to 128)", overhead, MANY, size);
        loam_region_destroy(region);
    }
    printf("worst overhead: %.2f bytes an object\n", worst);
}

static void test_moves(void)
{
    test_what = "128 small allocations move the break fewer than 8 times";
    for (size_t size = 8; size <= 512; size *= 2) {
        loam_region *region = start_at(1 << 20, 0);
        for (int i = 0; i < 128; i++)
            CHECK(loam_region_alloc(region, size) != NULL);
        if (fake_break.moves >= 8)
            FAIL("%zu moves for blocks of %zu bytes", fake_break.moves, size);
        loam_region_destroy(region);
    }
}

static void test_reuse(void)
{
    test_what = "the freed one first, cut, merged";
    loam_region *region = start_at(1 << 20, 8);
    for (int i = 0; i < 200; i++)
        block[i] = loam_region_alloc(region, 64);
    for (int i = 20; i < 120; i += 2)
        CHECK_CODE(loam_region_free(region, block[i]), LOAM_OK);
    for (int i = 118; i >= 20; i -= 2)
        CHECK(loam_region_alloc(region, 57) == block[i]);
    /* 128 blocks of 8 between two live ones hold 1024 again */
    void *small[128];
    void *before = loam_region_alloc(region, 8);
    for (int i = 0; i < 128; i++)
        small[i] = loam_region_alloc(region, 8);
    void *behind = loam_region_alloc(region, 8);
    CHECK_EQ((uintptr_t)behind - (uintptr_t)before, 129 * 8);
    for (int i = 0; i < 128; i++)
        CHECK_CODE(loam_region_free(region, small[i * 37 % 128]), LOAM_OK);
    CHECK(loam_region_alloc(region, 1024) == small[0]);
    /* and are cut again */
    CHECK_CODE(loam_region_free(region, small[0]), LOAM_OK);
    for (int i = 0; i < 16; i++) {
        char *part = loam_region_alloc(region, 64);
        CHECK(part >= (char *)small[0] && part < (char *)small[0] + 1024);
    }
    /* large ones: the last freed of the same size first */
    char *large[3];
    for (int i = 0; i < 3; i++) {
        large[i] = loam_region_alloc(region, 5000);
        CHECK((char *)loam_region_alloc(region, 3000) > large[i]); /* so that none of them is at the top */
    }
    for (int i = 0; i < 3; i++)
        CHECK_CODE(loam_region_free(region, large[i]), LOAM_OK);
    for (int i = 2; i >= 0; i--)
        CHECK(loam_region_alloc(region, 5000) == large[i]);
    check_region(region);
    loam_region_destroy(region);
}

/* The order in which all is freed must not matter. */
static void test_lowered(int order, size_t alignment)
{
    static const char *const names[] = {"first to last", "last to first", "shuffled"};
    test_what = names[order];
    struct random random;
    random_seed(&random, 3);
    loam_region *region = start_at(1 << 24, 0);
    void *stays = loam_region_alloc(region, 100);
    size_t before = grown();
    for (int i = 0; i < MANY; i++)
        block[i] = loam_region_alloc_aligned(region, alignment, 1 + random_below(&random, 200));
    size_t top = grown();
    for (uint32_t i = MANY - 1; order == 2 && i > 0; i--) {
        uint32_t j = random_below(&random, i + 1);
        void *other = block[i];
        block[i] = block[j];
        block[j] = other;
    }
    size_t moves = fake_break.moves;
    for (int i = 0; i < MANY; i++)
        CHECK_CODE(loam_region_free(region, block[order == 1 ? MANY - 1 - i : i]), LOAM_OK);
    if (grown() > before + 8192)
        FAIL("the break stood %zu bytes high, then %zu, and after all was freed %zu", before, top, grown());
    if (fake_break.moves - moves > (top - before) / 4096 + 1)
        FAIL("%zu moves to give back %zu bytes: less than a page each", fake_break.moves - moves, top - before);
    check_region(region);
    CHECK_CODE(loam_region_free(region, stays), LOAM_OK);
    check_region(region);
    /* a page at the top alone */
    void *page = loam_region_alloc(region, 3 * 4096);
    before = grown();
    CHECK_CODE(loam_region_free(region, page), LOAM_OK);
    if (grown() + 4096 > before)
        FAIL("three pages were freed at the top, and the break did not come down");
    check_region(region);
    loam_region_destroy(region);
}

/* Taking and freeing at the top must not move the break each time. */
static void test_no_thrash(void)
{
    test_what = "no thrashing at the top";
    loam_region *region = start_at(1 << 20, 0);
    for (int i = 0; i < 100; i++)
        loam_region_alloc(region, 100);
    size_t moves = fake_break.moves;
    for (int i = 0; i < 10000; i++)
        CHECK_CODE(loam_region_free(region, loam_region_alloc(region, 1 + (size_t)i % 1000)), LOAM_OK);
    if (fake_break.moves - moves > 4)
        FAIL("%zu moves in 10,000 pairs", fake_break.moves - moves);
    loam_region_destroy(region);
}

/* A region of 128 KiB: nearly all of it can be had, and the end of it is an error, not a crash. */
static void test_short_break(size_t size, size_t least)
{
    test_what = "a break of 128 KiB";
    loam_region *region = start_at(128 << 10, 16);
    size_t count = 0;
    while ((block[count] = loam_region_alloc(region, size)) != NULL) {
        memset(block[count], 0x11, size);
        CHECK(++count < 4 * MANY);
    }
    CHECK_CODE(loam_region_error(region), LOAM_ERROR_SPENT);
    if (count * ((size + 7) / 8 * 8) < least)
        FAIL("only %zu bytes in blocks of %zu", count * size, size);
    check_region(region);
    for (size_t i = 0; i < count; i++)
        CHECK_CODE(loam_region_free(region, block[i]), LOAM_OK);
    check_region(region);
    char *all = loam_region_alloc(region, 100 << 10);
    if (all == NULL)
        FAIL("100 KiB after all was freed: refused");
    check_region(region);
    loam_region_destroy(region);
}

static void test_one_large(void)
{
    test_what = "a first request of 110 KiB in 128";
    loam_region *region = start_at(128 << 10, 0);
    char *large = loam_region_alloc(region, 110 << 10);
    CHECK(large != NULL);
    memset(large, 1, 110 << 10);
    check_region(region);
    CHECK_EQ(loam_region_usable(region, large), 110 << 10);
    CHECK(loam_region_resize(region, large, 50 << 10) == large);
    check_region(region);
    CHECK(loam_region_resize(region, large, 110 << 10) == large); /* nobody took what was cut off */
    check_region(region);
    loam_region_destroy(region);
}

/* Somebody else takes memory from the break between our growths. */
static void test_others(void)
{
    test_what = "others move the break";
    struct random random;
    random_seed(&random, test_seed);
    loam_region *region = start_at((size_t)1 << 26, 0);
    unsigned char *others[200];
    for (int i = 0; i < 2000; i++) {
        if (i % 10 == 0) {
            size_t theirs = 1 + random_below(&random, 3000);
            others[i / 10] = sbrk((intptr_t)theirs);
            memset(others[i / 10], 0xcc, theirs);
            others[i / 10][0] = (unsigned char)i;
        }
        size_t size = 1 + random_below(&random, 2000);
        block[i] = loam_region_alloc(region, size);
        CHECK(block[i] != NULL);
        memset(block[i], i % 251, size);
        CHECK(!loam_region_owns(region, others[i / 10]));
        if (i % 3 == 0) {
            uint32_t j = random_below(&random, (uint32_t)i + 1);
            loam_region_free(region, block[j]); /* may be free already: then it is refused */
        }
        check_region(region);
    }
    for (int i = 0; i < 200; i++)
        CHECK_EQ(others[i][0], (unsigned char)(i * 10));
    struct loam_region_stats stats;
    loam_region_stats(region, &stats);
    if (stats.slack > stats.taken / 4)
        FAIL("%zu of %zu bytes went into books", stats.slack, stats.taken);
    check_region(region);
    loam_region_destroy(region);
}

/* Four million 8-byte objects in 256 MiB. A linear search would take hours; the test's time limit would end it. */
static void test_four_million(void)
{
    test_what = "four million 8-byte objects";
    enum { COUNT = 4000000 };
    static void *all[COUNT];
    loam_region *region = start_at((size_t)256 << 20, 0);
    for (int i = 0; i < COUNT; i++) {
        all[i] = loam_region_alloc(region, 8);
        CHECK(all[i] != NULL);
    }
    if (grown() > (size_t)COUNT * 9)
        FAIL("%zu bytes for %d objects", grown(), (int)COUNT);
    for (int i = 0; i < COUNT; i += 2)
        CHECK_CODE(loam_region_free(region, all[i]), LOAM_OK);
    for (int i = 0; i < COUNT / 4; i++) /* taken from the list and put back, and nobody wrote into them meanwhile */
        CHECK((all[2 * i] = loam_region_alloc(region, 8)) != NULL);
    for (int i = 0; i < COUNT / 4; i++)
        CHECK_CODE(loam_region_free(region, all[2 * i]), LOAM_OK);
    for (int i = 0; i < COUNT / 4; i++)
        CHECK(loam_region_alloc(region, 16) != NULL); /* fits no hole: the lists are merged once, not each time */
    for (int i = 1; i < COUNT; i += 2)
        CHECK_CODE(loam_region_free(region, all[i]), LOAM_OK);
    for (int i = 0; i < COUNT / 4; i++)
        CHECK(loam_region_alloc(region, 40) != NULL);
    check_region(region);
    if (grown() > (size_t)COUNT * 8 * 5 / 2)
        FAIL("%zu bytes: freed memory was not used again", grown());
    loam_region_destroy(region);
}

/* The program writes into what it has freed: its own list suffers, the region says so, and nothing falls over. */
static void test_overwritten(void)
{
    test_what = "freed blocks overwritten";
    loam_region *region = start_at(1 << 24, 0);
    struct random random;
    random_seed(&random, test_seed);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 100; i++)
            CHECK((block[i] = loam_region_alloc(region, 32)) != NULL);
        for (int i = 0; i < 100; i++)
            loam_region_free(region, block[i]);
        for (int i = 0; i < 5; i++) {
            uint64_t garbage = random_next(&random);
            memcpy(block[random_below(&random, 100)], &garbage, sizeof garbage);
        }
        for (int i = 0; i < 10; i++)
            loam_region_alloc(region, 1 + random_below(&random, 500));
    }
    CHECK(loam_region_check(region) != NULL);
    loam_region_reset(region);
    check_region(region);
    loam_region_destroy(region);
}

int main(void)
{
    test_seed_read(1);
    test_contiguous();
    test_overhead();
    test_moves();
    test_reuse();
    for (int order = 0; order < 3; order++)
        for (size_t alignment = 8; alignment <= 64; alignment *= 2)
            test_lowered(order, alignment);
    test_no_thrash();
    test_short_break(8, 120 << 10);
    test_short_break(100, 120 << 10);
    test_short_break(3000, 110 << 10); /* at the end of each segment up to 3000 bytes stay over */
    test_one_large();
    test_others();
    test_four_million();
    test_overwritten();
    return 0;
}
