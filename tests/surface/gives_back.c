// Promise: after a spike RSS falls to 1.5 times what is live without the program's help, with malloc_trim at once.
// TEST: cflags=-fno-builtin
//
// 512 MiB of small blocks are allocated, and 95 % of them freed in clusters: runs of neighbours of
// 16 KiB to 1 MiB, as caches and sessions leave them. Then light use: a few calls a millisecond. RSS
// (over the program's own at the start) must come to 1.5 times the live bytes. How long it took is
// printed; the wait is 2 s by the promise, and up to 10 s before a slow machine is called a failure.
#include "support/memory.h"
#include <malloc.h>

enum { CLUSTERS_MOST = 16384, WAIT_SECONDS = 10 };

struct node {
    struct node *next;
    size_t size;
};
static struct node *clusters[CLUSTERS_MOST];
static size_t cluster_count, live;
static unsigned failures; // all figures are printed before the test fails

static struct node *cluster_make(struct dice *dice, size_t bytes) {
    struct node *first = NULL;
    while (bytes > 0) {
        size_t size = 16 + (size_t)dice_below(dice, 25) * 16; // 16 to 400 bytes
        struct node *node = malloc(size);
        CHECK(node != NULL, "no memory");
        memset(node, 1, size);
        node->next = first;
        node->size = size;
        first = node;
        live += size;
        bytes = bytes > size ? bytes - size : 0;
    }
    return first;
}

static void cluster_free(size_t i) {
    for (struct node *node = clusters[i]; node;) {
        struct node *next = node->next;
        live -= node->size;
        free(node);
        node = next;
    }
    clusters[i] = NULL;
}

static void spike(struct dice *dice, size_t bytes) {
    cluster_count = 0;
    while (live < bytes && cluster_count < CLUSTERS_MOST)
        clusters[cluster_count++] = cluster_make(dice, (size_t)16 * KIB << dice_below(dice, 7));
}

// Frees random clusters until a twentieth is left.
static void calm(struct dice *dice) {
    size_t goal = live / 20;
    while (live > goal) cluster_free((size_t)dice_below(dice, cluster_count));
}

static void light_use(struct dice *dice) {
    void *some[20];
    for (size_t i = 0; i < 20; i++) some[i] = launder(malloc((size_t)dice_below(dice, 2000)));
    for (size_t i = 0; i < 20; i++) free(some[i]);
}

static void falls_by_itself(struct dice *dice, size_t baseline) {
    spike(dice, 512 * MIB);
    size_t peak = memory_rss();
    calm(dice);
    uint64_t start = clock_ns();
    size_t goal = live + live / 2, rss = memory_rss() - baseline;
    printf("peak RSS %.1f MiB; live %.1f, RSS %.1f at once (goal %.1f)\n", as_mib(peak), as_mib(live),
           as_mib(rss), as_mib(goal));
    while (rss > goal && seconds_since(start) < WAIT_SECONDS) {
        for (int i = 0; i < 20; i++) {
            light_use(dice);
            sleep_ms(1);
        }
        rss = memory_rss() - baseline;
    }
    printf("RSS %.1f MiB = %.2f x live after %.2f s of light use\n", as_mib(rss),
           (double)rss / (double)live, seconds_since(start));
    fflush(stdout);
    failures += rss > goal;
}

static void falls_by_trim(struct dice *dice, size_t baseline) {
    for (size_t i = 0; i < cluster_count; i++) cluster_free(i);
    spike(dice, 512 * MIB);
    size_t peak = memory_rss();
    calm(dice);
    malloc_trim(0);
    size_t rss = memory_rss() - baseline;
    printf("peak RSS %.1f MiB; live %.1f; after malloc_trim %.1f = %.2f x live\n", as_mib(peak),
           as_mib(live), as_mib(rss), (double)rss / (double)live);
    fflush(stdout);
    failures += rss > live + live / 2;
}

// Large buffers, used and freed: all of it goes back after the same light use, however they were served.
static void buffers_go_back(struct dice *dice) {
    static const size_t sizes[] = {256 * KIB, 1 * MIB, 8 * MIB, 64 * MIB};
    size_t start_rss = memory_rss();
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t size = sizes[s], count = 128 * MIB / size;
        static unsigned char *buffers[512];
        for (size_t i = 0; i < count; i++) memset(buffers[i] = malloc(size), 5, size);
        size_t peak = memory_rss();
        for (size_t i = 0; i < count; i++) free(buffers[i]);
        uint64_t start = clock_ns();
        size_t at_once = memory_rss(), rss = at_once;
        while (rss > start_rss + 8 * MIB && seconds_since(start) < WAIT_SECONDS) {
            for (int i = 0; i < 20; i++) {
                light_use(dice);
                sleep_ms(1);
            }
            rss = memory_rss();
        }
        printf("%3zu buffers of %5zu KiB: RSS %.1f MiB before, %.1f with, %.1f at once, %.1f after "
               "%.2f s\n", count, size / KIB, as_mib(start_rss), as_mib(peak), as_mib(at_once),
               as_mib(rss), seconds_since(start));
        fflush(stdout);
        failures += rss > start_rss + 8 * MIB;
    }
}

int main(void) {
    test_begin(100);
    memset(clusters, 1, sizeof clusters);
    memset(clusters, 0, sizeof clusters);
    free(launder(malloc(10)));
    struct dice dice = dice_make(1);
    size_t baseline = memory_rss();
    falls_by_itself(&dice, baseline);
    falls_by_trim(&dice, baseline);
    for (size_t i = 0; i < cluster_count; i++) cluster_free(i);
    malloc_trim(0);
    buffers_go_back(&dice);
    if (is_any_allowed() && !is_loam()) return 0; // nobody else gives back by itself
    CHECK(failures == 0, "%u of the figures above are over their goals", failures);
    return 0;
}
