// migrate: four threads that move from processor to processor all the time, each with blocks that live across the moves.
// Modelled on a loaded machine, where the scheduler moves threads: what a thread took on one processor it gives back on
// another, and an allocator with lists for each processor finds the thread at other lists than a moment ago. Every 800
// replacements a thread moves itself, by sched_setaffinity, to another of the processors that the process may use; its 4,000
// live blocks (16 to 512 bytes, each doubling equally likely) go with it. The moves alone are a third of the time.
// Metric `moves`: after how many of them the thread ran where it wanted to be; with one usable processor there are none.
#include "pinned.h"

#include <stdatomic.h>

enum { threads = 4, stint_steps = 800, live = 4000, sizes_drawn = 4096, processors_most = 64 };

struct mover {
    pthread_t thread;
    uint64_t sum;
    void *block[live];
    uint16_t size[live];
};

static struct mover movers[threads];
static uint16_t size_drawn[sizes_drawn]; // read by all threads, each from another place on
static size_t stints; // of each thread
static int processor[processors_most]; // those that the process may use, seen before any thread was bound
static size_t processors;
static atomic_size_t moves;

static void block_replace(struct mover *m, size_t at, uint16_t size)
{
    if (m->block[at] != NULL) {
        m->sum = checksum_mix(m->sum, block_read(m->block[at], m->size[at]));
        block_give(m->block[at]);
    }
    m->size[at] = size;
    m->block[at] = block_take(size, (unsigned)at);
}

// To any other processor than the `at`-th; returns which.
static size_t processor_leave(struct random *r, size_t at)
{
    size_t next = (at + 1 + random_below(r, processors - 1)) % processors;
    processor_pin(processor[next]);
    if (sched_getcpu() == processor[next])
        atomic_fetch_add_explicit(&moves, 1, memory_order_relaxed); // read after the threads are joined
    return next;
}

static void *mover_run(void *argument)
{
    struct mover *m = argument;
    size_t id = (size_t)(m - movers);
    struct random places = random_from(90 + id), ways = random_from(190 + id);
    size_t drawn = id * (sizes_drawn / threads);
    size_t at = id % processors;
    for (size_t s = 0; s < stints; s++) {
        if (processors > 1)
            at = processor_leave(&ways, at);
        for (size_t i = 0; i < stint_steps; i++)
            block_replace(m, random_below(&places, live), size_drawn[drawn++ % sizes_drawn]);
    }
    return NULL;
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    stints = workload_times(4000, 10);
    struct random r = random_from(9);
    for (size_t i = 0; i < sizes_drawn; i++)
        size_drawn[i] = (uint16_t)random_size(&r, 16, 512);
    while (processors < processors_most && (processor[processors] = processor_at((int)processors)) >= 0)
        processors++;
    if (processors == 0)
        workload_fail("the usable processors cannot be read");
    for (size_t i = 0; i < threads; i++)
        if (pthread_create(&movers[i].thread, NULL, mover_run, &movers[i]) != 0)
            workload_fail("thread %zu cannot be made", i);
    uint64_t sum = 0;
    for (size_t i = 0; i < threads; i++) {
        pthread_join(movers[i].thread, NULL);
        sum = checksum_mix(sum, movers[i].sum);
        for (size_t j = 0; j < live; j++)
            block_give(movers[i].block[j]);
    }
    metric_print("moves", (double)atomic_load_explicit(&moves, memory_order_relaxed));
    return workload_end(sum);
}
