/* realloc: stays where it is if it can. In its class; by extending into the free granules behind it, or giving its end back;
 * by moving pages of a direct mapping; else by copying. */
#include "api/inside.h"
#include "arena/arena.h"
#include "cache/cache.h"
#include "guard/report.h"
#include "span/span.h"
#include <string.h>

static void *chunk_realloc(struct chunk *chunk, void *p, uint32_t class, size_t size)
{
    if (size > SIZE_MAX_BYTES)
        return NULL;
    uint32_t from = size_granules(class), to = size_granules(size_class(size));
    if (likely(to == from) || (to < from && !worth_shrinking(from, to)))
        return p;
    return arena_resize(chunk, p, from, to) ? p : NULL;
}

static NOINLINE void *realloc_copy(void *p, size_t have, size_t size)
{
    void *fresh = block_alloc(size, NULL);
    if (unlikely(!fresh))
        return malloc_failed();
    memcpy(fresh, p, have < size ? have : size);
    API(free)(p);
    return fresh;
}

/* p is no block in a chunk. */
static NOINLINE void *realloc_other(void *p, size_t size)
{
    struct owner *owner;
    bool ours;
    void *moved;
    struct span_block block = large_block_of(p, &owner, &ours);
    if (!ours && foreign_realloc(p, size, &moved))
        return moved;
    if (unlikely(!block.in_use || block.start != p))
        guard_bad_pointer("realloc", p);
    if (size == 0) {
        API(free)(p);
        return NULL;
    }
    if (size > PTRDIFF_MAX)
        return malloc_failed();
    if (size > SIZE_MAX_BYTES) {
        moved = span_resize(owner, p, size);
        if (moved)
            return moved;
    }
    return realloc_copy(p, block.size, size);
}

static NOINLINE void *realloc_slow(void *p, size_t size)
{
    struct chunk *chunk;
    uint32_t class;
    if (!p)
        return API(malloc)(size);
    if (!chunk_block_live(p, &chunk, &class))
        return realloc_other(p, size);
    if (size == 0) {
        API(free)(p);
        return NULL;
    }
    if (size > PTRDIFF_MAX)
        return malloc_failed();
    if (unlikely(cache_has_at_head(p, class)))
        guard_freed_twice("realloc", p);
    void *same = chunk_realloc(chunk, p, class, size);
    return same ? same : realloc_copy(p, size_bytes(class), size);
}

void *API(realloc)(void *p, size_t size)
{
    struct chunk *chunk;
    uint32_t class;
    if (likely(size - 1 < SIZE_FINE_MAX) && likely(chunk_block_live(p, &chunk, &class)) &&
        likely(size_to_granules(size) == class))
        return p;
    return realloc_slow(p, size);
}
API_EXPORT(realloc);

void *API(reallocarray)(void *p, size_t count, size_t size)
{
    size_t bytes;
    if (unlikely(__builtin_mul_overflow(count, size, &bytes)))
        return malloc_failed();
    return API(realloc)(p, bytes);
}
API_EXPORT(reallocarray);
