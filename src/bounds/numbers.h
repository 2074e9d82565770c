/* numbers: many small lengths, the first one that is at least g, and the largest of all.
 *
 * A tree of fan-out 64 over an array: level 0 is the numbers themselves, each level above the maxima of groups of 64, the top
 * one group. Each level is padded with zeros to whole groups, so a group is always compared as a whole: 64 numbers of 16 bits
 * are eight SSE2 registers. Narrow numbers serve rows of up to 32,767 granules (chunks, areas), wide ones longer rows.
 *
 * Cost: find is one group compare a level; set is one store, plus a group maximum a level when a maximum goes down.
 * Easy to get wrong: a vector load right after a narrow store waits for the store to retire; `numbers_longest` is therefore
 * asked for only when the number that told of the longest has changed. */
#ifndef LOAM_BOUNDS_NUMBERS_H
#define LOAM_BOUNDS_NUMBERS_H

#include "base/bits.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { NUMBERS_GROUP = 64, NUMBERS_LEVELS = 4, NUMBERS_NARROW_MAX = 32767 };
#define NUMBERS_NONE UINT32_MAX

struct numbers {
    void *level[NUMBERS_LEVELS]; /* uint16_t or uint32_t each */
    uint32_t levels;
    uint32_t count; /* of level 0, whole groups */
    bool wide;
};

INLINE uint32_t numbers_at(const struct numbers *n, uint32_t level, uint32_t i)
{
    return n->wide ? ((const uint32_t *)n->level[level])[i] : ((const uint16_t *)n->level[level])[i];
}

INLINE void numbers_put(const struct numbers *n, uint32_t level, uint32_t i, uint32_t value)
{
    if (n->wide)
        ((uint32_t *)n->level[level])[i] = value;
    else
        ((uint16_t *)n->level[level])[i] = (uint16_t)value;
}

/* ---- one group of 64 ---- */

#if defined(__SSE2__)
/* One bit for each of 64 narrow numbers: it is at least g. Signed compares serve: numbers end at 32,767. */
INLINE uint64_t numbers_group_mask16(const uint16_t *group, uint32_t g)
{
    const __m128i below = _mm_set1_epi16((short)(g - 1));
    uint64_t mask = 0;
    for (uint32_t i = 0; i < NUMBERS_GROUP; i += 16) {
        __m128i low = _mm_cmpgt_epi16(_mm_loadu_si128((const __m128i *)(const void *)(group + i)), below);
        __m128i high = _mm_cmpgt_epi16(_mm_loadu_si128((const __m128i *)(const void *)(group + i + 8)), below);
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) << i;
    }
    return mask;
}

INLINE uint32_t numbers_group_max16(const uint16_t *group)
{
    __m128i max = _mm_loadu_si128((const __m128i *)(const void *)group);
    for (uint32_t i = 8; i < NUMBERS_GROUP; i += 8)
        max = _mm_max_epi16(max, _mm_loadu_si128((const __m128i *)(const void *)(group + i)));
    max = _mm_max_epi16(max, _mm_srli_si128(max, 8));
    max = _mm_max_epi16(max, _mm_srli_si128(max, 4));
    max = _mm_max_epi16(max, _mm_srli_si128(max, 2));
    return (uint32_t)_mm_extract_epi16(max, 0);
}

/* The same for wide numbers, which end at 2^30. SSE2 has no maximum of 32 bits: a compare and a choice. */
INLINE uint64_t numbers_group_mask32(const uint32_t *group, uint32_t g)
{
    const __m128i below = _mm_set1_epi32((int)(g - 1));
    uint64_t mask = 0;
    for (uint32_t i = 0; i < NUMBERS_GROUP; i += 16) {
        __m128i at[4];
        for (uint32_t k = 0; k < 4; k++)
            at[k] = _mm_cmpgt_epi32(_mm_loadu_si128((const __m128i *)(const void *)(group + i + 4 * k)), below);
        __m128i both = _mm_packs_epi16(_mm_packs_epi32(at[0], at[1]), _mm_packs_epi32(at[2], at[3]));
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(both) << i;
    }
    return mask;
}

INLINE __m128i numbers_max32(__m128i a, __m128i b)
{
    __m128i more = _mm_cmpgt_epi32(a, b);
    return _mm_or_si128(_mm_and_si128(more, a), _mm_andnot_si128(more, b));
}

INLINE uint32_t numbers_group_max32(const uint32_t *group)
{
    __m128i max = _mm_loadu_si128((const __m128i *)(const void *)group);
    for (uint32_t i = 4; i < NUMBERS_GROUP; i += 4)
        max = numbers_max32(max, _mm_loadu_si128((const __m128i *)(const void *)(group + i)));
    max = numbers_max32(max, _mm_srli_si128(max, 8));
    max = numbers_max32(max, _mm_srli_si128(max, 4));
    return (uint32_t)_mm_cvtsi128_si32(max);
}
#else
INLINE uint64_t numbers_group_mask16(const uint16_t *group, uint32_t g)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < NUMBERS_GROUP; i++)
        mask |= (uint64_t)(group[i] >= g) << i;
    return mask;
}

INLINE uint32_t numbers_group_max16(const uint16_t *group)
{
    uint32_t max = 0;
    for (uint32_t i = 0; i < NUMBERS_GROUP; i++)
        max = group[i] > max ? group[i] : max;
    return max;
}

INLINE uint64_t numbers_group_mask32(const uint32_t *group, uint32_t g)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < NUMBERS_GROUP; i++)
        mask |= (uint64_t)(group[i] >= g) << i;
    return mask;
}

INLINE uint32_t numbers_group_max32(const uint32_t *group)
{
    uint32_t max = 0;
    for (uint32_t i = 0; i < NUMBERS_GROUP; i++)
        max = group[i] > max ? group[i] : max;
    return max;
}
#endif

INLINE uint64_t numbers_group_mask(const struct numbers *n, uint32_t level, uint32_t group, uint32_t g)
{
    if (!n->wide)
        return numbers_group_mask16((const uint16_t *)n->level[level] + group * NUMBERS_GROUP, g);
    return numbers_group_mask32((const uint32_t *)n->level[level] + group * NUMBERS_GROUP, g);
}

INLINE uint32_t numbers_group_max(const struct numbers *n, uint32_t level, uint32_t group)
{
    if (!n->wide)
        return numbers_group_max16((const uint16_t *)n->level[level] + group * NUMBERS_GROUP);
    return numbers_group_max32((const uint32_t *)n->level[level] + group * NUMBERS_GROUP);
}

/* ---- the tree ---- */

INLINE uint32_t numbers_get(const struct numbers *n, uint32_t i) { return numbers_at(n, 0, i); }

INLINE void numbers_set(const struct numbers *n, uint32_t i, uint32_t value)
{
    for (uint32_t level = 0;; level++) {
        uint32_t was = numbers_at(n, level, i);
        numbers_put(n, level, i, value);
        if (level + 1 == n->levels)
            return;
        i /= NUMBERS_GROUP;
        uint32_t above = numbers_at(n, level + 1, i);
        if (value < above) {
            if (was < above)
                return; /* another one holds the maximum */
            value = numbers_group_max(n, level, i);
        }
        if (value == above)
            return;
    }
}

INLINE uint32_t numbers_longest(const struct numbers *n) { return numbers_group_max(n, n->levels - 1, 0); }

/* The first number at or after `from` that is at least g (> 0), NUMBERS_NONE if there is none. */
INLINE uint32_t numbers_find(const struct numbers *n, uint32_t from, uint32_t g)
{
    uint32_t level = 0;
    uint32_t i = from;
    uint32_t count = n->count;
    if (g > (n->wide ? (uint32_t)INT32_MAX : NUMBERS_NARROW_MAX))
        return NUMBERS_NONE; /* as a signed number it would be below all others */
    for (;;) { /* up, until a group holds one at or after i */
        uint64_t mask = 0;
        uint32_t group = i / NUMBERS_GROUP;
        if (i < count)
            mask = numbers_group_mask(n, level, group, g) & (~UINT64_C(0) << (i % NUMBERS_GROUP));
        if (mask != 0) {
            i = group * NUMBERS_GROUP + bits_ctz(mask);
            break;
        }
        if (++level >= n->levels)
            return NUMBERS_NONE;
        i = group + 1;
        count = (count / NUMBERS_GROUP + NUMBERS_GROUP - 1) / NUMBERS_GROUP * NUMBERS_GROUP;
    }
    for (; level > 0; level--) /* down, to the first in it */
        i = i * NUMBERS_GROUP + bits_ctz(numbers_group_mask(n, level - 1, i, g));
    return i;
}

/* The last number before `before` (< count) that is at least g (> 0), NUMBERS_NONE if there is none. */
INLINE uint32_t numbers_find_back(const struct numbers *n, uint32_t before, uint32_t g)
{
    uint32_t level = 0;
    uint32_t i = before;
    for (;;) { /* up, until a group holds one before i */
        uint64_t mask = i % NUMBERS_GROUP == 0 ? 0
                                               : numbers_group_mask(n, level, i / NUMBERS_GROUP, g) &
                                                     bits_mask(0, i % NUMBERS_GROUP);
        i /= NUMBERS_GROUP;
        if (mask != 0) {
            i = i * NUMBERS_GROUP + bits_log2(mask);
            break;
        }
        if (++level >= n->levels)
            return NUMBERS_NONE;
    }
    for (; level > 0; level--) /* down, to the last in it */
        i = i * NUMBERS_GROUP + bits_log2(numbers_group_mask(n, level - 1, i, g));
    return i;
}

#endif
