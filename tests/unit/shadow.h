/* A shadow: which bytes are handed out, by a test's own account. Says at once when a block overlaps another.
 *
 * A hash of 64-byte cells would be large for large blocks, so it is a sorted array of intervals: enough for some thousands of
 * blocks. Not thread safe: callers lock, or keep one for each thread. */
#ifndef LOAM_TESTS_SHADOW_H
#define LOAM_TESTS_SHADOW_H

#include "unit.h"

enum { SHADOW_MAX = 1 << 15 };

struct shadow_block {
    char *start;
    size_t size; /* usable bytes: nobody else's */
    size_t asked; /* bytes that hold contents */
    uint64_t key; /* of the contents */
};

struct shadow {
    uint32_t count;
    struct shadow_block blocks[SHADOW_MAX];
};

/* The index of the first block that starts after p. */
static inline uint32_t shadow_after(const struct shadow *shadow, const char *p)
{
    uint32_t low = 0, high = shadow->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (shadow->blocks[middle].start <= p)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static inline void shadow_add(struct shadow *shadow, struct shadow_block block)
{
    uint32_t at = shadow_after(shadow, block.start);
    const struct shadow_block *left = at > 0 ? &shadow->blocks[at - 1] : NULL;
    const struct shadow_block *right = at < shadow->count ? &shadow->blocks[at] : NULL;
    if (left && left->start + left->size > block.start)
        FAIL("block %p of %zu bytes overlaps %p of %zu", (void *)block.start, block.size, (void *)left->start,
             left->size);
    if (right && block.start + block.size > right->start)
        FAIL("block %p of %zu bytes overlaps %p of %zu", (void *)block.start, block.size, (void *)right->start,
             right->size);
    EXPECT(shadow->count < SHADOW_MAX);
    memmove(shadow->blocks + at + 1, shadow->blocks + at, (shadow->count - at) * sizeof *shadow->blocks);
    shadow->blocks[at] = block;
    shadow->count++;
}

/* Takes block number `at` out. */
static inline struct shadow_block shadow_remove(struct shadow *shadow, uint32_t at)
{
    struct shadow_block block = shadow->blocks[at];
    shadow->count--;
    memmove(shadow->blocks + at, shadow->blocks + at + 1, (shadow->count - at) * sizeof *shadow->blocks);
    return block;
}

static inline void shadow_verify(const struct shadow_block *block, size_t upto)
{
    size_t wrong = contents_wrong(block->start, block->asked, upto, block->key);
    if (wrong != SIZE_MAX)
        FAIL("block %p of %zu bytes: byte %zu is not what was written there", (void *)block->start, block->asked,
             wrong);
}

#endif
