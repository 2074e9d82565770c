// phases: the sizes a program uses change from phase to phase, while a part of each phase's blocks stays.
// Modelled on compilers (lexing, syntax trees, code), on web pages that load and are left, on servers whose load changes
// over the day. In each phase the heap is filled to 64 MiB with the phase's sizes, then nine in ten blocks go, in clusters
// and alone. What serves the next phase's sizes from the holes of the last needs little more than 64 MiB. The metric
// rss_per_live is the RSS at the last phase's fill over the live bytes.
#include "workload.h"

enum { phases = 18 };

struct block { // at the head of each block: they form a chain in the order in which they were taken
    struct block *next;
    uint32_t size, unused;
};

static const size_t full_bytes = 64u << 20;
static struct block *first, **last = &first;
static size_t live;
static uint64_t sum;

static void block_add(size_t size, unsigned tag)
{
    struct block *b = block_take(size, tag);
    *b = (struct block){NULL, (uint32_t)size, 0};
    *last = b;
    last = &b->next;
    live += size;
}

static struct block *block_drop(struct block *b)
{
    struct block *next = b->next;
    sum = checksum_mix(sum, b->size + ((const unsigned char *)b)[b->size - 1]);
    live -= b->size;
    block_give(b);
    return next;
}

// Nine in ten go: clusters of up to 64 neighbours stay or go together, and one in eight of the blocks is asked alone.
static void phase_end(struct random *r)
{
    struct block *b = first;
    last = &first;
    while (b != NULL) {
        size_t cluster = random_between(r, 1, 64);
        int stays = random_below(r, 10) == 0;
        for (; cluster > 0 && b != NULL; cluster--) {
            int alone = random_below(r, 8) == 0;
            if (alone ? random_below(r, 10) == 0 : stays) {
                *last = b;
                last = &b->next;
                b = b->next;
            } else {
                b = block_drop(b);
            }
        }
    }
    *last = NULL;
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    struct random r = random_from(15);
    size_t full = workload_times(full_bytes, 1 << 20);
    for (size_t phase = 0; phase < phases; phase++) {
        size_t low = (size_t)24 << ((phase * 5) % 9); // 24 B to 6 KiB, jumping about
        for (unsigned i = 0; live < full; i++)
            block_add(random_between(&r, low, low * 3), i);
        if (phase + 1 == phases)
            metric_print("rss_per_live", rss_kib() * 1024.0 / (double)live);
        phase_end(&r);
    }
    while (first != NULL)
        first = block_drop(first);
    return workload_end(sum);
}
