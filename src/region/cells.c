/* cells: blocks of one size. What is freed goes on top of a list, what is asked for comes from there.
 *
 * Guarantees: alloc and free are constant, cells touch each other, nothing is lost between them. The pool is threaded
 * lazily: cells that were never used are no list, only a count, so making a region does not touch its memory. One bit
 * for each cell says whether it is live. It makes every bad free certain (foreign, between two cells, twice), and a
 * link that the program overwrote is noticed before it leads anywhere. LOAM_REGION_UNCHECKED leaves the bits out:
 * then a free only looks whether the address lies in the pool.
 *
 * All positions are distances from the head of the region, so a region in a shared buffer may be mapped anywhere.
 * Cost: a bit for each cell; a division for each free to find the bit; a look at each piece (there are O(log n)).
 * Easy to get wrong: the bits of a piece are never cleared; that of a cell means nothing before the cell is first used. */
#include "region/cells.h"

enum { CELLS_FIRST = 65536, CELLS_STEP = 8 };

struct cells_piece {
    size_t older, newer; /* distances; 0: none */
    size_t cells; /* distance of the first cell; the bits stand right behind this structure */
    size_t count; /* cells that it has */
    size_t used; /* of them, those that were handed out at least once */
    size_t size; /* bytes of the whole piece */
};

struct cells {
    struct loam_region base;
    size_t cell; /* bytes of one */
    size_t list; /* distance of the cell that was freed last; 0: none */
    size_t listed; /* how many */
    size_t current; /* the piece whose unused cells come next */
    size_t newest, first;
};

static struct cells *cells_of(struct loam_region *region)
{
    return (struct cells *)region;
}

static struct cells_piece *cells_piece_at(const struct cells *c, size_t distance)
{
    return (struct cells_piece *)((uintptr_t)c + distance);
}

static char *cells_address(const struct cells *c, size_t distance)
{
    return (char *)((uintptr_t)c + distance);
}

static uint64_t *cells_bits(struct cells_piece *piece)
{
    return (uint64_t *)(piece + 1);
}

static bool cells_is_checked(const struct cells *c)
{
    return (c->base.flags & LOAM_REGION_UNCHECKED) == 0;
}

/* ---- pieces ---- */

/* Bytes of the structure and its bits. */
static size_t cells_books(const struct cells *c, size_t count)
{
    size_t bits = cells_is_checked(c) ? (count + 63) / 64 * sizeof(uint64_t) : 0;
    return bits_up(sizeof(struct cells_piece) + bits, SOURCE_ALIGNMENT);
}

static void cells_piece_make(struct cells *c, char *memory, size_t front, size_t bytes)
{
    size_t distance = (uintptr_t)memory + front - (uintptr_t)c;
    struct cells_piece *piece = cells_piece_at(c, distance);
    size_t room = bytes - front;
    size_t count = room / c->cell;
    while (cells_books(c, count) + count * c->cell > room)
        count -= (cells_books(c, count) + count * c->cell - room + c->cell - 1) / c->cell;
    *piece = (struct cells_piece){
        .older = c->newest, .cells = distance + cells_books(c, count), .count = count, .size = bytes};
    if (c->newest != 0)
        cells_piece_at(c, c->newest)->newer = distance;
    c->newest = distance;
    c->current = distance;
}

REGION_API int cells_open(struct source source, const struct loam_region_options *options, struct loam_region **out)
{
    struct cells head = {.cell = bits_up(options->cell, CELLS_STEP)};
    size_t front = bits_up(sizeof(struct cells), SOURCE_ALIGNMENT);
    head.base.flags = (uint8_t)options->flags;
    size_t least = front + cells_books(&head, 1) + head.cell;
    size_t bytes = options->first != 0 ? options->first : CELLS_FIRST;
    char *memory = source_take(&source, least, &bytes);
    if (memory == NULL)
        return LOAM_ERROR_SPENT;
    struct cells *c = (struct cells *)memory;
    *c = head;
    region_head_init(&c->base, &source, options);
    c->first = front;
    cells_piece_make(c, memory, front, bytes);
    *out = &c->base;
    return LOAM_OK;
}

static bool cells_grow(struct cells *c)
{
    size_t bytes = c->base.source.taken > CELLS_FIRST ? c->base.source.taken : CELLS_FIRST;
    char *memory = source_take(&c->base.source, cells_books(c, 1) + c->cell, &bytes);
    if (memory != NULL)
        cells_piece_make(c, memory, 0, bytes);
    return memory != NULL;
}

/* The piece that an address lies in, at or behind its first cell; NULL: none. */
static struct cells_piece *cells_piece_of(const struct cells *c, const void *address)
{
    size_t distance = (uintptr_t)address - (uintptr_t)c;
    for (size_t at = c->newest; at != 0; at = cells_piece_at(c, at)->older) {
        struct cells_piece *piece = cells_piece_at(c, at);
        if (distance - piece->cells < piece->count * c->cell)
            return piece;
    }
    return NULL;
}

/* ---- blocks ---- */

static void cells_bit_put(const struct cells *c, struct cells_piece *piece, size_t distance, bool live)
{
    size_t i = (distance - piece->cells) / c->cell;
    uint64_t bit = UINT64_C(1) << (i % 64);
    uint64_t *word = &cells_bits(piece)[i / 64];
    *word = live ? *word | bit : *word & ~bit;
}

/* Whether a cell that was used before is live. */
static bool cells_is_live(const struct cells *c, struct cells_piece *piece, size_t distance)
{
    size_t i = (distance - piece->cells) / c->cell;
    return (cells_bits(piece)[i / 64] >> (i % 64) & 1) != 0;
}

/* A cell that was never handed out; 0: there is none and no memory for more. */
static size_t cells_take_unused(struct cells *c)
{
    struct cells_piece *piece = cells_piece_at(c, c->current);
    while (piece->used == piece->count && piece->newer != 0) { /* after a reset, the older pieces come first */
        c->current = piece->newer;
        piece = cells_piece_at(c, c->current);
    }
    if (piece->used == piece->count) {
        if (!cells_grow(c))
            return 0;
        piece = cells_piece_at(c, c->current);
    }
    size_t i = piece->used++;
    size_t distance = piece->cells + i * c->cell;
    if (cells_is_checked(c))
        cells_bit_put(c, piece, distance, true);
    return distance;
}

/* The cell that was freed last. 0: its link or itself has been overwritten; the list is given up. */
static size_t cells_take_listed(struct cells *c)
{
    size_t distance = c->list;
    char *cell = cells_address(c, distance);
    if (cells_is_checked(c)) {
        struct cells_piece *piece = cells_piece_of(c, cell);
        if (piece == NULL || (distance - piece->cells) % c->cell != 0 ||
            (distance - piece->cells) / c->cell >= piece->used || cells_is_live(c, piece, distance)) {
            c->list = 0;
            c->listed = 0;
            c->base.error = LOAM_ERROR_CORRUPT;
            return 0;
        }
        cells_bit_put(c, piece, distance, true);
    }
    memcpy(&c->list, cell, sizeof c->list);
    c->listed--;
    return distance;
}

REGION_API void *cells_alloc(struct loam_region *region, size_t size, size_t alignment)
{
    struct cells *c = cells_of(region);
    if (size > c->cell)
        return region_fail(region, LOAM_ERROR_SIZE);
    if (alignment > SOURCE_ALIGNMENT || (c->cell & (alignment - 1)) != 0)
        return region_fail(region, LOAM_ERROR_ALIGNMENT);
    size_t distance = c->list != 0 ? cells_take_listed(c) : 0;
    if (distance == 0)
        distance = cells_take_unused(c);
    if (distance == 0)
        return region_fail(region, LOAM_ERROR_SPENT);
    region_block_added(region, c->cell);
    return cells_address(c, distance);
}

/* The live cell at an address, or why there is none. */
static int cells_locate(const struct cells *c, const void *address, struct cells_piece **out)
{
    size_t distance = (uintptr_t)address - (uintptr_t)c;
    struct cells_piece *piece = cells_piece_of(c, address);
    *out = piece;
    if (piece == NULL)
        return LOAM_ERROR_FOREIGN;
    if (!cells_is_checked(c))
        return LOAM_OK;
    if ((distance - piece->cells) % c->cell != 0)
        return LOAM_ERROR_INTERIOR;
    return (distance - piece->cells) / c->cell < piece->used && cells_is_live(c, piece, distance) ? LOAM_OK
                                                                                                  : LOAM_ERROR_FREE;
}

REGION_API int cells_free(struct loam_region *region, void *block)
{
    struct cells *c = cells_of(region);
    struct cells_piece *piece;
    int error = cells_locate(c, block, &piece);
    if (error != LOAM_OK)
        return error;
    size_t distance = (uintptr_t)block - (uintptr_t)c;
    if (cells_is_checked(c))
        cells_bit_put(c, piece, distance, false);
    memcpy(block, &c->list, sizeof c->list);
    c->list = distance;
    c->listed++;
    region_block_removed(region, c->cell);
    return LOAM_OK;
}

REGION_API int cells_resize(struct loam_region *region, void *block, size_t size)
{
    struct cells_piece *piece;
    int error = cells_locate(cells_of(region), block, &piece);
    return error == LOAM_OK && size > cells_of(region)->cell ? LOAM_ERROR_SIZE : error;
}

REGION_API int cells_usable(struct loam_region *region, const void *block, size_t *size)
{
    struct cells_piece *piece;
    *size = cells_of(region)->cell;
    return cells_locate(cells_of(region), block, &piece);
}

REGION_API bool cells_owns(const struct loam_region *region, const void *address)
{
    return cells_piece_of((const struct cells *)region, address) != NULL;
}

/* ---- the whole ---- */

REGION_API int cells_reset(struct loam_region *region)
{
    struct cells *c = cells_of(region);
    for (size_t at = c->first; at != 0; at = cells_piece_at(c, at)->newer)
        cells_piece_at(c, at)->used = 0;
    c->current = c->first;
    c->list = 0;
    c->listed = 0;
    region->live = 0;
    region->live_blocks = 0;
    return LOAM_OK;
}

REGION_API void cells_destroy(struct loam_region *region)
{
    struct cells *c = cells_of(region);
    struct source source = region->source;
    size_t at = c->newest, older;
    for (; at != c->first; at = older) {
        older = cells_piece_at(c, at)->older;
        source_give(&source, cells_piece_at(c, at), cells_piece_at(c, at)->size);
    }
    region->magic = 0;
    source_give(&source, c, cells_piece_at(c, at)->size);
}

REGION_API void cells_stats(struct loam_region *region, struct loam_region_stats *stats)
{
    const struct cells *c = cells_of(region);
    size_t count = 0;
    for (size_t at = c->first; at != 0; at = cells_piece_at(c, at)->newer)
        count += cells_piece_at(c, at)->count;
    stats->free = (count - region->live_blocks) * c->cell;
    stats->largest_free = stats->free > 0 ? c->cell : 0;
}

REGION_API int cells_walk(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                          void *arg)
{
    struct cells *c = cells_of(region);
    if (!cells_is_checked(c))
        return LOAM_ERROR_UNSUPPORTED;
    for (size_t at = c->first; at != 0; at = cells_piece_at(c, at)->newer) {
        struct cells_piece *piece = cells_piece_at(c, at);
        for (size_t i = 0; i < piece->count; i++) {
            size_t distance = piece->cells + i * c->cell;
            struct loam_region_block block = {cells_address(c, distance), c->cell,
                                              i < piece->used && cells_is_live(c, piece, distance)};
            if (!visit(&block, arg))
                return LOAM_OK;
        }
    }
    return LOAM_OK;
}

static size_t cells_count_live(const struct cells *c, struct cells_piece *piece)
{
    size_t live = 0;
    for (size_t i = 0; i < piece->used; i++)
        live += cells_is_live(c, piece, piece->cells + i * c->cell);
    return live;
}

REGION_API const char *cells_check(struct loam_region *region)
{
    struct cells *c = cells_of(region);
    size_t used = 0, live = 0, listed = 0, older = 0;
    for (size_t at = c->first; at != 0; older = at, at = cells_piece_at(c, at)->newer) {
        struct cells_piece *piece = cells_piece_at(c, at);
        if (piece->older != older || piece->used > piece->count)
            return "cells: a piece's links or counts make no sense";
        used += piece->used;
        live += cells_is_checked(c) ? cells_count_live(c, piece) : 0;
    }
    if (older != c->newest)
        return "cells: the chain does not end with the newest piece";
    for (size_t at = c->list; at != 0; memcpy(&at, cells_address(c, at), sizeof at)) {
        struct cells_piece *piece = cells_piece_of(c, cells_address(c, at));
        if (piece == NULL || (at - piece->cells) % c->cell != 0 || (cells_is_checked(c) && cells_is_live(c, piece, at)))
            return "cells: the list leads to something that is no free cell";
        if (++listed > c->listed)
            return "cells: the list is longer than was counted";
    }
    if (listed != c->listed || used != region->live_blocks + listed ||
        (cells_is_checked(c) && live != region->live_blocks))
        return "cells: live and listed are not what was used";
    return NULL;
}
