/* bump: a pointer that moves up through pieces of memory. Nothing can be faster, and nothing knows less.
 *
 * Guarantees: blocks in a row touch (sizes are rounded to 8, nothing stands between); alloc is an addition and a
 * compare; reset is constant; a savepoint is where the pointer stood, and going back to it frees all that came later.
 * There are no books of blocks: free takes back only the last one, other frees do nothing, sizes are not known. When
 * a piece is spent the next one is chained behind it (none with LOAM_REGION_FIXED or a buffer: NULL). After a reset
 * or rewind the later pieces stay, and are used again in their order.
 *
 * All positions are distances from the head of the region, so a region in a shared buffer may be mapped anywhere.
 * Cost: one piece more each time that the memory doubles. What a spent piece has left over at its end is slack. Easy
 * to get wrong: a piece that is not the current one has its `at` in its own structure, the current one in the head.
 * */
#include "region/bump.h"

enum { BUMP_FIRST = 65536, BUMP_STEP = 8 };

struct bump_piece {
    size_t older, newer; /* distances of the pieces before and behind this one; 0: none */
    size_t at; /* where it was left, while another one is current */
    size_t end;
};

struct bump {
    struct loam_region base;
    size_t at; /* the next free byte, */
    size_t end; /* and the end of the current piece */
    size_t last; /* the last block; 0: none to take back */
    size_t current; /* the piece */
    size_t index; /* its number */
    size_t first;
};

static struct bump *bump_of(struct loam_region *region)
{
    return (struct bump *)region;
}

static struct bump_piece *bump_piece_at(const struct bump *b, size_t distance)
{
    return (struct bump_piece *)((uintptr_t)b + distance);
}

static char *bump_address(const struct bump *b, size_t distance)
{
    return (char *)((uintptr_t)b + distance);
}

static size_t bump_distance(const struct bump *b, const void *address)
{
    return (uintptr_t)address - (uintptr_t)b;
}

static size_t bump_piece_start(size_t piece)
{
    return piece + sizeof(struct bump_piece);
}

/* ---- pieces ---- */

static void bump_enter(struct bump *b, size_t piece, size_t at)
{
    b->current = piece;
    b->at = at;
    b->end = bump_piece_at(b, piece)->end;
    b->last = 0;
}

REGION_API int bump_open(struct source source, const struct loam_region_options *options, struct loam_region **out)
{
    size_t front = bits_up(sizeof(struct bump), SOURCE_ALIGNMENT);
    size_t bytes = options->first != 0 ? options->first : BUMP_FIRST;
    struct bump *b = source_take(&source, bump_piece_start(front) + BUMP_STEP, &bytes);
    if (b == NULL)
        return LOAM_ERROR_SPENT;
    *b = (struct bump){.first = front};
    region_head_init(&b->base, &source, options);
    *bump_piece_at(b, front) = (struct bump_piece){.end = bits_down(bytes, BUMP_STEP)};
    bump_enter(b, front, bump_piece_start(front));
    *out = &b->base;
    return LOAM_OK;
}

/* Where a block would start in a piece that is free from `at` on. */
static size_t bump_align(const struct bump *b, size_t at, size_t alignment)
{
    return bits_up((uintptr_t)b + at, alignment) - (uintptr_t)b;
}

/* `at` up to the end of a piece holds the block. Compared from the piece's start: distances may have wrapped. */
static bool bump_fits(size_t start, size_t at, size_t end, size_t size)
{
    return at - start <= end - start && size <= end - at;
}

/* Chains a new piece behind the current one. */
static bool bump_piece_new(struct bump *b, size_t least)
{
    size_t bytes = b->base.source.taken > BUMP_FIRST ? b->base.source.taken : BUMP_FIRST;
    struct bump_piece *piece = source_take(&b->base.source, sizeof(struct bump_piece) + least, &bytes);
    if (piece == NULL)
        return false;
    struct bump_piece *current = bump_piece_at(b, b->current);
    size_t distance = bump_distance(b, piece);
    *piece = (struct bump_piece){
        .older = b->current, .newer = current->newer, .end = distance + bits_down(bytes, BUMP_STEP)};
    piece->at = bump_piece_start(distance);
    if (current->newer != 0)
        bump_piece_at(b, current->newer)->older = distance;
    current->newer = distance;
    return true;
}

/* Over the break the last piece can simply become longer. */
static bool bump_extend(struct bump *b, size_t least)
{
    size_t step = bits_up(b->base.source.taken / 8 > least ? b->base.source.taken / 8 : least, SOURCE_PAGE);
    if (!source_is_growable(&b->base.source) || b->end != bump_distance(b, b->base.source.end))
        return false;
    if (!source_extend(&b->base.source, step)) {
        step = bits_up(least, SOURCE_ALIGNMENT);
        if (!source_extend(&b->base.source, step))
            return false;
    }
    b->end += step;
    bump_piece_at(b, b->current)->end = b->end;
    return true;
}

static bool bump_piece_fits(const struct bump *b, size_t piece, size_t size, size_t alignment)
{
    size_t start = bump_piece_start(piece);
    return bump_fits(start, bump_align(b, start, alignment), bump_piece_at(b, piece)->end, size);
}

/* Moves on to a piece that holds `size` bytes so aligned; those between stay empty until the next reset. */
static bool bump_advance(struct bump *b, size_t size, size_t alignment)
{
    if (bump_extend(b, size + alignment))
        return true;
    size_t to = bump_piece_at(b, b->current)->newer;
    while (to != 0 && !bump_piece_fits(b, to, size, alignment))
        to = bump_piece_at(b, to)->newer;
    if (to == 0) {
        if (!bump_piece_new(b, size + alignment))
            return false;
        to = bump_piece_at(b, b->current)->newer;
    }
    while (b->current != to) {
        struct bump_piece *left = bump_piece_at(b, b->current);
        left->at = b->at;
        bump_enter(b, left->newer, bump_piece_start(left->newer));
        b->index++;
    }
    return true;
}

/* ---- blocks ---- */

REGION_API void *bump_alloc(struct loam_region *region, size_t size, size_t alignment)
{
    struct bump *b = bump_of(region);
    size = bits_up(size, BUMP_STEP);
    size_t start = bump_align(b, b->at, alignment);
    if (!bump_fits(bump_piece_start(b->current), start, b->end, size)) {
        if (!bump_advance(b, size, alignment))
            return region_fail(region, LOAM_ERROR_SPENT);
        start = bump_align(b, b->at, alignment);
    }
    b->last = start;
    b->at = start + size;
    region_block_added(region, size);
    return bump_address(b, start);
}

/* The used end of the piece that an address lies in; false: it lies in none. */
static bool bump_find(const struct bump *b, size_t distance, size_t *at)
{
    for (size_t piece = b->first; piece != 0; piece = bump_piece_at(b, piece)->newer) {
        const struct bump_piece *p = bump_piece_at(b, piece);
        if (distance - bump_piece_start(piece) < p->end - bump_piece_start(piece)) {
            *at = piece == b->current ? b->at : p->at;
            return true;
        }
    }
    return false;
}

/* Something may have been handed out at an address, as far as can be known. */
static int bump_locate(const struct bump *b, const void *address, size_t *at)
{
    size_t distance = bump_distance(b, address);
    if (!bump_find(b, distance, at))
        return LOAM_ERROR_FOREIGN;
    if (distance % BUMP_STEP != 0)
        return LOAM_ERROR_INTERIOR;
    return *at - distance - 1 < PTRDIFF_MAX ? LOAM_OK : LOAM_ERROR_FREE; /* distance < at, over wraps */
}

REGION_API int bump_free(struct loam_region *region, void *block)
{
    struct bump *b = bump_of(region);
    size_t at;
    int error = bump_locate(b, block, &at);
    if (error == LOAM_OK && b->last != 0 && bump_distance(b, block) == b->last) {
        region_block_removed(region, b->at - b->last);
        b->at = b->last;
        b->last = 0;
    }
    return error;
}

REGION_API int bump_resize(struct loam_region *region, void *block, size_t size)
{
    struct bump *b = bump_of(region);
    size_t at;
    int error = bump_locate(b, block, &at);
    if (error != LOAM_OK)
        return error;
    size = bits_up(size, BUMP_STEP);
    if (bump_distance(b, block) != b->last || size > b->end - b->last)
        return LOAM_ERROR_SPENT;
    region->live = region->live - (b->at - b->last) + size;
    b->at = b->last + size;
    return LOAM_OK;
}

REGION_API int bump_usable(struct loam_region *region, const void *block, size_t *size)
{
    struct bump *b = bump_of(region);
    int error = bump_locate(b, block, size);
    if (error == LOAM_OK && bump_distance(b, block) != b->last)
        error = LOAM_ERROR_UNSUPPORTED;
    *size -= bump_distance(b, block);
    return error;
}

REGION_API int bump_reach(const struct loam_region *region, const void *block, size_t *size)
{
    const struct bump *b = (const struct bump *)region;
    int error = bump_locate(b, block, size);
    *size -= bump_distance(b, block);
    return error;
}

REGION_API bool bump_owns(const struct loam_region *region, const void *address)
{
    const struct bump *b = (const struct bump *)region;
    size_t at;
    return bump_find(b, bump_distance(b, address), &at);
}

/* ---- savepoints ---- */

REGION_API void bump_mark(const struct loam_region *region, struct loam_region_mark *mark)
{
    const struct bump *b = (const struct bump *)region;
    *mark = (struct loam_region_mark){b->index, b->at - b->current, region->live, region->live_blocks};
}

REGION_API int bump_rewind(struct loam_region *region, const struct loam_region_mark *mark)
{
    struct bump *b = bump_of(region);
    if (mark->piece > b->index || mark->live > region->live || mark->live_blocks > region->live_blocks)
        return LOAM_ERROR_ARGUMENT;
    size_t piece = b->current;
    size_t used = b->at;
    for (size_t back = b->index - mark->piece; back > 0; back--) {
        piece = bump_piece_at(b, piece)->older;
        used = bump_piece_at(b, piece)->at;
    }
    if (mark->at < sizeof(struct bump_piece) || mark->at > used - piece || mark->at % BUMP_STEP != 0)
        return LOAM_ERROR_ARGUMENT;
    b->index = mark->piece;
    bump_enter(b, piece, piece + mark->at);
    region->live = mark->live;
    region->live_blocks = mark->live_blocks;
    return LOAM_OK;
}

/* ---- the whole ---- */

REGION_API int bump_reset(struct loam_region *region)
{
    struct bump *b = bump_of(region);
    b->index = 0;
    bump_enter(b, b->first, bump_piece_start(b->first));
    region->live = 0;
    region->live_blocks = 0;
    return LOAM_OK;
}

REGION_API void bump_destroy(struct loam_region *region)
{
    struct bump *b = bump_of(region);
    struct source source = region->source;
    size_t piece = b->current, older;
    while (bump_piece_at(b, piece)->newer != 0)
        piece = bump_piece_at(b, piece)->newer;
    for (; piece != b->first; piece = older) {
        older = bump_piece_at(b, piece)->older;
        source_give(&source, bump_piece_at(b, piece), bump_piece_at(b, piece)->end - piece);
    }
    region->magic = 0;
    source_give(&source, b, bump_piece_at(b, piece)->end);
}

REGION_API void bump_stats(struct loam_region *region, struct loam_region_stats *stats)
{
    const struct bump *b = bump_of(region);
    stats->free = b->end - b->at;
    stats->largest_free = stats->free;
    for (size_t piece = bump_piece_at(b, b->current)->newer; piece != 0; piece = bump_piece_at(b, piece)->newer) {
        size_t room = bump_piece_at(b, piece)->end - bump_piece_start(piece);
        stats->free += room;
        stats->largest_free = room > stats->largest_free ? room : stats->largest_free;
    }
}

REGION_API int bump_walk(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                         void *arg)
{
    struct bump *b = bump_of(region);
    bool used = true; /* pieces behind the current one are empty */
    for (size_t piece = b->first; piece != 0; piece = bump_piece_at(b, piece)->newer) {
        const struct bump_piece *p = bump_piece_at(b, piece);
        size_t start = bump_piece_start(piece);
        size_t at = !used ? start : piece == b->current ? b->at : p->at;
        struct loam_region_block live = {bump_address(b, start), at - start, true};
        struct loam_region_block free = {bump_address(b, at), p->end - at, false};
        if ((live.size > 0 && !visit(&live, arg)) || (free.size > 0 && !visit(&free, arg)))
            break;
        used = used && piece != b->current;
    }
    return LOAM_OK;
}

REGION_API const char *bump_check(struct loam_region *region)
{
    struct bump *b = bump_of(region);
    size_t index = 0, room = 0, older = 0;
    bool met = false;
    for (size_t piece = b->first; piece != 0; older = piece, piece = bump_piece_at(b, piece)->newer) {
        const struct bump_piece *p = bump_piece_at(b, piece);
        size_t at = piece == b->current ? b->at : p->at;
        if (p->older != older)
            return "bump: the pieces are not linked both ways";
        if (at - bump_piece_start(piece) > p->end - bump_piece_start(piece))
            return "bump: a piece is used beyond its end";
        if (piece == b->current && (index != b->index || b->end != p->end))
            return "bump: the current piece is not what the head says";
        if (!met)
            room += at - bump_piece_start(piece);
        met = met || piece == b->current;
        index++;
    }
    if (!met)
        return "bump: the current piece is not in the chain";
    if (room < region->live)
        return "bump: more is live than was handed out";
    return NULL;
}
