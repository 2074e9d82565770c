/* The slow ways of malloc and free: sizes over 32 KiB, alignment, empty lists, large blocks, other people's pointers, memory that is out. */
#include "api/inside.h"
#include "arena/arena.h"
#include "arena/transfer.h"
#include "cache/cache.h"
#include "cache/tick.h"
#include "guard/report.h"
#include "os/pages.h"
#include "span/span.h"
#include <errno.h>

COLD void *malloc_failed(void)
{
    errno = ENOMEM;
    return NULL;
}

/* Out of memory: all that is free and in our hands goes back, in case it is what is missing. */
static COLD void reclaim(void)
{
    cache_drain();
    transfer_drain();
    arena_release_empty();
    span_trim();
}

static void *large_alloc(size_t size, size_t align, bool *zero)
{
    void *p = span_alloc(size, align, zero);
    cache_tick();
    return p;
}

static void *try_alloc(size_t size, bool *zero)
{
    if (size > SIZE_MAX_BYTES)
        return large_alloc(size, GRANULE, zero);
    uint32_t class = size_class(size);
    void *p = cache_pop_ticking(class);
    return likely(p) ? p : cache_alloc_slow(class);
}

void *block_alloc(size_t size, bool *zero)
{
    bool ignored;
    if (unlikely(!api_started()))
        api_start();
    if (unlikely(size > PTRDIFF_MAX))
        return NULL;
    if (!zero)
        zero = &ignored;
    void *p = try_alloc(size, zero);
    if (unlikely(!p)) {
        reclaim();
        p = try_alloc(size, zero);
    }
    return p;
}

NOINLINE void *malloc_slow(size_t size)
{
    if (likely(size <= SIZE_MAX_BYTES)) {
        void *p = NULL;
        if (__atomic_load_n(&cache_locked, __ATOMIC_ACQUIRE))
            p = locked_alloc(size_class(size));
        else if (likely(api_started()))
            p = cache_alloc_slow(size_class(size)); /* its list has just been found empty */
        if (likely(p))
            return p;
    }
    void *p = block_alloc(size, NULL);
    return likely(p) ? p : malloc_failed();
}

static void *try_alloc_aligned(size_t align, size_t size)
{
    bool zero;
    size = aligned_size(align, size);
    if (size > SIZE_MAX_BYTES || align > SIZE_MAX_BYTES)
        return large_alloc(size ? size : 1, align, &zero);
    return cache_alloc_aligned(size_class(size), align, NULL);
}

void *block_alloc_aligned(size_t align, size_t size)
{
    if (align <= GRANULE)
        return block_alloc(size, NULL);
    if (unlikely(!api_started()))
        api_start();
    if (size > PTRDIFF_MAX || align > PTRDIFF_MAX / 2 || size + align > PTRDIFF_MAX)
        return NULL;
    void *p = try_alloc_aligned(align, size);
    if (unlikely(!p)) {
        reclaim();
        p = try_alloc_aligned(align, size);
    }
    return p;
}

void *malloc_aligned(size_t align, size_t size)
{
    if (likely(size <= SIZE_MAX_BYTES - ALIGNED_STEP_MAX) && likely(align <= SIZE_MAX_BYTES)) {
        uint32_t class = size_class(aligned_size(align, size));
        void *first = cache_pop(table_place(class));
        if (likely(first) && likely(((uintptr_t)first & (align - 1)) == 0))
            return first;
        if (first && (first = cache_alloc_aligned(class, align, first)))
            return first;
    }
    void *p = block_alloc_aligned(align, size);
    return likely(p) ? p : malloc_failed();
}

/* p is in no chunk's block: a large block, the C library's, or none. */
static NOINLINE void free_large(void *p)
{
    struct owner *owner = map_find(p);
    if (likely(owner) && likely(owner->kind != OWNER_CHUNK) && likely(span_free(owner, p))) {
        cache_tick();
        return;
    }
    bool ours;
    large_block_of(p, &owner, &ours);
    if (ours || !foreign_free(p))
        guard_bad_pointer("free", p);
}

NOINLINE void free_slow(void *p)
{
    struct chunk *chunk;
    uint32_t class;
    if (!p)
        return;
    if (chunk_block_find(p, &chunk, &class)) {
        if (__atomic_load_n(&cache_locked, __ATOMIC_ACQUIRE))
            locked_free(p, class);
        else
            block_push(chunk, p, class, "free");
        return;
    }
    free_large(p);
}
