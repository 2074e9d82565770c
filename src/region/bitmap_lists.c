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
 * Consolidation puts into the maps what has a free neighbour, listed or a hole, and there they merge whatever sizes they
 * had. What stands alone (most of it, where sizes are mixed) stays in its list, but only if at least half of what was
 * listed is fresh: so every freed block pays for a constant number of passes. To find who stands alone, all listed
 * blocks set their first and last granule free in the maps, for as long as it takes; their boundaries stay.
 *
 * Easy to get wrong: the first word of a *live* block belongs to the program and its threads; only the block that is
 * being freed may be looked at. */
#include "region/bitmap_inside.h"

enum { BITMAP_TAG_SHIFT = 53, BITMAP_LOOKS = 8 };

static uint64_t bitmap_link(const struct bitmap *b, const char *next)
{
    return b->tag | (uint64_t)(uintptr_t)next / BITMAP_GRANULE;
}

static char *bitmap_link_to(uint64_t link)
{
    return (char *)(uintptr_t)((link & ~(~UINT64_C(0) << BITMAP_TAG_SHIFT)) * BITMAP_GRANULE);
}

static bool bitmap_is_link(const struct bitmap *b, uint64_t word)
{
    return (word & ~UINT64_C(0) << BITMAP_TAG_SHIFT) == b->tag;
}

/* Reads a link. False: it is none, or leads out of the region. */
static bool bitmap_link_read(const struct bitmap *b, const char *block, char **next)
{
    uint64_t word = bits_load64(block);
    *next = bitmap_link_to(word);
    return bitmap_is_link(b, word) && (*next == NULL || bitmap_segment_at(b, *next) != NULL);
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

static void bitmap_link_put(const struct bitmap *b, char *block, const char *next)
{
    uint64_t link = bitmap_link(b, next);
    memcpy(block, &link, sizeof link);
}

static void bitmap_list_push(struct bitmap *b, char *block, uint32_t g)
{
    bitmap_link_put(b, block, b->list[g]);
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
            if (before == NULL)
                bitmap_list_head(b, g, next);
            else
                bitmap_link_put(b, before, next);
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

/* Lends the first and the last granule of a listed block to the map, or takes them back. */
static void bitmap_ends_put(const struct bitmap_place *at, bool occupied)
{
    const uint32_t ends[] = {at->start, at->start + at->length - 1};
    for (int i = 0; i < 2; i++) {
        uint64_t *word = &at->segment->bounds.occupied[ends[i] / BITS_WORD];
        uint64_t bit = UINT64_C(1) << (ends[i] % BITS_WORD);
        *word = occupied ? *word | bit : *word & ~bit;
    }
}

static struct bitmap_place bitmap_place_of(const struct bitmap *b, const char *block, uint32_t g)
{
    struct bitmap_segment *segment = bitmap_segment_at(b, block);
    return (struct bitmap_place){segment, segment != NULL ? bitmap_index(segment, block) : 0, g};
}

/* Step one: all that is listed lends its ends. A list with a link that was overwritten, or that leads to what is no block
 * of its size (nor one that was met already), ends there. */
static void bitmap_ends_lend(struct bitmap *b)
{
    for (uint32_t g = bitmap_list_above(b, 1); g != 0; g = bitmap_list_above(b, g + 1)) {
        char *before = NULL, *block = b->list[g];
        while (block != NULL) {
            struct bitmap_place at = bitmap_place_of(b, block, g);
            uint64_t link = at.segment != NULL ? bits_load64(block) : 0;
            if (!bitmap_is_link(b, link) || !bitmap_is_whole(at.segment, at.start, g))
                break;
            bitmap_ends_put(&at, false);
            before = block;
            block = bitmap_link_to(link);
        }
        if (block == NULL)
            continue;
        b->base.error = LOAM_ERROR_CORRUPT;
        if (before != NULL)
            bitmap_link_put(b, before, NULL);
        else
            b->list[g] = NULL; /* its bit in `used` goes in step two */
    }
    for (uint32_t i = 0; i < BITMAP_RECENT && b->recent[i].segment != NULL; i++)
        bitmap_ends_put(&b->recent[i], false);
}

/* Whether nothing free stands beside a listed block. What ends at the top is to go back, and so is never alone. */
static bool bitmap_is_alone(const struct bitmap *b, const struct bitmap_place *at)
{
    const struct bounds *bounds = &at->segment->bounds;
    uint32_t end = at->start + at->length;
    return (at->start == 0 || !bounds_is_free(bounds, at->start - 1)) &&
           (end == bounds->granules || !bounds_is_free(bounds, end)) &&
           (at->segment != b->newest || end != at->segment->paid);
}

/* Step two, for each block: what stands alone, and may, takes its ends back and stays listed. False: it is to merge. */
static bool bitmap_stays(struct bitmap *b, const struct bitmap_place *at, bool keep)
{
    if (!keep || !bitmap_is_alone(b, at))
        return false;
    bitmap_ends_put(at, true);
    b->listed += at->length;
    if (at->segment == b->newest && at->start + 2 * BITMAP_PAGE >= b->tail)
        b->kept += at->length; /* for bitmap_top_may_go */
    return true;
}

/* Step two for the lists. Returns those that are to merge, in a list of their own. */
static char *bitmap_lists_part(struct bitmap *b, bool keep)
{
    char *apart = NULL;
    for (uint32_t g = bitmap_list_above(b, 1); g != 0; g = bitmap_list_above(b, g + 1)) {
        char *head = NULL, *last = NULL;
        for (char *block = b->list[g], *next; block != NULL; block = next) {
            struct bitmap_place at = bitmap_place_of(b, block, g);
            next = bitmap_link_to(bits_load64(block)); /* looked at in step one */
            if (!bitmap_stays(b, &at, keep)) {
                bitmap_link_put(b, block, apart);
                apart = block;
                continue;
            }
            if (last != NULL)
                bitmap_link_put(b, last, block);
            else
                head = block;
            last = block;
        }
        if (last != NULL)
            bitmap_link_put(b, last, NULL);
        bitmap_list_head(b, g, head);
    }
    return apart;
}

/* Step three: all that is to merge takes its ends back; then one after the other goes to the maps. */
static void bitmap_merge(struct bitmap *b, char *apart, const struct bitmap_place *large, uint32_t count)
{
    for (int release = 0; release <= 1; release++) {
        for (char *block = apart, *next; block != NULL; block = next) {
            struct bitmap_place at = bitmap_place_of(b, block, 0);
            next = bitmap_link_to(bits_load64(block));
            at.length = bounds_next(&at.segment->bounds, at.start) - at.start;
            if (release)
                bitmap_release(at.segment, at.start, at.length);
            else
                bitmap_ends_put(&at, true);
        }
        for (uint32_t i = 0; i < count; i++) {
            if (release)
                bitmap_release(large[i].segment, large[i].start, large[i].length);
            else
                bitmap_ends_put(&large[i], true);
        }
    }
}

/* Merges what is free. `keep`: what has no free neighbour may stay listed (if that is paid for, see above). */
REGION_API void bitmap_consolidate(struct bitmap *b, bool keep)
{
    struct bitmap_place large[BITMAP_RECENT];
    uint32_t count = 0, kept = 0;
    bitmap_row_give(b);
    keep = keep && b->fresh * 2 >= b->listed;
    b->listed = 0;
    b->fresh = 0;
    b->kept = 0;
    bitmap_ends_lend(b);
    char *apart = bitmap_lists_part(b, keep);
    for (uint32_t i = 0; i < BITMAP_RECENT && b->recent[i].segment != NULL; i++) {
        struct bitmap_place at = b->recent[i];
        if (bitmap_stays(b, &at, keep))
            b->recent[kept++] = at;
        else
            large[count++] = at;
    }
    memset(b->recent + kept, 0, (BITMAP_RECENT - kept) * sizeof b->recent[0]);
    bitmap_merge(b, apart, large, count);
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
