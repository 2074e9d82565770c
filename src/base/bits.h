/* Arithmetic on words and bits: alignment, counting, masks, unaligned loads. Pure functions, no state. */
#ifndef LOAM_BASE_BITS_H
#define LOAM_BASE_BITS_H

#include "base/compiler.h"
#include <string.h>

#define BITS_WORD 64u

INLINE uint32_t bits_ctz(uint64_t x) { return (uint32_t)__builtin_ctzll(x); }
INLINE uint32_t bits_clz(uint64_t x) { return (uint32_t)__builtin_clzll(x); }

/* By halves: the builtin is a call into the compiler's library where the processor's instruction may not be taken for granted. */
INLINE uint32_t bits_count(uint64_t x)
{
    x -= (x >> 1) & 0x5555555555555555;
    x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (uint32_t)((x * 0x0101010101010101) >> 56);
}


/* Index of the highest bit set; x must not be 0. */
INLINE uint32_t bits_log2(uint64_t x) { return 63u - bits_clz(x); }

INLINE bool bits_is_power2(size_t x) { return x != 0 && (x & (x - 1)) == 0; }

/* Rounds to a multiple of a power of two. `up` wraps when x is within `to` of the top: callers bound x first. */
INLINE size_t bits_up(size_t x, size_t to) { return (x + to - 1) & ~(to - 1); }
INLINE size_t bits_down(size_t x, size_t to) { return x & ~(to - 1); }

/* `count` ones from bit `from` of one word; from + count <= 64, count >= 1. */
INLINE uint64_t bits_mask(uint32_t from, uint32_t count)
{
    return (~UINT64_C(0) >> (BITS_WORD - count)) << from;
}

INLINE uint64_t bits_load64(const void *at)
{
    uint64_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

INLINE bool bits_test(const uint64_t *words, uint32_t i) { return (words[i / BITS_WORD] >> (i % BITS_WORD)) & 1; }

#endif
