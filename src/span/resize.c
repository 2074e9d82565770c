/* A large block that grows or shrinks where it stands, or moves with its pages. */
#include "span/span.h"
#include "base/bitmap.h"
#include "os/pages.h"
#include "span/area.h"

/* Pages `have` become `want`, if that many are free behind it. */
static bool run_extend(struct area *area, uint32_t page, uint32_t have, uint32_t want)
{
    if (page + want > area->bounds.granules || !bounds_extend(&area->bounds, page, have, want))
        return false;
    uint32_t dirty = bitmap_clear(area->dirty, page + have, page + want);
    area->dirty_pages -= dirty;
    counter_sub(&span.numbers.dirty_bytes, (size_t)dirty << os_page_shift);
    return true;
}

static void *run_resize(struct area *area, void *p, size_t size, size_t roomy)
{
    uint32_t page = area_page(area, p);
    uint32_t have = bounds_next(&area->bounds, page) - page;
    if (roomy > AREA_MAX)
        return NULL; /* no area has so many pages; their count need not even fit its type */
    uint32_t want = span_pages(size, os_page_shift), more = span_pages(roomy, os_page_shift);
    if (want < have) {
        bounds_shrink(&area->bounds, page, have, want);
        area_mark_dirty(area, page + want, have - want);
    } else if (want > have) {
        if (run_extend(area, page, have, more))
            want = more;
        else if (more == want || !run_extend(area, page, have, want))
            return NULL;
    }
    area->used_pages += want - have;
    counter_add(&span.numbers.large_bytes, ((size_t)want << os_page_shift) - ((size_t)have << os_page_shift));
    area_update_longest(area);
    span_count_peak();
    return p;
}

void *span_resize(struct owner *owner, void *p, size_t size, size_t roomy)
{
    lock_take(&span_lock);
    p = owner->kind == OWNER_DIRECT ? direct_resize((struct direct *)owner, size)
                                    : run_resize((struct area *)owner, p, size, roomy);
    lock_drop(&span_lock);
    return p;
}
