// aligned: blocks with alignments of 32 bytes to a page, beside plain ones.
// Modelled on numerical libraries and codecs (32 and 64 for vectors of the processor), lock-free queues (64 and 128, for
// cache lines), databases and direct I/O (512 and 4,096). The remainder of each address by its alignment is in the checksum:
// a misaligned block is a wrong result.
#include "workload.h"

enum { alive = 1500 };

static const uint16_t alignments[] = {32, 32, 64, 64, 64, 128, 256, 512, 4096};

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    struct random r = random_from(14);
    static void *block[alive];
    static size_t size[alive];
    uint64_t sum = 0;
    size_t steps = workload_times(4000000, 1000);
    for (size_t i = 0; i < steps; i++) {
        uint64_t dice = random_next(&r);
        size_t at = dice % alive;
        if (block[at] != NULL) {
            sum = checksum_mix(sum, block_read(block[at], size[at]));
            block_give(block[at]);
        }
        size_t n = (dice >> 32) % 16 == 0 ? random_size(&r, 4096, 65536) : random_size(&r, 64, 4095);
        size_t alignment = alignments[(dice >> 40) % (sizeof alignments / sizeof alignments[0])];
        if ((dice >> 48) % 4 == 0) {
            block[at] = block_take_raw(n);
        } else {
            if (posix_memalign(&block[at], alignment, n) != 0)
                workload_fail("posix_memalign(%zu, %zu) gave nothing", alignment, n);
            sum = checksum_mix(sum, (uintptr_t)block[at] % alignment);
        }
        size[at] = n;
        memset(block[at], (int)(i & 0xff), n < 256 ? n : 256);
        ((unsigned char *)block[at])[n - 1] = 1;
    }
    for (size_t i = 0; i < alive; i++)
        block_give(block[i]);
    return workload_end(sum);
}
