/* The lists in front of a bitmap region's maps: freed blocks, the youngest first, ready to be handed out as they are.
 *
 * A block of up to 1 KiB goes into the list of its exact size: its first word holds the link. The 16 youngest larger
 * ones stand in a row in the head. To the maps they all count as occupied, so a hit in a list touches no map at all.
 *
 * The link is the next block's address divided by 8, and above it an 11-bit tag of the region. A block whose first
 * word has the tag is suspected to be listed already, and then the list is walked: a double free is certain, and a
 * program that writes into freed memory is found when the block is taken out (the list is cut there, what hung on it
 * is lost, nothing else happens).
 *
 * Consolidation empties the lists into the maps, where neighbours merge whatever sizes they had. What has not merged
 * with anything may go back into its list in the same order, but only if at least half of what was listed is fresh:
 * so every freed block pays for a constant number of passes.
 *
 * Easy to get wrong: the first word of a *live* block belongs to the program and its threads; only the block that is
 * being freed may be looked at. */
#include "region/bitmap_inside.h"

enum { BITMAP_TAG_SHIFT = 53, BITMAP_LOOKS = 8 };

static uint64_t bitmap_link(const struct bitmap *b, const char *next)
{
    return b->tag | (uint64_t)(uintptr_t)next / BITMAP_GRANULE;
}

/* Reads a link. False: it is none, or leads out of the region. */
static bool bitmap_link_read(const struct bitmap *b, const char *block, char **next)
{
    uint64_t word = bits_load64(block);
    char *to = (char *)(uintptr_t)((word & ~(~UINT64_C(0) << BITMAP_TAG_SHIFT)) * BITMAP_GRANULE);
    *next = to;
    return (word & ~UINT64_C(0) << BITMAP_TAG_SHIFT) == b->tag && (to == NULL || bitmap_segment_at(b, to) != NULL);
}

/* The link of a listed block; NULL and an error if it has been overwritten. */
static char *bitmap_next(struct bitmap *b, const char *block)
{
    char *next;
    if (bitmap_link_read(b, block, &next))
        return next;
    b->base.error = LOAM_ERROR_CORRUPT;
    return NULL;
}

static void bitmap_list_push(struct bitmap *b, char *block, uint32_t g)
{
    uint64_t link = bitmap_link(b, b->list[g]);
    memcpy(block, &link, sizeof link);
    b->list[g] = block;
    b->used[g / 64] |= UINT64_C(1) << (g % 64);
}

static void bitmap_list_head(struct bitmap *b, uint32_t g, char *head)
{
    b->list[g] = head;
    if (head == NULL)
        b->used[g / 64] &= ~(UINT64_C(1) << (g % 64));
}

static uint32_t bitmap_index(const struct bitmap_segment *segment, const char *block)
{
    return (uint32_t)((size_t)(block - segment->payload) / BITMAP_GRANULE);
}

static bool bitmap_is_aligned(const char *block, uint32_t align)
{
    return (uintptr_t)block / BITMAP_GRANULE % align == 0;
}

/* ---- putting ---- */

/* The oldest of the large ones makes room, and goes to the maps. */
static void bitmap_recent_put(struct bitmap *b, const struct bitmap_place *at)
{
    struct bitmap_place *last = &b->recent[BITMAP_RECENT - 1];
    if (last->segment != NULL) {
        b->listed -= last->length;
        b->fresh = b->fresh < b->listed ? b->fresh : b->listed;
        bitmap_release(last->segment, last->start, last->length);
    }
    memmove(b->recent + 1, b->recent, (BITMAP_RECENT - 1) * sizeof b->recent[0]);
    b->recent[0] = *at;
}

/* A block that is no longer live; to the maps it stays occupied. */
REGION_API void bitmap_list_put(struct bitmap *b, const struct bitmap_place *at)
{
    b->fresh += at->length;
    b->listed += at->length;
    if (at->length > BITMAP_SMALL)
        bitmap_recent_put(b, at);
    else
        bitmap_list_push(b, bitmap_address(at->segment, at->start), at->length);
}

/* ---- taking ---- */

static void bitmap_taken(struct bitmap *b, uint32_t g)
{
    b->listed -= g;
    b->fresh = b->fresh < b->listed ? b->fresh : b->listed;
}

static bool bitmap_small_take(struct bitmap *b, uint32_t g, uint32_t align, struct bitmap_place *at)
{
    char *before = NULL;
    char *block = b->list[g];
    for (int looks = 0; block != NULL && looks < BITMAP_LOOKS; looks++) {
        char *next = bitmap_next(b, block);
        if (bitmap_is_aligned(block, align)) {
            if (before == NULL) {
                bitmap_list_head(b, g, next);
            } else {
                uint64_t link = bitmap_link(b, next);
                memcpy(before, &link, sizeof link);
            }
            struct bitmap_segment *segment = bitmap_segment_at(b, block);
            *at = (struct bitmap_place){segment, bitmap_index(segment, block), g};
            bitmap_taken(b, g);
            return true;
        }
        before = block;
        block = next;
    }
    return false;
}

/* A listed block of exactly g granules at a multiple of `align` granules; the youngest. */
REGION_API bool bitmap_list_take(struct bitmap *b, uint32_t g, uint32_t align, struct bitmap_place *at)
{
    if (g <= BITMAP_SMALL)
        return bitmap_small_take(b, g, align, at);
    for (uint32_t i = 0; i < BITMAP_RECENT && b->recent[i].segment != NULL; i++) {
        struct bitmap_place large = b->recent[i];
        if (large.length == g && bitmap_is_aligned(bitmap_address(large.segment, large.start), align)) {
            memmove(b->recent + i, b->recent + i + 1, (BITMAP_RECENT - 1 - i) * sizeof b->recent[0]);
            b->recent[BITMAP_RECENT - 1].segment = NULL;
            *at = (struct bitmap_place){large.segment, large.start, g};
            bitmap_taken(b, g);
            return true;
        }
    }
    return false;
}

/* The shortest list from `least` on that holds something; 0 if none does. */
static uint32_t bitmap_list_above(const struct bitmap *b, uint32_t least)
{
    for (uint32_t w = least / 64; least <= BITMAP_SMALL && w < sizeof b->used / sizeof b->used[0]; w++) {
        uint64_t lists = w == least / 64 ? b->used[w] & (~UINT64_C(0) << (least % 64)) : b->used[w];
        if (lists != 0)
            return w * 64 + bits_ctz(lists);
    }
    return 0;
}

/* Cuts g granules out of the youngest block of the shortest list that surely holds them; what remains stays listed. */
REGION_API bool bitmap_list_split(struct bitmap *b, uint32_t g, uint32_t align, struct bitmap_place *at)
{
    uint32_t length = g <= BITMAP_SMALL ? bitmap_list_above(b, g + align > g + 1 ? g + align - 1 : g + 1) : 0;
    if (length == 0)
        return false;
    char *block = b->list[length];
    bitmap_list_head(b, length, bitmap_next(b, block));
    struct bitmap_segment *segment = bitmap_segment_at(b, block);
    uint32_t start = bitmap_index(segment, block);
    uint32_t front = (uint32_t)(-((uintptr_t)block / BITMAP_GRANULE) % align);
    uint32_t rest = length - front - g;
    if (front > 0) {
        bounds_boundary_set(&segment->bounds, start + front);
        bitmap_list_push(b, block, front);
    }
    if (rest > 0) {
        bounds_boundary_set(&segment->bounds, start + front + g);
        bitmap_list_push(b, bitmap_address(segment, start + front + g), rest);
    }
    *at = (struct bitmap_place){segment, start + front, g};
    bitmap_taken(b, g);
    return true;
}

/* ---- the row: small blocks that were never live are cut from it one behind the other ---- */

REGION_API void bitmap_row_put(struct bitmap *b, const struct bitmap_place *row)
{
    b->row = *row;
    b->listed += row->length;
}

/* The next g granules of the row; what alignment makes it skip is listed. False: it has not so many. */
REGION_API bool bitmap_row_take(struct bitmap *b, uint32_t g, uint32_t align, struct bitmap_place *at)
{
    struct bitmap_place *row = &b->row;
    if (row->length < g)
        return false;
    char *start = bitmap_address(row->segment, row->start);
    uint32_t skip = (uint32_t)(-((uintptr_t)start / BITMAP_GRANULE) % align);
    if (row->length - g < skip)
        return false;
    if (skip > 0) {
        bounds_boundary_set(&row->segment->bounds, row->start + skip);
        bitmap_list_push(b, start, skip);
    }
    *at = (struct bitmap_place){row->segment, row->start + skip, g};
    row->start += skip + g;
    row->length -= skip + g;
    if (row->length > 0)
        bounds_boundary_set(&row->segment->bounds, row->start);
    bitmap_taken(b, g);
    return true;
}

/* Back to the hole that it was cut from. */
REGION_API void bitmap_row_give(struct bitmap *b)
{
    if (b->row.length > 0)
        bitmap_release(b->row.segment, b->row.start, b->row.length);
    bitmap_taken(b, b->row.length);
    b->row.length = 0;
}

/* ---- asking ---- */

/* Whether the block that somebody frees stands in a list already. */
REGION_API bool bitmap_is_listed(const struct bitmap *b, const struct bitmap_place *at)
{
    char *block = bitmap_address(at->segment, at->start);
    if (b->row.length > 0 && b->row.segment == at->segment && b->row.start == at->start)
        return true;
    if (at->length > BITMAP_SMALL) {
        for (uint32_t i = 0; i < BITMAP_RECENT && b->recent[i].segment != NULL; i++)
            if (b->recent[i].segment == at->segment && b->recent[i].start == at->start)
                return true;
        return false;
    }
    char *next;
    if (!bitmap_link_read(b, block, &next))
        return false;
    size_t left = b->listed;
    for (char *listed = b->list[at->length]; listed != NULL && left > 0; listed = next, left--) {
        if (listed == block)
            return true;
        if (!bitmap_link_read(b, listed, &next))
            return false;
    }
    return false;
}

/* ---- consolidating ---- */

/* A block of g granules starts there: only then may it go to the maps. */
static bool bitmap_is_whole(const struct bitmap_segment *segment, uint32_t start, uint32_t g)
{
    return bounds_is_block(&segment->bounds, start) && bounds_next(&segment->bounds, start) == start + g;
}

/* Puts all that is listed into the maps. A link that was overwritten ends its list; false: there was such a one. */
static bool bitmap_release_lists(struct bitmap *b)
{
    bool whole = true;
    bitmap_row_give(b);
    for (uint32_t g = bitmap_list_above(b, 1); g != 0; g = bitmap_list_above(b, g + 1))
        for (char *block = b->list[g], *next; block != NULL; block = next) {
            struct bitmap_segment *segment = bitmap_segment_at(b, block);
            uint32_t start = bitmap_index(segment, block);
            bool linked = bitmap_link_read(b, block, &next);
            if (bitmap_is_whole(segment, start, g))
                bitmap_release(segment, start, g);
            else
                linked = false;
            if (!linked) {
                whole = false;
                break;
            }
        }
    for (uint32_t i = 0; i < BITMAP_RECENT && b->recent[i].segment != NULL; i++)
        bitmap_release(b->recent[i].segment, b->recent[i].start, b->recent[i].length);
    b->listed = 0;
    b->fresh = 0;
    b->kept = 0;
    if (!whole)
        b->base.error = LOAM_ERROR_CORRUPT;
    return whole;
}

/* A hole that is just the block it was, and not at the top: nothing is lost by keeping it listed. */
static bool bitmap_keep(struct bitmap *b, struct bitmap_segment *segment, uint32_t start, uint32_t g)
{
    const struct bounds *bounds = &segment->bounds;
    if (!bits_test(bounds->boundary, start) || !bits_test(bounds->boundary, start + g) ||
        bounds_hole_end(bounds, start) != start + g || (segment == b->newest && start + g == segment->paid))
        return false;
    bounds_cut(bounds, start, start + g, start, g);
    b->listed += g;
    if (segment == b->newest && start + 2 * BITMAP_PAGE >= b->tail)
        b->kept += g; /* for bitmap_top_may_go */
    return true;
}

/* The blocks are holes now, but nobody has written into them: the old links still lead through them. */
static void bitmap_keep_lists(struct bitmap *b)
{
    for (uint32_t g = bitmap_list_above(b, 1); g != 0; g = bitmap_list_above(b, g + 1)) {
        char *last = NULL;
        char *block = b->list[g];
        bitmap_list_head(b, g, NULL);
        for (char *next; block != NULL; block = next) {
            struct bitmap_segment *segment = bitmap_segment_at(b, block);
            next = bitmap_next(b, block);
            if (!bitmap_keep(b, segment, bitmap_index(segment, block), g))
                continue;
            uint64_t link = bitmap_link(b, block);
            if (last != NULL)
                memcpy(last, &link, sizeof link);
            else
                b->list[g] = block;
            last = block;
        }
        if (last != NULL) {
            uint64_t link = bitmap_link(b, NULL);
            memcpy(last, &link, sizeof link);
            b->used[g / 64] |= UINT64_C(1) << (g % 64);
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < BITMAP_RECENT && b->recent[i].segment != NULL; i++)
        if (bitmap_keep(b, b->recent[i].segment, b->recent[i].start, b->recent[i].length))
            b->recent[kept++] = b->recent[i];
    memset(b->recent + kept, 0, (BITMAP_RECENT - kept) * sizeof b->recent[0]);
}

/* Empties the lists into the maps. `keep`: what has not merged may stay listed (if that is paid for, see above). */
REGION_API void bitmap_consolidate(struct bitmap *b, bool keep)
{
    keep = keep && b->fresh * 2 >= b->listed;
    if (bitmap_release_lists(b) && keep) {
        bitmap_keep_lists(b);
    } else {
        memset(b->used, 0, sizeof b->used);
        memset(b->list, 0, sizeof b->list);
        memset(b->recent, 0, sizeof b->recent);
    }
    bitmap_drop_empty(b);
}

/* ---- checking ---- */

static bool bitmap_check_block(const struct bitmap *b, const char *block, uint32_t g, size_t *in_tail)
{
    const struct bitmap_segment *segment = bitmap_segment_at(b, block);
    if (segment == NULL || (uintptr_t)block % BITMAP_GRANULE != 0)
        return false;
    uint32_t start = bitmap_index(segment, block);
    if (segment == b->newest && start + g > b->tail)
        *in_tail += start >= b->tail ? g : start + g - b->tail;
    return bitmap_is_whole(segment, start, g);
}

static size_t bitmap_occupied_in_tail(const struct bitmap *b)
{
    size_t count = 0;
    for (uint32_t i = b->tail; i < b->newest->paid; i++)
        count += !bounds_is_free(&b->newest->bounds, i);
    return count;
}

REGION_API const char *bitmap_lists_check(const struct bitmap *b)
{
    size_t listed = 0, in_tail = 0;
    for (uint32_t g = 1; g <= BITMAP_SMALL; g++) {
        if ((b->list[g] != NULL) != ((b->used[g / 64] >> (g % 64) & 1) != 0))
            return "bitmap: the mask of lists does not say which hold something";
        for (char *block = b->list[g], *next; block != NULL; block = next) {
            listed += g;
            if (!bitmap_check_block(b, block, g, &in_tail) || !bitmap_link_read(b, block, &next))
                return "bitmap: a listed block is no block of its size, or its link was overwritten";
            if (listed > b->listed)
                return "bitmap: more is listed than was counted";
        }
    }
    for (uint32_t i = 0; i < BITMAP_RECENT && b->recent[i].segment != NULL; i++) {
        const struct bitmap_place *large = &b->recent[i];
        listed += large->length;
        if (!bitmap_check_block(b, bitmap_address(large->segment, large->start), large->length, &in_tail))
            return "bitmap: a large listed block is no block of its size";
    }
    listed += b->row.length;
    if (b->row.length > 0 &&
        !bitmap_check_block(b, bitmap_address(b->row.segment, b->row.start), b->row.length, &in_tail))
        return "bitmap: the row is no block of its size";
    if (listed != b->listed || b->fresh > b->listed)
        return "bitmap: less is listed than was counted";
    if (in_tail != bitmap_occupied_in_tail(b))
        return "bitmap: something live stands beyond the tail";
    return NULL;
}
