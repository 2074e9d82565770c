/* What the files of this layer share about chunks and arenas. All under the arena's lock, but for arena_lock_one, which takes it. */
#ifndef LOAM_ARENA_INSIDE_H
#define LOAM_ARENA_INSIDE_H

#include "arena/arena.h"
#include "arena/bins.h"
#include "os/pages.h"

/* A chunk without a block, in the arena's bins; NULL: out of memory. */
struct chunk *chunk_new(struct arena *arena);

/* The preferred arena, or the first one nobody holds. It is locked. */
struct arena *arena_lock_one(uint32_t *preferred);

/* The peaks of what all arenas have handed up. Reads others' numbers without their locks. */
void arena_count_peak(void);

/* The chunk's longest hole may be another now: to its bin. */
void chunk_settle(struct arena *arena, struct chunk *chunk);

/* The pages that granules [from, to) touch hold data from now on. */
INLINE void chunk_touch(struct chunk *chunk, uint32_t from, uint32_t to)
{
    if (likely(chunk->clean == 0))
        return;
    uint32_t shift = os_page_shift - GRANULE_SHIFT;
    uint32_t first = from >> shift, last = (to - 1) >> shift;
    chunk->clean &= ~(uint32_t)bits_mask(first, last - first + 1);
}

#endif
