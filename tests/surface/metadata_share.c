// Promise: what the heap keeps for itself is at most 2.2 % of 1 GiB of 64-byte blocks.
// TEST: cflags=-fno-builtin
// TEST: modes=rseq
#include "support/surface.h"
#include <loam/loam.h>

extern void loam_stats_get(struct loam_stats *stats) __attribute__((weak));

enum { SIZE = 64 };

int main(void) {
    static struct loam_stats stats;
    size_t goal = (size_t)1 << 30;
    void **last = NULL;
    test_begin(100);
    for (size_t i = 0; i < goal / SIZE; i++) {
        void **block = malloc(SIZE);
        CHECK(block != NULL, "no memory after %zu blocks", i);
        *block = (void *)last;
        last = block;
    }
    loam_stats_get(&stats);
    double share = 100.0 * (double)stats.metadata_bytes / (double)goal;
    printf("%zu bytes of metadata for %zu live: %.2f %%\n", stats.metadata_bytes, stats.live_bytes, share);
    CHECK(stats.live_bytes >= goal, "%zu live", stats.live_bytes);
    CHECK(share <= 2.2, "%.2f %% is over 2.2 %%", share);
    while (last) {
        void **next = *last;
        free(last);
        last = next;
    }
    return 0;
}
