/* malloc, calloc, realloc, free: the fast paths, and where they lead.
 *
 * malloc of up to 1 KiB rounds the size to the offset of its list and pops (cache/sequence.h). free finds the chunk (one
 * load in map.h), the block's length in the chunk's boundary bits (one load), and pushes. Neither takes a lock or touches errno.
 * Sizes to 32 KiB have a class to compute and a second look at the length (malloc_middle, free_longer), and do the same. What is
 * larger, empty, full, foreign or wrong goes the slow ways, in slow.c. Instruction counts are held by
 * tests/checks/instructions.txt. */
#include "api/inside.h"
#include "cache/cache.h"
#include "guard/hook.h"
#include "guard/report.h"
#include "os/pages.h"
#include "span/span.h"
#include <errno.h>
#include <string.h>

INLINE void *fast_pop(size_t size)
{
    if (likely(size <= SIZE_FINE_MAX))
        return cache_pop((uint32_t)((size + GRANULE - 1) & ~(size_t)(GRANULE - 1)));
    return NULL;
}

static NOINLINE void *malloc_middle(size_t size)
{
    if (size <= SIZE_FINE_MAX)
        __builtin_unreachable();
    if (likely(size <= SIZE_MAX_BYTES)) {
        void *p = cache_pop_ticking(size_class(size));
        if (likely(p))
            return p;
    }
    return malloc_slow(size);
}

void *API(malloc)(size_t size)
{
    if (unlikely(size > SIZE_FINE_MAX))
        return malloc_middle(size);
    void *p = fast_pop(size);
    if (likely(p))
        return p;
    return malloc_slow(size);
}
API_EXPORT(malloc);

static NOINLINE void *calloc_slow(size_t bytes)
{
    bool zero = false;
    void *p = block_alloc(bytes, &zero);
    if (unlikely(!p))
        return malloc_failed();
    return zero ? p : memset(p, 0, bytes);
}

void *API(calloc)(size_t count, size_t size)
{
    size_t bytes;
    if (unlikely(__builtin_mul_overflow(count, size, &bytes)))
        return malloc_failed();
    void *p = fast_pop(bytes);
    if (likely(p))
        return memset(p, 0, bytes);
    return calloc_slow(bytes);
}
API_EXPORT(calloc);

/* `before`: the place of the list before the block's. Class 0 has no blocks, and its list no room: who has no class comes here. */
static NOINLINE void free_rest(void *p, uintptr_t before, enum sequence_result result)
{
    uint32_t class = table_class(before + table_place(1));
    if (unlikely(class == 0))
        guard_bad_pointer("free", p);
    if (unlikely(result == SEQUENCE_TWICE))
        guard_freed_twice("free", p);
    cache_free_slow(p, class);
}

/* The block's end is not in the window: it has more than 56 granules, or no block starts there (NULL is among these). */
static NOINLINE void free_longer(void *p, ptrdiff_t entry)
{
    const struct chunk *chunk = (const struct chunk *)map_owner_at(entry);
    uint32_t i = chunk_granule_of(p);
    if (unlikely(!(bounds_window(chunk->boundary, i) & 1))) {
        free_slow(p);
        return;
    }
    uintptr_t before = (uintptr_t)table_place(chunk_block_class_long(chunk, i)) - table_place(1);
    enum sequence_result result = sequence_push_behind(before, p);
    if (unlikely(result != SEQUENCE_DONE))
        free_rest(p, before, result);
}

/* A program that frees and allocates in turn waits for this: the entry, the window, its first bit and the list are one chain, and
 * everything else is added up beside it (docs/decisions.md 21). */
void API(free)(void *p)
{
    ptrdiff_t entry = map_entry(p);
    if (unlikely(!chunk_fast_holds(entry, p)))
        goto slow;
    uint64_t window = chunk_window(entry, p);
    WINDOW_BEHIND(window, chunk_window_start(p), longer);
    uintptr_t before = table_place(bits_ctz(window));
    enum sequence_result result = sequence_push_behind(before, p);
    if (unlikely(result != SEQUENCE_DONE))
        free_rest(p, before, result);
    return;
longer:
    free_longer(p, entry);
    return;
slow:
    free_slow(p);
}
API_EXPORT(free);

/* A block of `from` granules may have been asked for with `size` bytes: it is of that class, or realloc left it larger, or made it
 * so (an eighth for one that grows by little). */
static bool size_fits(uint32_t from, size_t size)
{
    if (size > SIZE_MAX_BYTES)
        return false;
    size_t roomy = size + size / 8;
    uint32_t to = size_granules(size_class(size));
    uint32_t most = roomy > SIZE_MAX_BYTES ? SIZE_MAX_GRANULES : size_granules(size_class(roomy));
    return to <= from && (from <= most || !worth_shrinking(from, to));
}

static NOINLINE void free_checked(void *p, size_t align, size_t size, const char *call)
{
    struct chunk *chunk;
    uint32_t class;
    if (p && chunk_block_live(p, &chunk, &class)) {
        if (!size_fits(size_granules(class), size) && !size_fits(size_granules(class), aligned_size(align, size)))
            guard_wrong_size(call, p, size_bytes(class), size);
    } else if (p) {
        struct owner *owner;
        bool ours;
        struct span_block block = large_block_of(p, &owner, &ours);
        if (block.in_use && block.start == p && (size > block.size || bits_up(size + !size, os_page) < block.size / 4))
            guard_wrong_size(call, p, block.size, size);
    }
    API(free)(p);
}

void API(free_sized)(void *p, size_t size) { free_checked(p, GRANULE, size, "free_sized"); }
API_EXPORT(free_sized);

void API(free_aligned_sized)(void *p, size_t align, size_t size)
{
    free_checked(p, align, size, "free_aligned_sized");
}
API_EXPORT(free_aligned_sized);
