// Promise: after a spike and a second or two without any call, the next one that leaves the lists gives everything back.
// TEST: cflags=-fno-builtin
#include "support/memory.h"

enum { BLOCKS = 200000, SIZE = 900, BUFFERS = 16, BUFFER = 256 << 10 };

static void *block[BLOCKS], *buffer[BUFFERS];

int main(void) {
    memset(block, 0, sizeof block);
    free(malloc(40000));
    size_t before = memory_rss();
    for (int i = 0; i < BLOCKS; i++)
        CHECK((block[i] = malloc(SIZE)) != NULL && memset(block[i], 1, SIZE), "no memory");
    for (int i = 0; i < BUFFERS; i++)
        CHECK((buffer[i] = malloc(BUFFER)) != NULL && memset(buffer[i], 1, BUFFER), "no memory");
    size_t peak = memory_rss();
    for (int i = 0; i < BLOCKS; i++)
        if (i % 10000 != 0) free(block[i]);
    for (int i = 0; i < BUFFERS; i++)
        free(buffer[i]);
    size_t freed = memory_rss();
    usleep(2500 * 1000);
    size_t idle = memory_rss();
    void *p = malloc(40000); // larger than any list holds
    size_t after = memory_rss();
    printf("RSS before %.1f MiB, peak %.1f, freed %.1f, idle %.1f, after one call %.1f\n", as_mib(before), as_mib(peak),
           as_mib(freed), as_mib(idle), as_mib(after));
    CHECK(peak > before + 150 * MIB, "the spike was none");
    CHECK(after < before + 3 * MIB, "one call after idling left %.1f MiB", as_mib(after - before));
    free(p);
    for (int i = 0; i < BLOCKS; i += 10000)
        free(block[i]);
    return 0;
}
