/* The face of span: chunks and large blocks, each an area's run or a direct mapping. */
#include "span/span.h"
#include "base/bitmap.h"
#include "observe/hook.h"
#include "os/pages.h"
#include "span/area.h"

enum { RUN_MAX = 32 << 20 }; /* larger blocks never look for room in areas: their pages should be able to move */

static char *page_start(const struct area *area, int64_t page) { return area->start + ((size_t)page << os_page_shift); }

/* ---- chunks ---- */

void *span_chunk_take(struct area **area, void **descriptor, uint32_t *clean)
{
    uint32_t pages = (uint32_t)(SPAN_CHUNK >> os_page_shift), dirty = 0;
    char *start = NULL;
    *clean = 0;
    lock_take(&span_lock);
    int64_t at = area_take_grow(pages, pages, area, &dirty);
    if (at >= 0) {
        start = page_start(*area, at);
        uint32_t place = (uint32_t)((size_t)(start - (*area)->start) >> MAP_SHIFT);
        bitmap_set((*area)->chunks, place, place + 1);
        bitmap_set((*area)->described, place, place + 1);
        *descriptor = (*area)->descriptors + (size_t)place * SPAN_DESCRIPTOR;
        *clean = dirty == 0 ? UINT32_MAX >> (32 - pages) : 0;
        counter_add(&span.numbers.chunk_bytes, SPAN_CHUNK);
        span_count_peak();
    }
    lock_drop(&span_lock);
    return start;
}

void span_chunk_give(struct area *area, void *start, uint32_t clean)
{
    uint32_t pages = (uint32_t)(SPAN_CHUNK >> os_page_shift);
    lock_take(&span_lock);
    map_change(start, SPAN_CHUNK, &area->owner);
    uint32_t page = area_page(area, start);
    uint32_t place = (uint32_t)((size_t)((char *)start - area->start) >> MAP_SHIFT);
    bitmap_clear(area->chunks, place, place + 1);
    for (uint32_t i = 0; i < pages; i++)
        if (!(clean >> i & 1))
            area_mark_dirty(area, page + i, 1);
    area_give(area, page, pages);
    counter_sub(&span.numbers.chunk_bytes, SPAN_CHUNK);
    lock_drop(&span_lock);
}

/* ---- large blocks ---- */

static void *run_alloc(size_t size, size_t align, bool grow, bool *zero)
{
    uint32_t pages = span_pages(size, os_page_shift), dirty = 0;
    uint32_t align_pages = align > os_page ? (uint32_t)(align >> os_page_shift) : 1;
    struct area *area;
    int64_t at = align_pages == 1 ? kept_take(pages, &area) : -1;
    if (at >= 0)
        dirty = pages;
    else
        at = grow ? area_take_grow(pages, align_pages, &area, &dirty) : area_take(pages, align_pages, &area, &dirty);
    if (at < 0)
        return NULL;
    *zero = dirty == 0;
    span.numbers.large_blocks++;
    counter_add(&span.numbers.large_bytes, (size_t)pages << os_page_shift);
    span_count_peak();
    return page_start(area, at);
}

/* An area that has room; else a mapping of its own if it is large, else a new area; else what of these is left. */
static void *large_alloc(size_t size, size_t align, bool *zero)
{
    bool run = size <= RUN_MAX && align <= MAP_GRANULE;
    bool direct = !run || size >= direct_threshold();
    void *p = NULL;
    if (run && !(direct && span.direct_threshold))
        p = run_alloc(size, align, !direct, zero);
    if (!p) {
        p = direct_alloc(size, align);
        *zero = true;
    }
    if (!p && run)
        p = run_alloc(size, align, true, zero);
    return p;
}

void *span_alloc(size_t size, size_t align, bool *zero)
{
    lock_take(&span_lock);
    void *p = large_alloc(size, align, zero);
    if (p)
        observe_handed_out(&span.numbers.handed, size, size);
    lock_drop(&span_lock);
    return p;
}

struct span_block span_find(struct owner *owner, const void *p)
{
    struct span_block block = {0};
    lock_take(&span_lock);
    if (owner->kind == OWNER_DIRECT) {
        const struct direct *direct = (struct direct *)owner;
        if ((size_t)((const char *)p - direct->start) < direct->size)
            block = (struct span_block){direct->start, direct->size, true};
    } else {
        const struct area *area = (struct area *)owner;
        size_t page = (size_t)((const char *)p - area->start) >> os_page_shift; /* of any p: not cut to 32 bits */
        if (page < area->bounds.granules) {
            struct bounds_segment segment = bounds_segment_of(&area->bounds, (uint32_t)page);
            block.start = page_start(area, segment.start);
            block.size = (size_t)segment.length << os_page_shift;
            block.in_use = segment.occupied && !kept_holds(area, segment.start, segment.length);
        }
    }
    lock_drop(&span_lock);
    return block;
}

struct span_block span_find_inside(const void *p)
{
    struct span_block block = {0};
    lock_take(&span_lock);
    for (const struct direct *direct = span.directs; direct; direct = direct->next)
        if ((size_t)((const char *)p - direct->start) < direct->size)
            block = (struct span_block){direct->start, direct->size, true};
    lock_drop(&span_lock);
    return block;
}

/* False: no block in use starts at p. */
static bool run_free(struct area *area, const void *p)
{
    size_t page = (size_t)((const char *)p - area->start) >> os_page_shift; /* of any p: not cut to 32 bits */
    if (page_start(area, (int64_t)page) != p || page >= area->bounds.granules || !bounds_is_block(&area->bounds, (uint32_t)page))
        return false;
    uint32_t at = (uint32_t)page, pages = bounds_next(&area->bounds, at) - at;
    if (kept_holds(area, at, pages))
        return false;
    span.numbers.large_blocks--;
    counter_sub(&span.numbers.large_bytes, (size_t)pages << os_page_shift);
    if (!kept_put(area, at, pages)) {
        area_mark_dirty(area, at, pages);
        area_give(area, at, pages);
    }
    return true;
}

bool span_free(struct owner *owner, void *p)
{
    bool freed = true;
    lock_take(&span_lock);
    if (owner->kind != OWNER_DIRECT)
        freed = run_free((struct area *)owner, p);
    else if (((struct direct *)owner)->start == p)
        direct_free((struct direct *)owner);
    else
        freed = false;
    lock_drop(&span_lock);
    return freed;
}

/* ---- numbers and knobs ---- */

struct span_numbers span_numbers(void)
{
    lock_take(&span_lock);
    struct span_numbers numbers = span.numbers;
    for (uint32_t i = 0; i < span.area_count; i++)
        numbers.undescribed += area_undescribed(span.areas[i]);
    lock_drop(&span_lock);
    return numbers;
}

size_t span_used_racy(void)
{
    return counter_read(&span.numbers.chunk_bytes) + counter_read(&span.numbers.large_bytes);
}

void span_set_direct_threshold(size_t bytes)
{
    lock_take(&span_lock);
    span.direct_threshold = bytes;
    lock_drop(&span_lock);
}

void span_set_dirty_bound(size_t bytes)
{
    lock_take(&span_lock);
    __atomic_store_n(&span.dirty_bound, bytes, __ATOMIC_RELAXED); /* pairs with the look in span_purge_excess */
    lock_drop(&span_lock);
}
