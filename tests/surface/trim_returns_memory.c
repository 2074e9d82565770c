// Promise: malloc_trim(0) gives free memory back at once, and says truly whether it gave any.
// TEST: cflags=-fno-builtin
//
// RSS is read from /proc before and after each trim: a fall that it did not own up to, or a "yes"
// without a fall, fails. Live blocks keep their contents. Several sizes and patterns of freeing,
// from all-freed to every other run, because each leaves its free memory elsewhere.
#include "support/memory.h"
#include <malloc.h>
#include <pthread.h>

enum { RUN = 512, RUNS = 400 };

static unsigned yes, no;

static void trim_once(const char *what) {
    size_t before = memory_rss();
    int result = malloc_trim(0);
    size_t after = memory_rss();
    size_t fallen = before > after ? before - after : 0;
    printf("%-36s malloc_trim = %d, RSS %.2f -> %.2f MiB\n", what, result, as_mib(before),
           as_mib(after));
    CHECK(result == 0 || result == 1, "%s: it returned %d", what, result);
    CHECK(result == 1 || fallen <= 128 * KIB, "%s: it said no and gave back %zu", what, fallen);
    if (!is_any_allowed()) CHECK(result == 0 || fallen > 0, "%s: it said yes, RSS stayed", what);
    if (result) yes++;
    else no++;
}

// RUNS runs of RUN blocks; keep every `keep`-th run live (0: none), trim, check what lives.
static void spike(const char *what, size_t size, size_t keep) {
    static unsigned char *blocks[RUNS][RUN];
    memset(blocks, 1, sizeof blocks); // resident before the baseline is taken
    size_t baseline = memory_rss(), live = 0;
    for (size_t r = 0; r < RUNS; r++)
        for (size_t i = 0; i < RUN; i++) {
            blocks[r][i] = malloc(size);
            CHECK(blocks[r][i] != NULL, "no memory");
            pattern_fill(blocks[r][i], size, r * RUN + i);
        }
    size_t peak = memory_rss();
    for (size_t r = 0; r < RUNS; r++) {
        bool kept = keep && r % keep == 0;
        live += kept ? RUN * size : 0;
        for (size_t i = 0; i < RUN && !kept; i++) free(blocks[r][i]);
    }
    trim_once(what);
    size_t after = memory_rss();
    // Metadata for the peak may stay resident (2.2 %), and partly used pages at the runs' ends.
    size_t bound = baseline + live + live / 2 + (peak - baseline) / 40 + 1 * MIB;
    CHECK(after <= bound, "%s: RSS %.2f MiB, live %.2f, at most %.2f wanted", what, as_mib(after),
          as_mib(live), as_mib(bound));
    for (size_t r = 0; keep && r < RUNS; r += keep)
        for (size_t i = 0; i < RUN; i++) {
            size_t at = pattern_check(blocks[r][i], size, size, r * RUN + i);
            CHECK(at == size, "%s: byte %zu of a live block changed", what, at);
            free(blocks[r][i]);
        }
    trim_once("  and again when all is free");
    trim_once("  and with nothing left to give");
}

static void *thread_spike(void *unused) {
    (void)unused;
    void **blocks = malloc(50000 * sizeof *blocks);
    for (size_t i = 0; i < 50000; i++) memset(blocks[i] = malloc(100), 1, 100);
    for (size_t i = 0; i < 50000; i++) free(blocks[i]);
    free(blocks);
    return NULL;
}

static void buffers(void) {
    unsigned char *large[8];
    for (size_t i = 0; i < 8; i++) memset(large[i] = malloc(2 * MIB), 7, 2 * MIB);
    size_t full = memory_rss();
    for (size_t i = 0; i < 8; i++) free(large[i]);
    trim_once("8 buffers of 2 MiB");
    size_t after = memory_rss();
    CHECK(after + 15 * MIB <= full, "16 MiB freed, RSS %zu -> %zu", full, after);
}

int main(void) {
    test_begin(60);
    spike("blocks of 64, all freed", 64, 0);
    spike("blocks of 64, every 20th run kept", 64, 20);
    spike("blocks of 500, all freed", 500, 0);
    spike("blocks of 500, every 4th run kept", 500, 4);
    spike("blocks of 1500, every 10th run kept", 1500, 10);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, thread_spike, NULL) == 0, "no thread");
    pthread_join(thread, NULL);
    trim_once("a thread that ended");
    buffers();
    void *p = malloc(100);
    CHECK(malloc_trim(SIZE_MAX) == 0 || malloc_trim(SIZE_MAX) == 1, "a pad beyond all memory");
    free(p);
    if (!is_any_allowed()) CHECK(yes > 0 && no > 0, "%u times yes, %u times no", yes, no);
    return 0;
}
