/* bitmap: any size in steps of 8 bytes, all books beside the memory. Loam in small.
 *
 * Where the bytes are: the maps (bounds) say for each 8 bytes whether a segment starts there and whether it is
 * occupied; in front of them stand lists of freed blocks by exact size (bitmap_lists.c); the memory comes in
 * segments, each with its maps in front (bitmap_segments.c). A request goes the shortest of these ways that leads to
 * memory:
 *     1. the list of its exact size: the block freed last. No map is touched.
 *     2. a larger listed block is cut.
 *     3. the lowest hole that holds it, if that is not the unused end.
 *     4. the lists are consolidated (everything merges), if what was freed lately could make the difference, and is enough
 *        to be worth it (bitmap_is_worth_merging).
 *     5. the unused end of what is paid for; then more memory.
 * Small objects allocated in a row touch; freed ones merge whatever size they had; what is free at the top of the break
 * goes back by pages.
 *
 * Cost: a list hit some 10 ns. Otherwise a look at each segment's longest hole (there are O(log n)) and one search of
 * bounds. Books are 3.1 % for the bits, up to 0.8 % for the numbers, 1.5 KiB for the head. Consolidation is paid for
 * by the frees. Easy to get wrong: `tail`. Nothing live may stand beyond it in the newest segment, so every way of
 * handing out a block must raise it (bitmap_raise_tail). */
#include "region/bitmap_inside.h"

/* ---- creating ---- */

static void bitmap_head_init(struct bitmap *b, const struct source *source, const struct loam_region_options *options)
{
    memset(b, 0, sizeof *b);
    region_head_init(&b->base, source, options);
    b->tag = ((uintptr_t)b * UINT64_C(0x9e3779b97f4a7c15) | UINT64_C(1) << 63) & ~UINT64_C(0) << 53;
}

REGION_API int bitmap_open(struct source source, const struct loam_region_options *options, struct loam_region **out)
{
    size_t front = bits_up(sizeof(struct bitmap), SOURCE_ALIGNMENT);
    size_t least = front + bitmap_books(BITS_WORD) + BITS_WORD * BITMAP_GRANULE;
    uint32_t capacity = BITMAP_FIRST;
    size_t bytes = options->first;
    bool in_steps = source.kind == LOAM_SOURCE_BREAK && !source.fixed;
    if (in_steps) {
        size_t wish = options->first / BITMAP_GRANULE;
        capacity =
            wish <= BITMAP_FIRST ? BITMAP_FIRST : (uint32_t)bits_up(wish < BITMAP_MAX ? wish : BITMAP_MAX, BITS_WORD);
        bytes = front + bitmap_books(capacity) + BITMAP_PAGE * BITMAP_GRANULE;
    } else if (bytes == 0) {
        bytes = 65536;
    }
    size_t wish = bytes;
    char *piece = source_take(&source, least, &bytes);
    if (piece == NULL)
        return LOAM_ERROR_SPENT;
    struct bitmap *b = (struct bitmap *)piece;
    bitmap_head_init(b, &source, options);
    if (!in_steps || bytes < wish)
        capacity = bitmap_fit(bytes - front);
    bitmap_segment_make(b, piece, front, bytes, capacity);
    *out = &b->base;
    return LOAM_OK;
}

/* ---- allocating ---- */

static void bitmap_raise_tail(struct bitmap *b, const struct bitmap_place *at)
{
    uint32_t end = at->start + at->length;
    if (at->segment != b->newest)
        return;
    b->tail = end > b->tail ? end : b->tail;
    b->peak = b->tail > b->peak ? b->tail : b->peak;
}

static void *bitmap_hand_out(struct bitmap *b, const struct bitmap_place *at)
{
    bitmap_raise_tail(b, at);
    region_block_added(&b->base, (size_t)at->length * BITMAP_GRANULE);
    char *block = bitmap_address(at->segment, at->start);
    if (at->length <= BITMAP_SMALL)
        memset(block, 0, BITMAP_GRANULE); /* an old link left there would make each free look for the block in a list */
    return block;
}

/* The oldest segment that has a hole of g granules. Hints are put right on the way. */
static struct bitmap_segment *bitmap_segment_with(struct bitmap_segment *segment, uint32_t g)
{
    for (; segment != NULL; segment = segment->newer) {
        if (segment->hint < g)
            continue;
        segment->hint = bounds_longest(&segment->bounds);
        if (segment->hint >= g)
            return segment;
    }
    return NULL;
}

/* Cuts g granules from the lowest hole that holds them so aligned. `inner`: leave the unused end alone. */
static bool bitmap_place_hole(struct bitmap *b, uint32_t g, uint32_t align, bool inner, struct bitmap_place *at)
{
    for (struct bitmap_segment *segment = bitmap_segment_with(b->oldest, g); segment != NULL;
         segment = bitmap_segment_with(segment->newer, g)) {
        uint32_t start, end = 0;
        if (inner && segment == b->newest && bounds_find(&segment->bounds, g, &end) != BOUNDS_NONE &&
            end == segment->paid)
            return false;
        if (align == 1)
            start = bounds_place(&segment->bounds, g);
        else
            start = bounds_place_aligned(&segment->bounds, g, align,
                                         (uint32_t)((uintptr_t)segment->payload / BITMAP_GRANULE % align));
        if (start != BOUNDS_NONE) {
            *at = (struct bitmap_place){segment, start, g};
            return true;
        }
    }
    return false;
}

/* The same, and if there is no row, what is behind a small block becomes one, for those to come. So a row of small
 * requests cuts the hole once, not each time (the numbers of a long hole cost more than all else: measured 2,200 and
 * 530 instructions an allocation). */
static bool bitmap_place(struct bitmap *b, uint32_t g, uint32_t align, bool inner, struct bitmap_place *at)
{
    if (!bitmap_place_hole(b, g, align, inner, at))
        return false;
    const struct bounds *bounds = &at->segment->bounds;
    uint32_t behind = at->start + g;
    if (b->row.length > 0 || g * 2 > BITMAP_ROW || behind == bounds->granules || !bounds_is_free(bounds, behind))
        return true;
    uint32_t room = bounds_hole_end(bounds, behind) - at->start;
    uint32_t row = BITMAP_ROW < room ? BITMAP_ROW : room;
    if (bounds_extend(bounds, at->start, g, row)) {
        bounds_boundary_set(bounds, behind);
        bitmap_row_put(b, &(struct bitmap_place){at->segment, behind, row - g});
    }
    return true;
}

/* Whether merging what has been freed lately may make room for g granules, and is no great part of the work. In a large
 * region, and where nothing is gained by keeping the end unused (it cannot go back to the break), the lists may fill up
 * first, or a mix of sizes would merge at each request: with 10,000 objects of up to 500 bytes over the break a pair takes
 * 1,820 instructions at 1/1024 of the region, 1,400 at 1/128, and 3 % more memory. Up to 1 MiB of the break, 1 KiB of small
 * blocks is always enough. */
static bool bitmap_is_worth_merging(const struct bitmap *b, uint32_t g)
{
    bool soon = b->base.source.kind == LOAM_SOURCE_BREAK && b->paid < BITMAP_LARGE;
    return b->fresh > 0 && b->fresh * 2 >= g && b->fresh >= b->paid / (soon ? 1024 : 128);
}

static bool bitmap_find(struct bitmap *b, uint32_t g, uint32_t align, struct bitmap_place *at)
{
    if (bitmap_list_take(b, g, align, at) || bitmap_list_split(b, g, align, at))
        return true;
    bool merging = bitmap_is_worth_merging(b, g);
    if (!merging) {
        if (bitmap_row_take(b, g, align, at))
            return true;
        bitmap_row_give(b); /* what is too short goes back first: so small blocks touch, whatever sizes they have */
    }
    if (bitmap_place(b, g, align, merging, at))
        return true;
    bitmap_row_give(b);
    if (b->fresh > 0)
        bitmap_consolidate(b, true);
    if (bitmap_place(b, g, align, false, at))
        return true;
    if (bitmap_grow(b, g + align - 1) && bitmap_place(b, g, align, false, at))
        return true;
    if (b->listed == 0)
        return false;
    bitmap_consolidate(b, false); /* nothing more is to be had: what was kept in lists is the last resort */
    return bitmap_place(b, g, align, false, at);
}

REGION_API void *bitmap_alloc(struct loam_region *region, size_t size, size_t alignment)
{
    struct bitmap *b = bitmap_of(region);
    struct bitmap_place at;
    if (alignment > (size_t)BITMAP_MAX / 4 * BITMAP_GRANULE)
        return region_fail(region, LOAM_ERROR_ALIGNMENT);
    size_t g = bits_up(size, BITMAP_GRANULE) / BITMAP_GRANULE;
    size_t align = alignment <= BITMAP_GRANULE ? 1 : alignment / BITMAP_GRANULE;
    if (g + align > BITMAP_MAX || !bitmap_find(b, (uint32_t)g, (uint32_t)align, &at))
        return region_fail(region, LOAM_ERROR_SPENT);
    return bitmap_hand_out(b, &at);
}

/* ---- freeing ---- */

/* The live block that starts at an address, or why there is none. */
static int bitmap_locate(const struct bitmap *b, const void *address, struct bitmap_place *at)
{
    struct bitmap_segment *segment = bitmap_segment_at(b, address);
    if (segment == NULL)
        return LOAM_ERROR_FOREIGN;
    size_t distance = (size_t)((const char *)address - segment->payload);
    uint32_t start = (uint32_t)(distance / BITMAP_GRANULE);
    if (distance % BITMAP_GRANULE != 0)
        return LOAM_ERROR_INTERIOR;
    if (bounds_is_free(&segment->bounds, start))
        return LOAM_ERROR_FREE;
    if (!bits_test(segment->bounds.boundary, start))
        return LOAM_ERROR_INTERIOR;
    *at = (struct bitmap_place){segment, start, bounds_next(&segment->bounds, start) - start};
    return bitmap_is_listed(b, at) ? LOAM_ERROR_FREE : LOAM_OK;
}

/* Merges all that is free, and if a page's worth has become free at the top of the break, gives it back. */
static void bitmap_settle(struct bitmap *b)
{
    b->top_freed = false;
    const struct bitmap_segment *newest;
    do { /* a segment that goes lays open the top of the one below it, where blocks may be listed that go as well */
        newest = b->newest;
        bitmap_consolidate(b, b->base.live > 0);
        bitmap_tail_find(b);
        if (b->peak - b->tail >= BITMAP_PAGE || b->tail == 0)
            bitmap_lower(b);
    } while (b->newest != newest && b->newest != NULL && b->listed > 0);
}

/* Whether, from the tail downwards, there may be a page of nothing but holes and listed blocks: as far as the maps
 * tell, and no more is occupied there than was listed lately. Looks at some ten words. */
static bool bitmap_top_may_go(const struct bitmap *b)
{
    const struct bounds *bounds = &b->newest->bounds;
    uint32_t at = b->tail;
    size_t occupied = 0;
    while (at > 0 && b->peak - at < BITMAP_PAGE) {
        if (bounds_is_free(bounds, at - 1)) {
            at = bounds_hole_start(bounds, at - 1);
            continue;
        }
        uint32_t w = (at - 1) / BITS_WORD;
        occupied += bits_count(bounds->occupied[w] & bits_mask(0, at - w * BITS_WORD));
        if (occupied > b->fresh + b->kept + b->row.length)
            return false;
        at = w * BITS_WORD;
    }
    return b->peak - at >= BITMAP_PAGE;
}

/* A block was freed near the tail, or at it, and then the tail falls. Is it time to look what can go? A block that is
 * taken and freed again and again at the top makes the tail rise and fall by its own length only, and so never moves
 * the break. */
static bool bitmap_tail_fall(struct bitmap *b, const struct bitmap_place *at)
{
    uint32_t end = at->start + at->length;
    bool near = at->segment == b->newest && end + BITMAP_PAGE >= b->tail;
    if (near && end == b->tail)
        b->tail = at->start;
    b->top_freed |= near;
    return (near && bitmap_top_may_go(b)) || (b->top_freed && b->fresh >= BITMAP_PAGE);
}

/* Nothing lives in the newest segment, and below it as much was freed as its books have bytes: so making it anew,
 * should it be needed again at once, is paid for. */
static bool bitmap_may_drop_newest(const struct bitmap *b)
{
    return b->tail == 0 && b->fresh >= BITMAP_PAGE &&
           b->fresh * BITMAP_GRANULE >= bitmap_books(b->newest->bounds.granules);
}

/* A block, or the end that was cut off one, is no longer live. */
static void bitmap_take_back(struct bitmap *b, const struct bitmap_place *at)
{
    region_block_removed(&b->base, (size_t)at->length * BITMAP_GRANULE);
    bitmap_list_put(b, at);
    if (b->base.source.kind != LOAM_SOURCE_BREAK)
        return;
    if (bitmap_tail_fall(b, at) || (b->base.live == 0 && b->listed >= BITMAP_PAGE) || bitmap_may_drop_newest(b))
        bitmap_settle(b);
}

REGION_API int bitmap_free(struct loam_region *region, void *block)
{
    struct bitmap *b = bitmap_of(region);
    struct bitmap_place at;
    int error = bitmap_locate(b, block, &at);
    if (error == LOAM_OK)
        bitmap_take_back(b, &at);
    return error;
}

/* ---- resizing in place ---- */

static void bitmap_shrink(struct bitmap *b, const struct bitmap_place *at, uint32_t to)
{
    struct bitmap_place rest = {at->segment, at->start + to, at->length - to};
    bounds_boundary_set(&at->segment->bounds, rest.start);
    b->base.live_blocks++; /* for a moment there are two, and one of them goes */
    bitmap_take_back(b, &rest);
}

static bool bitmap_extend(struct bitmap *b, const struct bitmap_place *at, uint32_t to)
{
    struct bitmap_segment *segment = at->segment;
    if ((size_t)at->start + to > segment->bounds.granules)
        return false;
    if (bounds_extend(&segment->bounds, at->start, at->length, to))
        return true;
    uint32_t end = at->start + at->length;
    bool at_top = segment == b->newest &&
                  (end == segment->paid ||
                   (bounds_is_free(&segment->bounds, end) && bounds_hole_end(&segment->bounds, end) == segment->paid));
    return at_top && bitmap_is_growable(b) && bitmap_grow(b, to - at->length) &&
           bounds_extend(&segment->bounds, at->start, at->length, to);
}

REGION_API int bitmap_resize(struct loam_region *region, void *block, size_t size)
{
    struct bitmap *b = bitmap_of(region);
    struct bitmap_place at;
    int error = bitmap_locate(b, block, &at);
    size_t to = bits_up(size, BITMAP_GRANULE) / BITMAP_GRANULE;
    if (error != LOAM_OK || to == at.length)
        return error;
    if (to < at.length) {
        bitmap_shrink(b, &at, (uint32_t)to);
        return LOAM_OK;
    }
    if (to > BITMAP_MAX || !bitmap_extend(b, &at, (uint32_t)to))
        return LOAM_ERROR_SPENT;
    region->live += (to - at.length) * BITMAP_GRANULE;
    at.length = (uint32_t)to;
    bitmap_raise_tail(b, &at);
    return LOAM_OK;
}

/* ---- asking ---- */

REGION_API int bitmap_usable(struct loam_region *region, const void *block, size_t *size)
{
    struct bitmap_place at;
    int error = bitmap_locate(bitmap_of(region), block, &at);
    if (error == LOAM_OK)
        *size = (size_t)at.length * BITMAP_GRANULE;
    return error;
}

REGION_API bool bitmap_owns(const struct loam_region *region, const void *address)
{
    return bitmap_segment_at((const struct bitmap *)region, address) != NULL;
}

REGION_API void bitmap_stats(struct loam_region *region, struct loam_region_stats *stats)
{
    struct bitmap *b = bitmap_of(region);
    bitmap_consolidate(b, false);
    uint32_t longest = 0;
    for (struct bitmap_segment *segment = b->oldest; segment != NULL; segment = segment->newer) {
        segment->hint = bounds_longest(&segment->bounds);
        longest = segment->hint > longest ? segment->hint : longest;
    }
    stats->free = b->paid * BITMAP_GRANULE - region->live;
    stats->largest_free = (size_t)longest * BITMAP_GRANULE;
}

struct bitmap_walker {
    const struct bitmap_segment *segment;
    bool (*visit)(const struct loam_region_block *block, void *arg);
    void *arg;
    bool stopped;
};

static bool bitmap_walk_step(const struct bounds_segment *at, void *arg)
{
    struct bitmap_walker *walker = arg;
    if (at->start >= walker->segment->paid)
        return false;
    struct loam_region_block block = {bitmap_address(walker->segment, at->start), (size_t)at->length * BITMAP_GRANULE,
                                      at->occupied};
    walker->stopped = !walker->visit(&block, walker->arg);
    return !walker->stopped;
}

REGION_API int bitmap_walk(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                           void *arg)
{
    struct bitmap *b = bitmap_of(region);
    struct bitmap_walker walker = {NULL, visit, arg, false};
    bitmap_consolidate(b, false); /* now occupied means live */
    for (struct bitmap_segment *segment = b->oldest; segment != NULL && !walker.stopped; segment = segment->newer) {
        walker.segment = segment;
        bounds_walk(&segment->bounds, bitmap_walk_step, &walker);
    }
    return LOAM_OK;
}

static const char *bitmap_check_segment(const struct bitmap_segment *segment, size_t *occupied)
{
    const struct bounds *bounds = &segment->bounds;
    if (segment->paid > bounds->granules || (segment->newer != NULL && segment->newer->older != segment))
        return "bitmap: a segment's links or lengths are wrong";
    if (segment->paid < bounds->granules &&
        (bounds_is_free(bounds, segment->paid) || !bits_test(bounds->boundary, segment->paid) ||
         bounds_next(bounds, segment->paid) != bounds->granules))
        return "bitmap: what is not paid for is not one occupied segment";
    if (segment->hint < bounds_longest(bounds))
        return "bitmap: a segment's hint is below its longest hole";
    for (uint32_t i = 0; i < segment->paid; i++)
        *occupied += !bounds_is_free(bounds, i);
    return bounds_check(bounds);
}

REGION_API const char *bitmap_check(struct loam_region *region)
{
    struct bitmap *b = bitmap_of(region);
    size_t occupied = 0, paid = 0;
    for (struct bitmap_segment *segment = b->oldest; segment != NULL; segment = segment->newer) {
        const char *wrong = bitmap_check_segment(segment, &occupied);
        if (wrong != NULL)
            return wrong;
        paid += segment->paid;
    }
    if (paid != b->paid || (b->newest != NULL && b->newest->newer != NULL))
        return "bitmap: the segments do not add up";
    if (occupied * BITMAP_GRANULE != region->live + b->listed * BITMAP_GRANULE)
        return "bitmap: occupied is not live and listed together";
    return bitmap_lists_check(b);
}

/* ---- all at once ---- */

static void bitmap_forget_lists(struct bitmap *b)
{
    memset(b->used, 0, sizeof b->used);
    memset(b->list, 0, sizeof b->list);
    memset(b->recent, 0, sizeof b->recent);
    b->listed = 0;
    b->fresh = 0;
    b->kept = 0;
    b->row.length = 0;
    b->base.live = 0;
    b->base.live_blocks = 0;
}

REGION_API int bitmap_reset(struct loam_region *region)
{
    struct bitmap *b = bitmap_of(region);
    bitmap_forget_lists(b);
    for (struct bitmap_segment *segment = b->oldest; segment != NULL; segment = segment->newer)
        bitmap_segment_clear(segment);
    bitmap_drop_empty(b);
    bitmap_lower(b);
    return LOAM_OK;
}

REGION_API void bitmap_destroy(struct loam_region *region)
{
    struct bitmap *b = bitmap_of(region);
    struct source source = region->source;
    region->magic = 0;
    for (struct bitmap_segment *segment = b->newest, *older; segment != NULL; segment = older) {
        older = segment->older;
        source_give(&source, segment->piece, segment->piece_size); /* the last one takes the head with it */
    }
}
