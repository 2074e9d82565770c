// TEST: sanitize=none
/* Promise: no strategy searches one by one. Four million objects (blocks: one million) are taken, two of three freed in a
 * scattered order, taken again, resized, and freed: that ends within this test's time only if no call looks at all of them.
 * What each call costs as they grow is measured by benchmarks/regions. */
#include "region_test.h"

enum { MOST = 4000000 };

static uint32_t *object[MOST];

/* The i-th of `count` in an order that jumps about. */
static size_t scattered(size_t i, size_t count)
{
    return i * 1000003 % count;
}

static void take(loam_region *region, size_t i, size_t size)
{
    object[i] = loam_region_alloc(region, size);
    if (object[i] == NULL)
        FAIL("object %zu: %s", i, loam_strerror(loam_region_error(region)));
    *object[i] = (uint32_t)i;
}

static void run(enum loam_region_kind kind, const char *name, size_t count)
{
    struct loam_region_options options = {
        .kind = kind, .cell = kind == LOAM_REGION_CELLS ? 16 : 0, .least = kind == LOAM_REGION_BUDDY ? 16 : 0};
    loam_region *region;
    struct loam_region_stats stats;
    test_what = name;
    CHECK_CODE(loam_region_create(&region, &options), LOAM_OK);
    for (size_t i = 0; i < count; i++)
        take(region, i, 8 + i % 9);
    for (size_t i = 0; i < count; i++)
        if (i % 3 != 0)
            CHECK_CODE(loam_region_free(region, object[scattered(i, count)]), LOAM_OK);
    CHECK_CODE(loam_region_stats(region, &stats), LOAM_OK);
    CHECK_EQ(stats.live_blocks, (count + 2) / 3);
    for (size_t i = 0; i < count; i++)
        if (i % 3 != 0)
            take(region, scattered(i, count), 8 + (i + 4) % 9);
    for (size_t i = 0; i < count; i += 16) {
        void *same = loam_region_resize(region, object[i], 8);
        CHECK(same == object[i] && loam_region_usable(region, same) >= 8);
    }
    for (size_t i = 0; i < count; i++)
        CHECK_EQ(*object[i], i);
    for (size_t i = 0; i < count; i++)
        CHECK_CODE(loam_region_free(region, object[scattered(count - 1 - i, count)]), LOAM_OK);
    CHECK_CODE(loam_region_stats(region, &stats), LOAM_OK);
    CHECK(stats.live == 0 && stats.live_blocks == 0);
    CHECK_CODE(loam_region_destroy(region), LOAM_OK);
}

int main(void)
{
    run(LOAM_REGION_CELLS, "cells", MOST);
    run(LOAM_REGION_BUDDY, "buddy", MOST);
    run(LOAM_REGION_BITMAP, "bitmap", MOST);
    run(LOAM_REGION_BLOCKS, "blocks", MOST / 4);
    return 0;
}
