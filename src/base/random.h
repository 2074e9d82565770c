/* A small deterministic generator (xorshift64*): for tests, probes and spreading, never for secrets. */
#ifndef LOAM_BASE_RANDOM_H
#define LOAM_BASE_RANDOM_H

#include "base/compiler.h"

struct random {
    uint64_t state; /* never 0 */
};

INLINE void random_seed(struct random *random, uint64_t seed) { random->state = seed * 0x9e3779b97f4a7c15u | 1; }

INLINE uint64_t random_next(struct random *random)
{
    uint64_t x = random->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random->state = x;
    return x * 0x2545f4914f6cdd1du;
}

/* Evenly in [0, bound); bound > 0. */
INLINE uint32_t random_below(struct random *random, uint32_t bound)
{
    return (uint32_t)(((random_next(random) >> 32) * bound) >> 32);
}

#endif
