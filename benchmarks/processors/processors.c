// processors: what Loam's lists and books cost on 1, 2, 64 and 512 processors, on a machine that has two.
//
//   processors SCALE P sequences|locked
//
// Linked with the library's own objects (libloam_core.a), unchanged. Two things stand in for a large machine, the same two as
// in the unit tests: `sequence.index` leads to a number of ours instead of the kernel's (the kernel's own area still restarts
// a sequence that is preempted), and the linker puts our os_cpus_usable and os_cpu_current in the place of the library's.
// One thread plays all processors in turn, 200 calls each, as if it were moved on every time; so nothing is shown of what
// processors do to each other at the same moment, and every turn begins with a table that has left the near caches: what
// is seen is how time and memory follow the number of processors, with the same work and the same live blocks in all.
//
// Every processor has blocks of its own; one in eight is given back by another processor than took it.
// metrics: pair_ns (malloc and free), touch_ns (the same walk over the same blocks without the two calls), rss_kib and
// metadata_kib beyond the start, cached_kib (in lists), live_kib, tables, arenas, trim_ns (all lists taken over and everything
// given back), stats_ns (exact numbers of all lists).
#define _GNU_SOURCE
#include "../workloads/workload.h"

#include "api/names.h"
#include "arena/arena.h"
#include "cache/cache.h"
#include "cache/sequence.h"
#include "loam/loam.h"
#include "os/cpu.h"

#include <pthread.h>

enum { slice = 200, live_blocks = 1 << 17, size_most = 512 };

// ---- the stand-ins ----

static uint32_t processors = 1;
static __thread uint32_t here __attribute__((tls_model("initial-exec"))); // the processor that is being played

uint32_t __wrap_os_cpus_usable(void);
uint32_t __wrap_os_cpu_current(void);

uint32_t __wrap_os_cpus_usable(void)
{
    return processors;
}

uint32_t __wrap_os_cpu_current(void)
{
    return here;
}

// ---- the work ----

static unsigned char *block[live_blocks];
static uint16_t size_of[live_blocks];
static uint64_t sum;

static void block_replace(struct random *r, size_t at)
{
    sum += block_read(block[at], size_of[at]);
    API(free)(block[at]);
    size_of[at] = (uint16_t)random_size(r, 16, size_most);
    block[at] = API(malloc)(size_of[at]);
    if (block[at] == NULL)
        workload_fail("malloc gave nothing");
    block[at][0] = (unsigned char)at;
    block[at][size_of[at] - 1] = (unsigned char)(at >> 8);
}

static void block_touch(struct random *r, size_t at)
{
    sum += block_read(block[at], size_of[at]);
    (void)random_size(r, 16, size_most);
    block[at][0] = (unsigned char)at;
    block[at][size_of[at] - 1] = (unsigned char)(at >> 8);
}

// Every processor in turn works on its share of the blocks; one call in eight meets the share of the next one.
static double turns_play(size_t slices, void (*call)(struct random *, size_t))
{
    size_t share = live_blocks / processors;
    struct random r = random_from(slices);
    double begin = time_now();
    for (size_t s = 0; s < slices; s++) {
        here = (uint32_t)(s % processors);
        for (size_t i = 0; i < slice; i++) {
            size_t whose = i % 8 == 7 ? (here + 1) % processors : here;
            call(&r, whose * share + random_below(&r, share));
        }
    }
    return (time_now() - begin) * 1e9 / (double)(slices * slice);
}

static void blocks_fill(void)
{
    struct random r = random_from(1);
    for (size_t i = 0; i < live_blocks; i++) {
        here = (uint32_t)(i / (live_blocks / processors));
        size_of[i] = (uint16_t)random_size(&r, 16, size_most);
        block[i] = API(malloc)(size_of[i]);
        if (block[i] == NULL)
            workload_fail("malloc gave nothing");
        memset(block[i], 0, size_of[i]);
        block[i][0] = (unsigned char)i;
        block[i][size_of[i] - 1] = (unsigned char)(i >> 8);
    }
}

static void mode_choose(const char *mode)
{
    if (strcmp(mode, "sequences") != 0 && strcmp(mode, "locked") != 0)
        workload_fail("sequences or locked, not %s", mode);
    setenv("LOAM", strcmp(mode, "locked") == 0 ? "rseq:off" : "rseq:auto", 1);
    API(free)(API(malloc)(1));
    if (strcmp(mode, "locked") == 0 ? cache_mode() != CACHE_LOCKED : cache_mode() != CACHE_SEQUENCES)
        workload_fail("no %s here: %s", mode, cache_why_locked() != NULL ? cache_why_locked() : "?");
    if (cache_mode() == CACHE_SEQUENCES)
        __atomic_store_n(&sequence.index, (intptr_t)((uintptr_t)&here - thread_pointer()), __ATOMIC_RELEASE);
}

static void books_print(double rss_before)
{
    static struct loam_stats stats;
    double begin = time_now();
    loam_stats_get(&stats);
    metric_print("stats_ns", (time_now() - begin) * 1e9);
    metric_print("live_kib", (double)stats.live_bytes / 1024);
    metric_print("cached_kib", (double)stats.cached_bytes / 1024);
    metric_print("metadata_kib", (double)stats.metadata_bytes / 1024);
    metric_print("rss_kib", rss_kib() - rss_before);
    metric_print("tables", stats.tables);
    metric_print("arenas", arena_count);
    if (stats.tables != processors)
        workload_fail("%u tables for %u processors: the stand-in does not stand in", stats.tables, processors);
}

static void *thread_idle(void *gate)
{
    pthread_barrier_wait(gate);
    return NULL;
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    size_t asked = workload_argument(count, arguments, 1, 0);
    if (count != 4 || asked == 0 || asked > live_blocks / 64)
        workload_fail("processors SCALE P sequences|locked, P at most %d", live_blocks / 64);
    processors = (uint32_t)asked;
    // A second thread, asleep: with one alone the library takes a short cut that many processors would not see.
    pthread_barrier_t gate;
    pthread_t second;
    pthread_barrier_init(&gate, NULL, 2);
    if (pthread_create(&second, NULL, thread_idle, &gate) != 0)
        workload_fail("no second thread");
    memset(block, 0, sizeof block);
    memset(size_of, 1, sizeof size_of);
    double before = rss_kib();
    mode_choose(arguments[3]);
    blocks_fill();
    size_t slices = workload_times(20000, processors);
    (void)turns_play(slices / 4 > 2 * processors ? slices / 4 : 2 * processors, block_replace); // lists find their lengths
    metric_print("touch_ns", turns_play(slices, block_touch));
    metric_print("pair_ns", turns_play(slices, block_replace));
    books_print(before);
    double begin = time_now();
    loam_trim();
    metric_print("trim_ns", (time_now() - begin) * 1e9);
    const char *wrong = loam_check();
    if (wrong != NULL)
        workload_fail("the heap's own check says: %s", wrong);
    for (size_t i = 0; i < live_blocks; i++)
        if (block[i][0] != (unsigned char)i || block[i][size_of[i] - 1] != (unsigned char)(i >> 8))
            workload_fail("block %zu does not hold what was written", i);
    pthread_barrier_wait(&gate);
    pthread_join(second, NULL);
    return workload_end(live_blocks);
}
