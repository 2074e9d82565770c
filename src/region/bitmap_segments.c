/* The segments of a bitmap region: how they are laid out, how the region grows, and how the break is lowered again.
 *
 * A segment's maps are made for its whole capacity and stand in front; the payload is paid for in small steps behind
 * them (over the break; the other sources give it all at once). So blocks of one segment touch, and the books of n
 * bytes are n/32 for the bits and n/256 or n/128 for the numbers. Over the break each new segment is half as long as
 * all that is there, so there are O(log n) of them. Where somebody else has moved the break, the segment stays as
 * long as it is, and the next one is only planned twice as long: who is cut off often should not keep maps for memory
 * that never comes.
 *
 * The memory of the break may hold anything: all that is read later is written here first. */
#include "region/bitmap_inside.h"

/* Bytes of a segment's structure and maps. */
REGION_API size_t bitmap_books(uint32_t capacity)
{
    return bits_up(sizeof(struct bitmap_segment) + bounds_size(capacity, capacity > NUMBERS_NARROW_MAX),
                   SOURCE_ALIGNMENT);
}

/* The greatest capacity whose books and payload fit into `bytes`; 0 if none does. */
REGION_API uint32_t bitmap_fit(size_t bytes)
{
    uint32_t low = 0;
    uint32_t high = bytes / BITMAP_GRANULE < BITMAP_MAX ? (uint32_t)(bytes / BITMAP_GRANULE) / 2 : BITMAP_MAX / 2;
    while (low < high) { /* in pairs of granules, so that a segment ends 16-aligned */
        uint32_t middle = low + (high - low + 1) / 2;
        if (bitmap_books(2 * middle) + (size_t)middle * 2 * BITMAP_GRANULE <= bytes)
            low = middle;
        else
            high = middle - 1;
    }
    return 2 * low;
}

/* All that is paid becomes one hole. */
REGION_API void bitmap_segment_clear(struct bitmap_segment *segment)
{
    uint32_t capacity = segment->bounds.granules;
    bounds_init(&segment->bounds, segment + 1, capacity, capacity > NUMBERS_NARROW_MAX);
    if (segment->paid < capacity)
        bounds_place_at(&segment->bounds, segment->paid, capacity - segment->paid);
    segment->hint = segment->paid;
}

/* Lays a segment out `front` bytes into a piece of `bytes`, and makes it the newest. */
REGION_API struct bitmap_segment *bitmap_segment_make(struct bitmap *b, char *piece, size_t front, size_t bytes,
                                                      uint32_t capacity)
{
    struct bitmap_segment *segment = (struct bitmap_segment *)(piece + front);
    size_t room = (bytes - front - bitmap_books(capacity)) / BITMAP_GRANULE;
    *segment = (struct bitmap_segment){.older = b->newest, .piece = piece, .piece_size = bytes};
    segment->bounds.granules = capacity;
    segment->payload = (char *)segment + bitmap_books(capacity);
    segment->paid = room < capacity ? (uint32_t)room : capacity;
    bitmap_segment_clear(segment);
    if (b->newest != NULL)
        b->newest->newer = segment;
    else
        b->oldest = segment;
    b->newest = segment;
    b->paid += segment->paid;
    bitmap_tail_find(b);
    b->peak = b->tail;
    return segment;
}

/* ---- the tail: what is free at the end of the newest segment ---- */

static uint32_t bitmap_top_hole(const struct bitmap_segment *segment)
{
    uint32_t paid = segment->paid;
    if (paid == 0 || !bounds_is_free(&segment->bounds, paid - 1))
        return paid;
    return bounds_hole_start(&segment->bounds, paid - 1);
}

REGION_API void bitmap_tail_find(struct bitmap *b)
{
    b->tail = bitmap_top_hole(b->newest);
}

REGION_API void bitmap_release(struct bitmap_segment *segment, uint32_t start, uint32_t length)
{
    struct bounds_segment hole = bounds_release(&segment->bounds, start, length);
    segment->hint = hole.length > segment->hint ? hole.length : segment->hint;
}

/* ---- growing ---- */

/* More memory can come to stand right behind the newest segment's payload. */
REGION_API bool bitmap_is_growable(const struct bitmap *b)
{
    return source_is_growable(&b->base.source) && b->base.source.end == bitmap_address(b->newest, b->newest->paid);
}

/* How much is paid for beyond the need: little enough that 10,000 small objects stay under 9 bytes of overhead each. */
static uint32_t bitmap_step(const struct bitmap *b)
{
    size_t step = b->paid < BITMAP_PAGE ? BITMAP_PAGE : b->paid > BITMAP_STEP_MAX ? BITMAP_STEP_MAX : b->paid;
    return (uint32_t)bits_up(step > b->paid / 64 ? step : b->paid / 64, 2);
}

/* Pays for `step` granules more at the end of the newest segment. */
static bool bitmap_pay(struct bitmap *b, uint32_t step)
{
    struct bitmap_segment *segment = b->newest;
    if (!source_extend(&b->base.source, (size_t)step * BITMAP_GRANULE))
        return false;
    uint32_t from = segment->paid;
    segment->paid += step;
    segment->piece_size += (size_t)step * BITMAP_GRANULE;
    bounds_boundary_set(&segment->bounds, segment->paid); /* the unpaid end is cut in two, and its front set free */
    bitmap_release(segment, from, step);
    b->paid += step;
    return true;
}

/* The capacity of the next segment, and the bytes to ask for. */
static uint32_t bitmap_plan(const struct bitmap *b, uint32_t g, size_t *wish)
{
    const struct bitmap_segment *last = b->newest;
    bool over_break = b->base.source.kind == LOAM_SOURCE_BREAK;
    size_t capacity = b->paid / 2;
    if (over_break && last->paid < last->bounds.granules)
        capacity = (size_t)last->paid * 2 < capacity ? (size_t)last->paid * 2 : capacity; /* it was cut off */
    capacity = capacity < BITMAP_FIRST ? BITMAP_FIRST : capacity;
    capacity = bits_up(capacity < g ? g : capacity, BITS_WORD);
    capacity = capacity > BITMAP_MAX ? BITMAP_MAX : capacity;
    size_t payload = over_break ? (bitmap_step(b) > g ? bitmap_step(b) : bits_up(g, 2)) : capacity;
    payload = payload > capacity ? capacity : payload;
    *wish = bitmap_books((uint32_t)capacity) + payload * BITMAP_GRANULE;
    return (uint32_t)capacity;
}

static bool bitmap_new_segment(struct bitmap *b, uint32_t g)
{
    size_t bytes;
    uint32_t capacity = bitmap_plan(b, g, &bytes);
    size_t least = bitmap_books((uint32_t)bits_up(g, 2)) + bits_up(g, 2) * BITMAP_GRANULE;
    size_t wish = bytes;
    char *piece = source_take(&b->base.source, least, &bytes);
    if (piece == NULL)
        return false;
    if (b->base.source.kind != LOAM_SOURCE_BREAK || bytes < wish)
        capacity = bitmap_fit(bytes);
    bitmap_segment_make(b, piece, 0, bytes, capacity);
    return true;
}

/* Makes room for a block of g granules at the end. */
REGION_API bool bitmap_grow(struct bitmap *b, uint32_t g)
{
    struct bitmap_segment *segment = b->newest;
    uint32_t room = segment->bounds.granules - segment->paid;
    uint32_t there = segment->paid - bitmap_top_hole(segment);
    uint32_t need = g > there ? (uint32_t)bits_up(g - there, 2) : 0;
    if (need > 0 && need <= room && bitmap_is_growable(b)) {
        uint32_t step = bitmap_step(b) > need ? bitmap_step(b) : need;
        step = step > room ? room : step;
        return bitmap_pay(b, step) || (step > need && bitmap_pay(b, need));
    }
    return bitmap_new_segment(b, g);
}

/* ---- giving back ---- */

static void bitmap_unlink(struct bitmap *b, struct bitmap_segment *segment)
{
    if (segment->newer != NULL)
        segment->newer->older = segment->older;
    else
        b->newest = segment->older;
    segment->older->newer = segment->newer; /* the oldest is never unlinked */
    b->paid -= segment->paid;
}

static bool bitmap_segment_give(struct bitmap *b, struct bitmap_segment *segment)
{
    struct bitmap_segment kept = *segment; /* the memory may be gone in a moment */
    bitmap_unlink(b, segment);
    if (source_give(&b->base.source, kept.piece, kept.piece_size))
        return true;
    b->paid += kept.paid; /* refused: back into the row */
    kept.older->newer = segment;
    if (kept.newer != NULL)
        kept.newer->older = segment;
    else
        b->newest = segment;
    return false;
}

/* Map: segments that are one hole go back, but for the oldest, in which the head stands. */
REGION_API void bitmap_drop_empty(struct bitmap *b)
{
    if (b->base.source.kind != LOAM_SOURCE_MAP)
        return;
    bool dropped = false;
    for (struct bitmap_segment *segment = b->newest, *older; segment != b->oldest; segment = older) {
        older = segment->older;
        if (segment->hint == segment->bounds.granules && bounds_longest(&segment->bounds) == segment->bounds.granules)
            dropped |= bitmap_segment_give(b, segment);
    }
    if (dropped)
        bitmap_tail_find(b);
}

/* Break: what is free at the top goes back, in pages of 4 KiB; and whole segments with their books. */
REGION_API void bitmap_lower(struct bitmap *b)
{
    struct bitmap_segment *segment = b->newest;
    while (segment != b->oldest && bitmap_top_hole(segment) == 0 && bitmap_is_growable(b) &&
           bitmap_segment_give(b, segment))
        segment = b->newest;
    uint32_t top = bitmap_top_hole(segment);
    uint32_t spare = (segment->paid - top) / BITMAP_PAGE * BITMAP_PAGE;
    if (spare > 0 && bitmap_is_growable(b) && source_lower(&b->base.source, (size_t)spare * BITMAP_GRANULE)) {
        uint32_t was = segment->paid;
        segment->paid -= spare;
        segment->piece_size -= (size_t)spare * BITMAP_GRANULE;
        bounds_cut(&segment->bounds, top, was, segment->paid, spare);
        if (was < segment->bounds.granules)
            bounds_boundary_clear(&segment->bounds, was); /* one with the unpaid rest */
        b->paid -= spare;
    }
    b->tail = bitmap_top_hole(segment);
    b->peak = b->tail;
}
