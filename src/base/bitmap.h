/* Ranges of bits in an array of words: set, clear, count, find. The caller holds whatever guards the array. */
#ifndef LOAM_BASE_BITMAP_H
#define LOAM_BASE_BITMAP_H

#include "base/bits.h"

/* The mask of the bits of word w that lie in [from, to). */
INLINE uint64_t bitmap_part(uint32_t w, uint32_t from, uint32_t to)
{
    uint32_t low = w * BITS_WORD;
    uint32_t first = from > low ? from - low : 0;
    uint32_t last = to < low + BITS_WORD ? to - low : BITS_WORD;
    return first < last ? bits_mask(first, last - first) : 0; /* an empty range ends here too */
}

INLINE void bitmap_set(uint64_t *words, uint32_t from, uint32_t to)
{
    for (uint32_t w = from / BITS_WORD; w * BITS_WORD < to; w++)
        words[w] |= bitmap_part(w, from, to);
}

/* Returns how many of them were set. */
INLINE uint32_t bitmap_clear(uint64_t *words, uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    for (uint32_t w = from / BITS_WORD; w * BITS_WORD < to; w++) {
        uint64_t part = bitmap_part(w, from, to);
        count += bits_count(words[w] & part);
        words[w] &= ~part;
    }
    return count;
}

INLINE uint32_t bitmap_count(const uint64_t *words, uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    for (uint32_t w = from / BITS_WORD; w * BITS_WORD < to; w++)
        count += bits_count(words[w] & bitmap_part(w, from, to));
    return count;
}

/* The first bit at or after `from` that is `value`, `to` if there is none before it. */
INLINE uint32_t bitmap_find(const uint64_t *words, uint32_t from, uint32_t to, bool value)
{
    for (uint32_t w = from / BITS_WORD; w * BITS_WORD < to; w++) {
        uint64_t x = (value ? words[w] : ~words[w]) & bitmap_part(w, from, to);
        if (x != 0)
            return w * BITS_WORD + bits_ctz(x);
    }
    return to;
}

#endif
