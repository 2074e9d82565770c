/* What the files of api share: the way to a block that may fail, and the ways around the fast path. */
#ifndef LOAM_API_INSIDE_H
#define LOAM_API_INSIDE_H

#include "api/names.h"
#include "arena/chunk.h"
#include "cache/cache.h"
#include "guard/report.h"

/* A block of `size` bytes without touching errno; NULL: out of memory or absurd. *zero (may be NULL): it reads zero. */
void *block_alloc(size_t size, bool *zero);
void *block_alloc_aligned(size_t align, size_t size);

/* The same with errno ENOMEM. */
void *malloc_slow(size_t size);
void *malloc_aligned(size_t align, size_t size);
COLD void *malloc_failed(void);

/* Any pointer that the fast path does not know what to do with. Keeps errno. */
void free_slow(void *p);

/* The chunk and class of the block that starts at p; false if p starts no block in a chunk. */
INLINE bool chunk_block_find(void *p, struct chunk **chunk, uint32_t *class)
{
    struct owner *owner = map_owner(p);
    if (unlikely(owner->kind != OWNER_CHUNK))
        return false;
    *chunk = (struct chunk *)owner;
    uintptr_t i = chunk_granule(*chunk, p);
    if (unlikely(i >= CHUNK_GRANULES))
        return false;
    uint32_t g = chunk_block_granules(*chunk, (uint32_t)i);
    *class = likely(g <= SIZE_FINE) ? g : chunk_block_class_long(*chunk, (uint32_t)i);
    return *class != 0;
}

/* The same for calls that can afford one look more: false also for a block that has gone back to its chunk. */
INLINE bool chunk_block_live(void *p, struct chunk **chunk, uint32_t *class)
{
    return chunk_block_find(p, chunk, class) &&
           likely(bounds_is_occupied_now((*chunk)->occupied, (uint32_t)chunk_granule(*chunk, p)));
}

/* How many granules the live block at p has; 0: none is there, CHUNK_BLOCK_LONG: as there. */
INLINE uint32_t block_granules_soon(const void *p)
{
    const struct chunk *chunk = (const struct chunk *)map_owner(p);
    uint32_t i = chunk_granule_of(p);
    if (unlikely(chunk->owner.kind != OWNER_CHUNK) || unlikely((uintptr_t)p % GRANULE != 0) ||
        unlikely(!bounds_is_occupied_now(chunk->occupied, i)))
        return 0;
    return chunk_block_granules(chunk, i);
}

/* The block, which the caller has found, goes to its list: free without looking for it again. `call`: for a report. */
INLINE void block_push(const struct chunk *chunk, void *p, uint32_t class, const char *call)
{
    if (likely(chunk->owner.fast_base == chunk->base)) { /* else the lists are under locks */
        enum sequence_result result = sequence_push(class, p);
        if (likely(result == SEQUENCE_DONE))
            return;
        if (unlikely(result == SEQUENCE_TWICE))
            guard_freed_twice(call, p);
    }
    cache_free_slow(p, class);
}

/* p starts no block in a chunk: the run or mapping that holds it. *ours: it is in the heap, so nobody else's. */
INLINE struct span_block large_block_of(void *p, struct owner **owner, bool *ours)
{
    struct span_block block = {0};
    *owner = map_find(p);
    if (*owner && (*owner)->kind != OWNER_CHUNK)
        block = span_find(*owner, p);
    *ours = *owner && ((*owner)->kind == OWNER_CHUNK || block.start);
    return block;
}

/* What realloc leaves as it is: less than an eighth, or less than 64 bytes, is not worth a lock to give back. */
enum { SHRINK_LEAST = 4 }; /* granules */
INLINE bool worth_shrinking(uint32_t from, uint32_t to) { return from - to > from / 8 && from - to >= SHRINK_LEAST; }

/* What an aligned request takes: a multiple of the alignment, as far as that is not more than the size or ALIGNED_STEP_MAX. So
 * aligned blocks gather in few classes, and the next request finds one in its list (cache/aligned.c). */
enum { ALIGNED_STEP_MAX = 512 };
INLINE size_t aligned_size(size_t align, size_t size)
{
    size_t step = align < ALIGNED_STEP_MAX ? align : ALIGNED_STEP_MAX;
    if (unlikely(step > size))
        step = size <= GRANULE ? GRANULE : (size_t)1 << bits_log2(size);
    return bits_up(size, step);
}

/* start.c: everything that happens once. */
void api_start(void);
bool api_started(void);

/* foreign.c: the C library's own blocks. */
bool foreign_free(void *p);
bool foreign_realloc(void *p, size_t size, void **out);
bool foreign_usable_size(void *p, size_t *size);
void foreign_start(void);

/* fork.c: the handlers, for start.c. */
void fork_prepare(void);
void fork_parent(void);
void fork_child(void);

#endif
