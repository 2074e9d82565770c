// batches: take 100 to 1,000 blocks, then give them all back, last first, first first, or in any order.
// Modelled on documents: a parsed JSON text, a result set, a syntax tree of a statement are built of many small objects,
// read once and dropped together.
#include "workload.h"

enum { most = 1000 };

static void *blocks[most];
static uint16_t sizes[most];
static uint32_t order[most];

static void batch_order(struct random *r, size_t n, size_t kind)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)(kind == 0 ? n - 1 - i : i);
    if (kind == 2)
        random_shuffle(r, order, n);
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    struct random r = random_from(2);
    uint64_t sum = 0;
    size_t rounds = workload_times(24000, 6);
    for (size_t round = 0; round < rounds; round++) {
        size_t n = random_between(&r, 100, most);
        for (size_t i = 0; i < n; i++)
            sizes[i] = (uint16_t)random_size(&r, 16, 511);
        batch_order(&r, n, round % 3);
        for (size_t i = 0; i < n; i++)
            blocks[i] = block_take(sizes[i], (unsigned)i);
        for (size_t i = 0; i < n; i++) {
            uint32_t at = order[i];
            sum = checksum_mix(sum, block_read(blocks[at], sizes[at]));
            block_give(blocks[at]);
        }
    }
    return workload_end(sum);
}
