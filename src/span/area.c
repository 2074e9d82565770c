/* Areas: where runs of pages are placed, and how the heap grows. */
#include "span/area.h"
#include "base/bitmap.h"
#include "map/meta.h"
#include "os/pages.h"

struct lock span_lock;
struct lock span_purge_lock;
struct span_state span;

static struct meta_pool area_pools[AREA_POOLS];

void span_count_peak(void)
{
    size_t used = span_used();
    if (used > span.peak_now)
        span.peak_now = used;
    if (used > span.numbers.used_peak)
        span.numbers.used_peak = used;
    if (span.numbers.large_bytes > span.numbers.large_peak)
        span.numbers.large_peak = span.numbers.large_bytes;
    if (span.numbers.large_blocks > span.numbers.large_blocks_peak)
        span.numbers.large_blocks_peak = span.numbers.large_blocks;
}

/* ---- descriptors ---- */

/* Places for chunks in an area of so many pages. */
static uint32_t area_places(uint32_t pages)
{
    return (uint32_t)((((size_t)pages << os_page_shift) + MAP_GRANULE - 1) >> MAP_SHIFT);
}

static struct area *area_describe(char *start, uint32_t pages)
{
    uint32_t pool = 0;
    while (((uint32_t)AREA_POOL_PAGES_MIN << pool) < pages)
        pool++;
    uint32_t room = (uint32_t)AREA_POOL_PAGES_MIN << pool;
    size_t bitmap = bounds_words(room) * sizeof(uint64_t);
    uint32_t places = area_places(room);
    size_t place_bitmap = bounds_words(places) * sizeof(uint64_t);
    size_t maps_size = bounds_size(room, false) + 2 * bitmap + 2 * place_bitmap;
    size_t head = bits_up(sizeof(struct area) + maps_size, CACHE_LINE);
    area_pools[pool].size = head + (size_t)places * SPAN_DESCRIPTOR;
    struct area *area = meta_pool_take(&area_pools[pool]);
    if (!area)
        return NULL;
    *area = (struct area){.owner = {OWNER_NOT_A_CHUNK, OWNER_AREA}, .start = start, .pool = pool};
    char *maps = (char *)(area + 1);
    area->dirty = (uint64_t *)(void *)maps;
    area->old = area->dirty + bounds_words(room);
    area->chunks = area->old + bounds_words(room);
    area->described = area->chunks + bounds_words(places);
    area->descriptors = (char *)area + head;
    memset(maps, 0, 2 * bitmap + 2 * place_bitmap);
    bounds_init(&area->bounds, maps + 2 * bitmap + 2 * place_bitmap, pages, false);
    return area;
}

static bool list_make_room(void)
{
    if (span.area_count < span.area_room)
        return true;
    uint32_t room = span.area_room ? span.area_room * 2 : 64; /* the old arrays stay behind: half of the new ones at most */
    struct area **areas = meta_alloc(room * sizeof *areas);
    uint16_t *longest = meta_alloc(room * sizeof *longest);
    if (!areas || !longest)
        return false;
    if (span.area_count > 0) {
        memcpy(areas, span.areas, span.area_count * sizeof *areas);
        memcpy(longest, span.longest, span.area_count * sizeof *longest);
    }
    span.areas = areas;
    span.longest = longest;
    span.area_room = room;
    return true;
}

/* Where an area that starts at `start` stands in the list, or would stand. */
static uint32_t list_find(const char *start)
{
    uint32_t low = 0, high = span.area_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (span.areas[middle]->start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void area_update_longest(const struct area *area)
{
    span.longest[list_find(area->start)] = (uint16_t)bounds_longest(&area->bounds);
}

struct area *area_adopt(char *start, size_t size, bool dirty)
{
    uint32_t pages = (uint32_t)(size >> os_page_shift);
    if (!list_make_room())
        return NULL;
    struct area *area = area_describe(start, pages);
    if (!area)
        return NULL;
    if (!map_set(start, size, &area->owner)) {
        meta_pool_give(&area_pools[area->pool], area);
        return NULL;
    }
    uint32_t at = list_find(start);
    memmove(span.areas + at + 1, span.areas + at, (span.area_count - at) * sizeof *span.areas);
    memmove(span.longest + at + 1, span.longest + at, (span.area_count - at) * sizeof *span.longest);
    span.areas[at] = area;
    span.longest[at] = (uint16_t)pages;
    span.area_count++;
    span.numbers.areas++;
    span.area_bytes += size;
    if (dirty)
        area_mark_dirty(area, 0, pages);
    return area;
}

bool area_unmap(struct area *area)
{
    size_t size = (size_t)area->bounds.granules << os_page_shift;
    map_change(area->start, size, NULL);
    if (!os_unmap(area->start, size)) {
        map_change(area->start, size, &area->owner);
        span.unmap_fails++;
        return false;
    }
    counter_sub(&span.numbers.dirty_bytes, (size_t)area->dirty_pages << os_page_shift);
    span.numbers.purged_bytes += (size_t)area->dirty_pages << os_page_shift;
    span.numbers.mapped -= size;
    span.area_bytes -= size;
    uint32_t at = list_find(area->start);
    span.area_count--;
    span.numbers.areas--;
    memmove(span.areas + at, span.areas + at + 1, (span.area_count - at) * sizeof *span.areas);
    memmove(span.longest + at, span.longest + at + 1, (span.area_count - at) * sizeof *span.longest);
    meta_pool_give(&area_pools[area->pool], area);
    return true;
}

/* ---- growing ---- */

/* The very first area and the first descriptors in one system call: what alignment leaves over becomes meta's. */
static char *map_first(size_t size)
{
    char *p = os_map(NULL, size + MAP_GRANULE);
    if (!p)
        return NULL;
    char *start = (char *)bits_up((uintptr_t)p, MAP_GRANULE);
    size_t head = (size_t)(start - p);
    size_t tail = MAP_GRANULE - head;
    meta_donate(head > tail ? p : start + size, head > tail ? head : tail);
    return start;
}

static char *map_area(size_t size)
{
    if (span.numbers.mapped == 0)
        return map_first(size);
    return os_map_aligned(size, size >= HUGE_PAGE ? HUGE_PAGE : MAP_GRANULE);
}

static struct area *area_grow(uint32_t pages)
{
    size_t need = bits_up((size_t)pages << os_page_shift, MAP_GRANULE);
    size_t size = bits_up(span.numbers.mapped / 4, AREA_MIN);
    size = size < AREA_MIN ? AREA_MIN : size > AREA_MAX ? AREA_MAX : size;
    size = size < need ? need : size;
    if (size > HUGE_PAGE)
        size = bits_up(size, HUGE_PAGE);
    char *start = map_area(size);
    while (!start && size > need) {
        size = size / 2 > need ? bits_up(size / 2, MAP_GRANULE) : need;
        start = map_area(size);
    }
    if (!start)
        return NULL;
    struct area *area = area_adopt(start, size, false);
    if (!area) {
        os_unmap(start, size);
        return NULL;
    }
    span.numbers.mapped += size;
    if (span.numbers.mapped > span.numbers.mapped_peak)
        span.numbers.mapped_peak = span.numbers.mapped;
    if (size >= HUGE_PAGE) { /* said either way: where huge pages come unasked, a small heap must not get them */
        area->huge = span.numbers.mapped >= HUGE_FROM;
        os_advise_huge(start, size, area->huge);
    }
    return area;
}

/* ---- placing ---- */

/* Takes [at, at+pages), which lies inside a hole and is a block already. */
static int64_t area_placed(struct area *area, uint32_t at, uint32_t pages, uint32_t *dirty)
{
    *dirty = bitmap_clear(area->dirty, at, at + pages);
    area->dirty_pages -= *dirty;
    area->used_pages += pages;
    counter_sub(&span.numbers.dirty_bytes, (size_t)*dirty << os_page_shift);
    area_update_longest(area);
    return at;
}

/* What page numbers lack to be addresses, as far as `align` pages go. */
static uint32_t area_origin(const struct area *area, uint32_t align)
{
    return align > 1 ? (uint32_t)((uintptr_t)area->start >> os_page_shift) & (align - 1) : 0;
}

static int64_t area_place(struct area *area, uint32_t pages, uint32_t align, uint32_t *dirty)
{
    uint32_t at = align > 1 ? bounds_place_aligned(&area->bounds, pages, align, area_origin(area, align))
                            : bounds_place(&area->bounds, pages);
    return at == BOUNDS_NONE ? -1 : area_placed(area, at, pages, dirty);
}

/* A place for `pages` in the hole [s, e) where all of them are dirty; BOUNDS_NONE if there is none. */
static uint32_t hole_dirty_place(const struct area *area, uint32_t s, uint32_t e, uint32_t pages, uint32_t align)
{
    uint32_t origin = area_origin(area, align);
    for (uint32_t stop = s; e - stop >= pages;) {
        uint32_t at = bitmap_find(area->dirty, stop, e, true);
        stop = bitmap_find(area->dirty, at, e, false);
        at = ((at + origin + align - 1) & ~(align - 1)) - origin;
        if (at < stop && stop - at >= pages)
            return at;
    }
    return BOUNDS_NONE;
}

/* The lowest place where every page is dirty: no fault will be taken for it, and nothing more is resident. Only holes that are long
 * enough are looked at. */
static int64_t area_place_dirty(struct area *area, uint32_t pages, uint32_t align, uint32_t *dirty)
{
    const struct bounds *b = &area->bounds;
    for (uint32_t w = numbers_find(&b->numbers, 0, pages); w != NUMBERS_NONE; w = numbers_find(&b->numbers, w + 1, pages)) {
        for (uint64_t starts = bounds_hole_starts(b, w); starts != 0; starts &= starts - 1) {
            uint32_t s = w * BITS_WORD + bits_ctz(starts), e = bounds_hole_end(b, s);
            uint32_t at = hole_dirty_place(area, s, e, pages, align);
            if (at != BOUNDS_NONE) {
                bounds_cut(b, s, e, at, pages);
                return area_placed(area, at, pages, dirty);
            }
        }
    }
    return -1;
}

/* Dirty pages before others: the lowest place of only such ones, else the lowest place. */
int64_t area_take(uint32_t pages, uint32_t align, struct area **area, uint32_t *dirty)
{
    bool look = span.numbers.dirty_bytes >> os_page_shift >= pages;
    for (int any = !look; any < 2; any++)
        for (uint32_t i = 0; i < span.area_count; i++) {
            if (span.longest[i] < pages)
                continue;
            *area = span.areas[i];
            if (!any && (*area)->dirty_pages < pages)
                continue;
            int64_t at = any ? area_place(*area, pages, align, dirty) : area_place_dirty(*area, pages, align, dirty);
            if (at >= 0)
                return at;
        }
    return -1;
}

int64_t area_take_grow(uint32_t pages, uint32_t align, struct area **area, uint32_t *dirty)
{
    int64_t at = area_take(pages, align, area, dirty);
    if (at < 0 && kept_release())
        at = area_take(pages, align, area, dirty);
    if (at >= 0)
        return at;
    struct area *grown = area_grow(pages + align - 1);
    if (!grown)
        return -1;
    *area = grown;
    return area_place(grown, pages, align, dirty);
}

void area_mark_dirty(struct area *area, uint32_t page, uint32_t pages)
{
    bitmap_set(area->dirty, page, page + pages);
    bitmap_clear(area->old, page, page + pages);
    area->dirty_pages += pages;
    counter_add(&span.numbers.dirty_bytes, (size_t)pages << os_page_shift);
    __atomic_store_n(&span.excess, span.numbers.dirty_bytes > purge_bound(), __ATOMIC_RELAXED);
}

void area_give(struct area *area, uint32_t page, uint32_t pages)
{
    bounds_release(&area->bounds, page, pages);
    area->used_pages -= pages;
    area_update_longest(area);
}

/* ---- descriptors of chunks ---- */

/* Place `from` to `to` have no chunk: what lies between whole pages goes back. */
static size_t places_purge(struct area *area, uint32_t from, uint32_t to)
{
    uintptr_t base = (uintptr_t)area->descriptors;
    uintptr_t start = bits_up(base + (uintptr_t)from * SPAN_DESCRIPTOR, os_page);
    uintptr_t end = bits_down(base + (uintptr_t)to * SPAN_DESCRIPTOR, os_page);
    bitmap_clear(area->described, from, to);
    return end > start && os_purge((void *)start, end - start) ? end - start : 0;
}

size_t area_purge_descriptors(struct area *area)
{
    size_t given = 0;
    uint32_t places = area_places(area->bounds.granules);
    for (uint32_t from = 0; from < places;) {
        from = bitmap_find(area->chunks, from, places, false);
        uint32_t to = bitmap_find(area->chunks, from, places, true);
        if (from < to && bitmap_count(area->described, from, to) > 0)
            given += places_purge(area, from, to);
        from = to;
    }
    return given;
}

size_t area_undescribed(const struct area *area)
{
    uint32_t room = area_places((uint32_t)AREA_POOL_PAGES_MIN << area->pool);
    return (size_t)(room - bitmap_count(area->described, 0, room)) * SPAN_DESCRIPTOR;
}

/* ---- checking ---- */

static const char *area_check(const struct area *area, uint32_t longest)
{
    const char *wrong = bounds_check(&area->bounds);
    if (wrong)
        return wrong;
    uint32_t used = 0;
    for (uint32_t i = 0; i < area->bounds.granules; i++) {
        bool free = bounds_is_free(&area->bounds, i);
        used += !free;
        if (!free && bits_test(area->dirty, i))
            return "a page in use is marked dirty";
    }
    if (used != area->used_pages)
        return "an area's count of used pages is wrong";
    if (bitmap_count(area->dirty, 0, area->bounds.granules) != area->dirty_pages)
        return "an area's count of dirty pages is wrong";
    return bounds_longest(&area->bounds) == longest ? NULL : "the list's longest hole is not the area's";
}

const char *span_check(void)
{
    const char *wrong = NULL;
    size_t mapped = 0, used = 0;
    lock_take(&span_lock);
    size_t dirty = kept_bytes();
    for (uint32_t i = 0; i < span.area_count && !wrong; i++) {
        const struct area *area = span.areas[i];
        wrong = area_check(area, span.longest[i]);
        dirty += (size_t)area->dirty_pages << os_page_shift;
        used += (size_t)area->used_pages << os_page_shift;
        mapped += (size_t)area->bounds.granules << os_page_shift;
        if (!wrong && i > 0 && span.areas[i - 1]->start >= area->start)
            wrong = "the areas are not in the order of their addresses";
    }
    for (const struct direct *direct = span.directs; direct; direct = direct->next) {
        used += direct->size;
        mapped += direct->size;
    }
    if (!wrong && dirty != span.numbers.dirty_bytes)
        wrong = "the bytes of dirt are counted wrong";
    if (!wrong && mapped != span.numbers.mapped)
        wrong = "the mapped bytes are counted wrong";
    if (!wrong && used != span_used() + kept_bytes())
        wrong = "the used bytes are counted wrong";
    lock_drop(&span_lock);
    return wrong;
}
