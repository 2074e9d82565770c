// A clock fine enough for one call of malloc, and a histogram on a logarithmic scale.
//
// On x86-64 the time stamp counter (rdtsc between two fences that keep the call inside), on aarch64 the virtual counter, else
// clock_gettime. Its rate is measured against CLOCK_MONOTONIC. Reading it costs tens of cycles, which are in every figure: the
// cost is measured on an empty call and told beside them, not taken off.
#ifndef TICKS_H
#define TICKS_H

#include "workload.h"

#if defined(__x86_64__)
#define TICKS_CLOCK "rdtsc"
static inline uint64_t ticks_now(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}
#elif defined(__aarch64__)
#define TICKS_CLOCK "cntvct"
static inline uint64_t ticks_now(void)
{
    uint64_t value;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(value) : : "memory");
    return value;
}
#else
#define TICKS_CLOCK "clock_gettime"
static inline uint64_t ticks_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
#endif

// Nanoseconds of one tick, from 50 ms of both clocks.
static inline double ticks_measure(void)
{
    double begin = time_now();
    uint64_t from = ticks_now();
    while (time_now() - begin < 0.05) {
    }
    double seconds = time_now() - begin;
    return seconds * 1e9 / (double)(ticks_now() - from);
}

// Eight buckets for each doubling of the ticks; under 16 ticks each number has its own.
enum { histogram_steps = 8, histogram_buckets = 8 * 44 };

struct histogram {
    uint64_t count[histogram_buckets];
    uint64_t most; // ticks
    uint64_t sum;  // ticks
};

static inline size_t histogram_bucket(uint64_t ticks)
{
    if (ticks < 2 * histogram_steps)
        return (size_t)ticks;
    unsigned top = 63u - (unsigned)__builtin_clzll(ticks); // at least 4
    size_t bucket = (size_t)(top - 2) * histogram_steps + (size_t)((ticks >> (top - 3)) - histogram_steps);
    return bucket < histogram_buckets ? bucket : histogram_buckets - 1;
}

// The least ticks of the bucket.
static inline uint64_t histogram_from(size_t bucket)
{
    if (bucket < 2 * histogram_steps)
        return bucket;
    return (uint64_t)(histogram_steps + bucket % histogram_steps) << (bucket / histogram_steps - 1);
}

static inline void histogram_add(struct histogram *h, uint64_t ticks)
{
    h->count[histogram_bucket(ticks)]++;
    h->sum += ticks;
    if (ticks > h->most)
        h->most = ticks;
}

static inline void histogram_join(struct histogram *into, const struct histogram *from)
{
    for (size_t i = 0; i < histogram_buckets; i++)
        into->count[i] += from->count[i];
    into->sum += from->sum;
    if (from->most > into->most)
        into->most = from->most;
}

static inline uint64_t histogram_calls(const struct histogram *h)
{
    uint64_t all = 0;
    for (size_t i = 0; i < histogram_buckets; i++)
        all += h->count[i];
    return all;
}

// The ticks that a share of all calls does not exceed: the upper end of the bucket in which it lies, as an honest bound.
static inline uint64_t histogram_quantile(const struct histogram *h, double share)
{
    uint64_t all = histogram_calls(h), so_far = 0;
    for (size_t i = 0; i < histogram_buckets; i++) {
        so_far += h->count[i];
        if ((double)so_far >= share * (double)all) {
            uint64_t end = histogram_from(i + 1) - 1;
            return end < h->most ? end : h->most;
        }
    }
    return h->most;
}

#endif
