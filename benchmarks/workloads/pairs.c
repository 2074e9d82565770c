// pairs: take a block, use it, give it back at once.
// Modelled on temporaries: formatted strings, iterators, argument tuples, std::function: most blocks of most programs live
// for a few hundred instructions. One half of the work repeats one size many times (a loop over records), the other draws
// sizes from a mix (a call tree), nested a few deep as calls are.
#include "workload.h"

enum { mix_count = 4096 };
static uint16_t mix[mix_count];

static void mix_draw(void)
{
    struct random r = random_from(1);
    for (size_t i = 0; i < mix_count; i++)
        mix[i] = (uint16_t)random_size(&r, 16, 1024);
}

static uint64_t loops_of_one_size(size_t loops)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < loops; i++) {
        size_t size = mix[i % mix_count];
        for (size_t j = 0; j < 64; j++) {
            unsigned char *p = block_take_raw(size);
            p[0] = (unsigned char)i;
            p[size - 1] = (unsigned char)j;
            sum += block_read(p, size);
            block_give(p);
        }
    }
    return sum;
}

static uint64_t calls_nested(size_t calls)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < calls; i++) {
        unsigned char *frames[8];
        size_t depth = 1 + i % 8;
        for (size_t d = 0; d < depth; d++) {
            size_t size = mix[(i * 7 + d) % mix_count];
            frames[d] = block_take_raw(size);
            frames[d][0] = (unsigned char)d;
            frames[d][size - 1] = (unsigned char)i;
        }
        for (size_t d = depth; d-- > 0;) {
            sum += block_read(frames[d], mix[(i * 7 + d) % mix_count]);
            block_give(frames[d]);
        }
    }
    return sum;
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    mix_draw();
    uint64_t sum = loops_of_one_size(workload_times(700000, 10));
    sum = checksum_mix(sum, calls_nested(workload_times(5000000, 10)));
    return workload_end(sum);
}
