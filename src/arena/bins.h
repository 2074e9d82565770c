/* The bins of an arena: chunks by their longest hole, as circular lists with a bit each. Under the arena's lock. */
#ifndef LOAM_ARENA_BINS_H
#define LOAM_ARENA_BINS_H

#include "arena/arena.h"

/* The bin of chunks whose longest hole is `longest` granules. Bins above 64 hold a range; its least is what a class needs. */
INLINE uint32_t bin_of(uint32_t longest)
{
    if (longest <= SIZE_FINE)
        return longest;
    uint32_t log = bits_log2(longest);
    return SIZE_FINE + (log - SIZE_FINE_LOG) * SIZE_STEPS + (longest >> (log - SIZE_STEPS_LOG)) - SIZE_STEPS;
}

/* The first bin whose chunks all have a hole of g granules. */
INLINE uint32_t bin_for(uint32_t g)
{
    uint32_t bin = bin_of(g);
    if (g <= SIZE_FINE)
        return bin;
    uint32_t shift = bits_log2(g) - SIZE_STEPS_LOG;
    return bin + ((g & ((1u << shift) - 1)) != 0);
}

INLINE void bin_insert(struct arena *arena, struct chunk *chunk, uint32_t bin, bool last)
{
    chunk->bin = (uint16_t)bin;
    struct chunk *head = arena->bins[bin];
    if (!head) {
        chunk->next = chunk->previous = chunk;
        arena->bins[bin] = chunk;
        arena->bins_used[bin / 64] |= UINT64_C(1) << (bin % 64);
        return;
    }
    chunk->next = head;
    chunk->previous = head->previous;
    head->previous->next = chunk;
    head->previous = chunk;
    if (!last)
        arena->bins[bin] = chunk;
}

INLINE void bin_remove(struct arena *arena, struct chunk *chunk)
{
    uint32_t bin = chunk->bin;
    if (chunk->next == chunk) {
        arena->bins[bin] = NULL;
        arena->bins_used[bin / 64] &= ~(UINT64_C(1) << (bin % 64));
        return;
    }
    chunk->next->previous = chunk->previous;
    chunk->previous->next = chunk->next;
    if (arena->bins[bin] == chunk)
        arena->bins[bin] = chunk->next;
}

/* The first chunk in the lowest bin from `bin` on, NULL if there is none. */
INLINE struct chunk *bin_find(const struct arena *arena, uint32_t bin)
{
    uint32_t w = bin / 64;
    uint64_t used = w < ARENA_BIN_WORDS ? arena->bins_used[w] & (~UINT64_C(0) << (bin % 64)) : 0;
    while (used == 0) {
        if (++w >= ARENA_BIN_WORDS)
            return NULL;
        used = arena->bins_used[w];
    }
    return arena->bins[w * 64 + bits_ctz(used)];
}

#endif
