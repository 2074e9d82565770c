/* Sizes: 16-byte steps to 1 KiB, 16 steps per doubling to 32 KiB. A class is the index of a list; its blocks all have
 * `size_granules(class)` granules of 16 bytes. Class 0 is for no block: malloc(0) gets class 1. */
#ifndef LOAM_ARENA_SIZE_H
#define LOAM_ARENA_SIZE_H

#include "base/bits.h"

enum {
    GRANULE_SHIFT = 4,
    GRANULE = 1 << GRANULE_SHIFT,
    SIZE_FINE = 64,                 /* classes 1 to 64: as many granules */
    SIZE_FINE_MAX = SIZE_FINE * GRANULE,
    SIZE_STEPS = 16,                /* per doubling above */
    SIZE_STEPS_LOG = 4,
    SIZE_FINE_LOG = 6,
    SIZE_CLASS_MAX = SIZE_FINE + 5 * SIZE_STEPS, /* 144: 32 KiB */
    SIZE_CLASSES = SIZE_CLASS_MAX + 1,
    SIZE_MAX_GRANULES = 2048,
};
#define SIZE_MAX_BYTES ((size_t)SIZE_MAX_GRANULES * GRANULE)

INLINE uint32_t size_to_granules(size_t bytes) { return (uint32_t)((bytes + GRANULE - 1) >> GRANULE_SHIFT); }

/* The class that holds g granules, 1 <= g <= SIZE_MAX_GRANULES. */
INLINE uint32_t size_class_of(uint32_t g)
{
    if (g <= SIZE_FINE)
        return g;
    uint32_t log = bits_log2(g - 1);
    uint32_t shift = log - SIZE_STEPS_LOG;
    return SIZE_FINE + (log - SIZE_FINE_LOG) * SIZE_STEPS + ((g - 1) >> shift) - SIZE_STEPS + 1;
}

/* The class for `bytes`, at most SIZE_MAX_BYTES. */
INLINE uint32_t size_class(size_t bytes)
{
    uint32_t g = size_to_granules(bytes);
    return size_class_of(g + (g == 0));
}

INLINE uint32_t size_granules(uint32_t class)
{
    if (class <= SIZE_FINE)
        return class;
    uint32_t step = class - SIZE_FINE - 1;
    return (SIZE_STEPS + step % SIZE_STEPS + 1) << (SIZE_FINE_LOG - SIZE_STEPS_LOG + step / SIZE_STEPS);
}

INLINE size_t size_bytes(uint32_t class) { return (size_t)size_granules(class) << GRANULE_SHIFT; }

#endif
