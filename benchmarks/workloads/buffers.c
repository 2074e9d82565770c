// buffers: blocks of 64 KiB to 8 MiB, taken, filled, passed through and given back, six alive at a time.
// Modelled on image and video filters, compressors, network proxies and numerical code: each step allocates its output.
#include "workload.h"

enum { alive = 6 };

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    struct random r = random_from(12);
    unsigned char *buffer[alive] = {0};
    size_t size[alive] = {0};
    uint64_t sum = 0;
    size_t steps = workload_times(2600, 8);
    for (size_t i = 0; i < steps; i++) {
        size_t at = random_below(&r, alive);
        if (buffer[at] != NULL) {
            for (size_t j = 0; j < size[at]; j += 4096)
                sum += buffer[at][j];
            sum = checksum_mix(sum, block_read(buffer[at], size[at]));
            block_give(buffer[at]);
        }
        size[at] = random_size(&r, 64 << 10, 8 << 20);
        buffer[at] = block_take(size[at], (unsigned)i);
    }
    for (size_t i = 0; i < alive; i++)
        block_give(buffer[i]);
    return workload_end(sum);
}
