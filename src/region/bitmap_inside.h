/* The inside of the bitmap strategy, shared by bitmap.c (the calls), bitmap_lists.c and bitmap_segments.c. */
#ifndef LOAM_REGION_BITMAP_INSIDE_H
#define LOAM_REGION_BITMAP_INSIDE_H

#include "bounds/bounds.h"
#include "region/bitmap.h"

enum {
    BITMAP_GRANULE = 8,
    BITMAP_SMALL = 128, /* granules of the largest size that has a list: 1 KiB */
    BITMAP_RECENT = 16, /* freed blocks above that which wait to be asked for again */
    BITMAP_ROW = 256, /* granules cut from a hole at once for small blocks */
    BITMAP_PAGE = 4096 / BITMAP_GRANULE,
    BITMAP_STEP_MAX = 16384 / BITMAP_GRANULE,
    BITMAP_LARGE = (1 << 20) / BITMAP_GRANULE, /* granules of a region that may wait longer before it merges */
    BITMAP_FIRST = 32768 / BITMAP_GRANULE, /* granules of the first segment over the break */
    BITMAP_MAX = 1 << 30 /* granules of the longest segment: 8 GiB (four levels of numbers) */
};

/* A stretch of memory with its books in front: this structure, the maps, the payload. */
struct bitmap_segment {
    struct bitmap_segment *older, *newer;
    struct bounds bounds; /* over the whole capacity; what is not paid is occupied, one segment up to the end */
    char *payload; /* granule 0 */
    char *piece; /* what the source gave: the region's head and this, or this */
    size_t piece_size; /* bytes of it */
    uint32_t paid; /* granules behind which there is memory */
    uint32_t hint; /* no hole is longer */
};

/* A block, live or listed: where it is in the books. */
struct bitmap_place {
    struct bitmap_segment *segment; /* NULL: none */
    uint32_t start, length;
};

struct bitmap {
    struct loam_region base;
    struct bitmap_segment *oldest, *newest;
    size_t paid; /* granules, of all segments */
    size_t listed; /* granules in lists, `recent` and `row`: free, but occupied in the maps */
    size_t fresh; /* of them, those freed since the lists were last consolidated */
    size_t kept; /* of those that stayed listed then, the ones near the tail */
    uint32_t tail; /* in the newest segment: nothing live from here on */
    uint32_t peak; /* the highest tail since the break was last moved */
    bool top_freed; /* since the last look at the top, something was freed near to it */
    uint64_t tag; /* in the top 11 bits of a listed block's first word */
    uint64_t used[(BITMAP_SMALL + 64) / 64]; /* which lists hold something */
    char *list[BITMAP_SMALL + 1]; /* by length in granules; LIFO */
    struct bitmap_place recent[BITMAP_RECENT]; /* freed blocks above BITMAP_SMALL, the youngest first */
    struct bitmap_place row; /* what was cut from a hole for small blocks to come; length 0: nothing */
};

INLINE struct bitmap *bitmap_of(struct loam_region *region)
{
    return (struct bitmap *)region;
}

INLINE char *bitmap_address(const struct bitmap_segment *segment, uint32_t i)
{
    return segment->payload + (size_t)i * BITMAP_GRANULE;
}

/* The segment that an address lies in. Segments grow by half, so the newest is the likeliest. */
INLINE struct bitmap_segment *bitmap_segment_at(const struct bitmap *b, const void *address)
{
    struct bitmap_segment *segment = b->newest;
    while (segment != NULL &&
           (uintptr_t)address - (uintptr_t)segment->payload >= (size_t)segment->paid * BITMAP_GRANULE)
        segment = segment->older;
    return segment;
}

/* bitmap_segments.c */
REGION_API size_t bitmap_books(uint32_t capacity);
REGION_API struct bitmap_segment *bitmap_segment_make(struct bitmap *b, char *piece, size_t front, size_t bytes,
                                                      uint32_t capacity);
REGION_API uint32_t bitmap_fit(size_t bytes);
REGION_API bool bitmap_is_growable(const struct bitmap *b);
REGION_API bool bitmap_grow(struct bitmap *b, uint32_t g);
REGION_API void bitmap_tail_find(struct bitmap *b);
REGION_API void bitmap_lower(struct bitmap *b);
REGION_API void bitmap_release(struct bitmap_segment *segment, uint32_t start, uint32_t length);
REGION_API void bitmap_drop_empty(struct bitmap *b);
REGION_API void bitmap_segment_clear(struct bitmap_segment *segment);

/* bitmap_lists.c */
REGION_API void bitmap_row_put(struct bitmap *b, const struct bitmap_place *row);
REGION_API bool bitmap_row_take(struct bitmap *b, uint32_t g, uint32_t align, struct bitmap_place *at);
REGION_API void bitmap_row_give(struct bitmap *b);
REGION_API void bitmap_list_put(struct bitmap *b, const struct bitmap_place *at);
REGION_API bool bitmap_list_take(struct bitmap *b, uint32_t g, uint32_t align, struct bitmap_place *at);
REGION_API bool bitmap_list_split(struct bitmap *b, uint32_t g, uint32_t align, struct bitmap_place *at);
REGION_API bool bitmap_is_listed(const struct bitmap *b, const struct bitmap_place *at);
REGION_API void bitmap_consolidate(struct bitmap *b, bool keep);
REGION_API const char *bitmap_lists_check(const struct bitmap *b);

#endif
