/* realloc: stays where it is if it can. In its class; by extending into the free granules behind it, or giving its end back;
 * by moving pages of a direct mapping; else by copying.
 *
 * Who grows by little will grow again: a block that grows by less than an eighth gets an eighth, if that is to be had for
 * nothing or it is copied anyway. So appending in small steps costs a slow call for each eighth, and copies O(log n) times. */
#include "api/inside.h"
#include "arena/arena.h"
#include "cache/cache.h"
#include "guard/report.h"
#include "span/span.h"
#include <string.h>

INLINE size_t size_roomy(size_t have, size_t size) { return size > have && size - have < have / 8 ? have + have / 8 : size; }

static NOINLINE void *realloc_copy(void *p, size_t have, size_t size)
{
    size_t roomy = size_roomy(have, size);
    void *fresh = block_alloc(roomy, NULL);
    if (unlikely(!fresh) && roomy != size)
        fresh = block_alloc(size, NULL); /* what was asked for may still be there */
    if (unlikely(!fresh))
        return malloc_failed();
    memcpy(fresh, p, have < size ? have : size);
    API(free)(p);
    return fresh;
}

/* NULL: it is not in the chunk that it can stay. One that grows, or becomes a small one, is rather copied, if there is a free
 * block in the list: a pop, a push and a copy of at most 32 KiB, while to resize it in the chunk takes the arena's lock and its bits,
 * and mostly fails: what lies behind a block is seldom free. */
static void *chunk_realloc(struct chunk *chunk, void *p, uint32_t class, size_t size)
{
    if (size > SIZE_MAX_BYTES)
        return NULL;
    uint32_t from = size_granules(class), to = size_granules(size_class(size));
    bool stays = to == from || (to < from && !worth_shrinking(from, to));
    size_t have = size_bytes(class), roomy = size_roomy(have, size);
    uint32_t roomy_class = roomy > SIZE_MAX_BYTES ? size_class(size) : size_class(roomy);
    if (!stays && (to > from || to <= SIZE_FINE)) {
        void *fresh = cache_pop(table_place(roomy_class));
        if (fresh) {
            memcpy(fresh, p, have < size ? have : size);
            block_push(chunk, p, class, "realloc");
            return fresh;
        }
    }
    if (unlikely(cache_has_at_head(p, class)))
        guard_freed_twice("realloc", p);
    return stays || arena_resize(chunk, p, from, to, size_granules(roomy_class)) ? p : NULL;
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
        moved = span_resize(owner, p, size, size_roomy(block.size, size));
        if (moved)
            return moved;
    }
    return realloc_copy(p, block.size, size);
}

static NOINLINE void *realloc_slow(void *p, size_t size)
{
    struct chunk *chunk;
    uint32_t class;
    if (!chunk_block_live(p, &chunk, &class))
        return realloc_other(p, size);
    if (size == 0) {
        API(free)(p);
        return NULL;
    }
    if (size > PTRDIFF_MAX)
        return malloc_failed();
    void *same = chunk_realloc(chunk, p, class, size);
    return same ? same : realloc_copy(p, size_bytes(class), size);
}

void *API(realloc)(void *p, size_t size)
{
    if (unlikely(!p))
        return API(malloc)(size); /* there are programs that allocate in no other way */
    if (likely(size - 1 < SIZE_FINE_MAX) && likely(block_granules_soon(p) - size_to_granules(size) < SHRINK_LEAST))
        return p; /* large enough, and little too large */
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
