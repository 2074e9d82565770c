/* The aligned entries. Rules, limits and errno as in glibc 2.36. */
#include "api/inside.h"
#include "guard/report.h"
#include "os/pages.h"
#include "span/span.h"
#include <errno.h>

void *API(memalign)(size_t align, size_t size)
{
    if (align > SIZE_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    if (!bits_is_power2(align)) /* glibc takes the next power of two */
        align = align <= GRANULE ? GRANULE : (size_t)1 << (bits_log2(align) + 1);
    return malloc_aligned(align, size);
}
API_EXPORT(memalign);

void *API(aligned_alloc)(size_t align, size_t size) { return API(memalign)(align, size); }
API_EXPORT(aligned_alloc);

int API(posix_memalign)(void **out, size_t align, size_t size)
{
    if (align % sizeof(void *) != 0 || !bits_is_power2(align))
        return EINVAL;
    void *p = malloc_aligned(align, size);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}
API_EXPORT(posix_memalign);

void *API(valloc)(size_t size)
{
    os_start();
    return malloc_aligned(os_page, size);
}
API_EXPORT(valloc);

void *API(pvalloc)(size_t size)
{
    os_start();
    if (size > PTRDIFF_MAX - os_page)
        return malloc_failed();
    return malloc_aligned(os_page, bits_up(size, os_page));
}
API_EXPORT(pvalloc);

static NOINLINE size_t usable_size_slow(void *p)
{
    struct chunk *chunk;
    uint32_t class;
    size_t size;
    if (!p)
        return 0;
    if (chunk_block_live(p, &chunk, &class))
        return size_bytes(class);
    struct owner *owner;
    bool ours;
    struct span_block block = large_block_of(p, &owner, &ours);
    if (block.in_use && block.start == p)
        return block.size;
    if (ours || !foreign_usable_size(p, &size))
        guard_bad_pointer("malloc_usable_size", p);
    return size;
}

/* Programs that count their memory (redis) ask at each call. */
size_t API(malloc_usable_size)(void *p)
{
    uint32_t g = block_granules_soon(p);
    if (likely(g - 1 < SIZE_FINE))
        return (size_t)g << GRANULE_SHIFT;
    if (likely(g == CHUNK_BLOCK_LONG))
        return size_bytes(chunk_block_class_long((const struct chunk *)map_owner(p), chunk_granule_of(p)));
    return usable_size_slow(p);
}
API_EXPORT(malloc_usable_size);
