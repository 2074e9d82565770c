/* What one processor's lists may hold in a small heap: 1 MiB; where there are more than eight, their part of 8 MiB, but 64 KiB at
 * least. Tables are made for processors that need not be there. */
#include "api/names.h"
#include "cache/inside.h"
#include "unit.h"

static void shares(void *arg)
{
    static const struct {
        uint32_t tables;
        size_t bound;
    } expected[] = {{1, 1 << 20}, {2, 1 << 20}, {8, 1 << 20}, {16, 512 << 10}, {64, 128 << 10}, {128, 64 << 10}, {512, 64 << 10}};
    (void)arg;
    API(free)(API(malloc)(1)); /* starts it: a heap of one chunk */
    uint32_t made = 0;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        for (; made < expected[i].tables; made++)
            EXPECT(table_get(made) != NULL);
        EXPECT_EQ(cache_grant_bound(), expected[i].bound);
    }
}

int main(void)
{
    unit_each_mode(shares, NULL);
    return 0;
}
