/* blocks: any size, a header of 32 bytes in front of each block, best fit, neighbours merged as soon as they are free.
 *
 * The heap of the textbooks: blocks lie side by side, their headers form a list in the order of addresses
 * (block_list.h), so a freed block finds its neighbours at once. Free blocks also stand in a tree by size
 * (block_tree.h), so best fit does not look at all of them. Memory comes in pieces, each a row of blocks; merging
 * never leaves a piece.
 *
 * Cost: free with its merges, alloc and resize O(log n) for the tree, all else constant; 32 bytes a block and what
 * rounding to 16 takes. A large alignment asks for that much more and frees what it does not need. Checks: a pointer
 * is taken for a block if it is 16-aligned inside a piece, its header makes sense, and the neighbours that it names
 * name it. Everything read for that lies inside a piece, so no pointer can crash it. A program that writes beyond its
 * block overwrites a header, and then nothing is certain any more: the price of books in band. Easy to get wrong: the
 * end of a piece. The last block of a piece has a next in the list that is not next in memory. */
#include "region/blocks.h"
#include "region/block_tree.h"

enum {
    BLOCKS_STEP = 16, /* sizes are multiples of this, and so payloads are 16-aligned */
    BLOCKS_FIRST = 65536, /* bytes of the first piece if nothing else is wished, and least of each further one */
    BLOCKS_TRIM = 131072, /* more than this free at the top of the break goes back, */
    BLOCKS_KEEP = 65536 /* but for this */
};

/* A piece of memory: this structure, then blocks up to its end. */
struct blocks_piece {
    struct blocks_piece *older;
    char *start; /* what the source gave; the first piece has the region's head in front */
    char *end;
    size_t unused; /* keeps blocks 16-aligned */
};

struct blocks {
    struct loam_region base;
    struct block_list list;
    struct block_meta *tree; /* free blocks by size */
    size_t free; /* payload bytes in the tree */
    struct blocks_piece *newest;
};

_Static_assert(sizeof(struct blocks_piece) % BLOCKS_STEP == 0 && BLOCK_HEADER % BLOCKS_STEP == 0,
               "payloads are 16-aligned");

static struct blocks *blocks_of(struct loam_region *region)
{
    return (struct blocks *)region;
}

static size_t blocks_round(size_t size)
{
    return size < BLOCK_LEAST ? BLOCK_LEAST : bits_up(size, BLOCKS_STEP);
}

/* ---- the free ones ---- */

static void blocks_tree_add(struct blocks *b, struct block_meta *block)
{
    block->status = STATUS_FREE;
    b->free += block->size;
    block_tree_insert(&b->tree, block);
}

static void blocks_tree_take(struct blocks *b, struct block_meta *block)
{
    block_tree_remove(&b->tree, block);
    b->free -= block->size;
}

static bool blocks_next_is_free(struct block_meta *block)
{
    return block_adjoins(block) && block->next->status == STATUS_FREE;
}

/* A block that is in no tree becomes free: it merges with its neighbours. Returns what it is part of now. */
static struct block_meta *blocks_set_free(struct blocks *b, struct block_meta *block)
{
    if (blocks_next_is_free(block)) {
        blocks_tree_take(b, block->next);
        block_merge_next(&b->list, block);
    }
    struct block_meta *prev = block->prev;
    if (prev != NULL && prev->status == STATUS_FREE && block_adjoins(prev)) {
        blocks_tree_take(b, prev);
        block->status = STATUS_FREE; /* its header is left behind in a free payload: not as a live one */
        block_merge_next(&b->list, prev);
        block = prev;
    }
    blocks_tree_add(b, block);
    return block;
}

/* ---- pieces ---- */

static struct block_meta *blocks_piece_first(struct blocks_piece *piece)
{
    return (struct block_meta *)(piece + 1);
}

static void blocks_piece_add(struct blocks *b, char *memory, size_t front, size_t bytes)
{
    struct blocks_piece *piece = (struct blocks_piece *)(memory + front);
    *piece = (struct blocks_piece){.older = b->newest, .start = memory, .end = memory + bits_down(bytes, BLOCKS_STEP)};
    b->newest = piece;
    struct block_meta *first = blocks_piece_first(piece);
    size_t size = (size_t)(piece->end - block_payload(first));
    block_list_insert(&b->list, b->list.last, first, size, STATUS_FREE);
    blocks_tree_add(b, first);
}

static struct blocks_piece *blocks_piece_at(const struct blocks *b, const void *address)
{
    struct blocks_piece *piece = b->newest;
    while (piece != NULL && ((const char *)address < (const char *)(piece + 1) || (const char *)address >= piece->end))
        piece = piece->older;
    return piece;
}

/* Makes the newest piece longer, so that its last block, once free, has at least `size` bytes. */
static bool blocks_extend(struct blocks *b, size_t size)
{
    struct block_meta *last = b->list.last;
    bool last_free = last->status == STATUS_FREE;
    size_t need = last_free ? size - last->size : size + BLOCK_HEADER;
    size_t wish = bits_up(b->base.source.taken / 8, SOURCE_PAGE);
    if (b->newest->end != b->base.source.end || block_payload(last) + last->size != b->newest->end)
        return false;
    wish = wish > need ? wish : need;
    if (!source_extend(&b->base.source, wish)) {
        wish = need;
        if (!source_extend(&b->base.source, wish))
            return false;
    }
    b->newest->end += wish;
    if (last_free) {
        blocks_tree_take(b, last);
        last->size += wish;
    } else {
        last = block_list_insert(&b->list, last, block_payload(last) + last->size, wish - BLOCK_HEADER, STATUS_FREE);
    }
    blocks_tree_add(b, last);
    return true;
}

static bool blocks_grow(struct blocks *b, size_t size)
{
    if (source_is_growable(&b->base.source) && blocks_extend(b, size))
        return true;
    size_t least = sizeof(struct blocks_piece) + BLOCK_HEADER + size;
    size_t bytes = b->base.source.taken / 2 > BLOCKS_FIRST ? b->base.source.taken / 2 : BLOCKS_FIRST;
    char *memory = source_take(&b->base.source, least, &bytes);
    if (memory != NULL)
        blocks_piece_add(b, memory, 0, bytes);
    return memory != NULL;
}

/* A mapped piece that is one free block goes back, but for the oldest, and if half as much is free elsewhere: else a
 * block that is taken and freed again and again would be mapped and unmapped each time. */
static void blocks_piece_give(struct blocks *b, struct block_meta *block)
{
    if (b->free - block->size < block->size / 2)
        return;
    struct blocks_piece **link = &b->newest;
    while (*link != NULL && blocks_piece_first(*link) != block)
        link = &(*link)->older;
    struct blocks_piece *piece = *link;
    if (piece == NULL || piece->older == NULL || block_payload(block) + block->size != piece->end)
        return;
    struct blocks_piece kept = *piece;
    *link = kept.older;
    blocks_tree_take(b, block);
    block_list_remove(&b->list, block);
    if (!source_give(&b->base.source, kept.start, (size_t)(kept.end - kept.start))) {
        *link = piece; /* refused: it stays, as the last of the list */
        block_list_insert(&b->list, b->list.last, block, block->size, STATUS_FREE);
        blocks_tree_add(b, block);
    }
}

/* The free end of the break goes back, once it is long. */
static void blocks_trim(struct blocks *b, struct block_meta *block)
{
    if (block->size < BLOCKS_TRIM || block != b->list.last || b->newest->end != b->base.source.end)
        return;
    size_t bytes = bits_down(block->size - BLOCKS_KEEP, SOURCE_PAGE);
    if (!source_lower(&b->base.source, bytes))
        return;
    blocks_tree_take(b, block);
    b->newest->end -= bytes;
    block->size -= bytes;
    blocks_tree_add(b, block);
}

REGION_API int blocks_open(struct source source, const struct loam_region_options *options, struct loam_region **out)
{
    size_t front = bits_up(sizeof(struct blocks), BLOCKS_STEP);
    size_t least = front + sizeof(struct blocks_piece) + BLOCK_HEADER + BLOCK_LEAST;
    size_t bytes = options->first != 0 ? options->first : BLOCKS_FIRST;
    char *memory = source_take(&source, least, &bytes);
    if (memory == NULL)
        return LOAM_ERROR_SPENT;
    struct blocks *b = (struct blocks *)memory;
    *b = (struct blocks){.list = {NULL, NULL}};
    region_head_init(&b->base, &source, options);
    blocks_piece_add(b, memory, front, bytes);
    *out = &b->base;
    return LOAM_OK;
}

/* ---- allocating ---- */

/* Cuts the front off a free block (in no tree) so that the rest's payload is aligned. The front becomes free. */
static struct block_meta *blocks_cut_front(struct blocks *b, struct block_meta *block, size_t alignment)
{
    uintptr_t payload = (uintptr_t)block_payload(block);
    uintptr_t aligned = bits_up(payload, alignment);
    if (aligned == payload)
        return block;
    if (aligned - payload < BLOCK_HEADER + BLOCK_LEAST)
        aligned += bits_up(BLOCK_HEADER + BLOCK_LEAST, alignment);
    struct block_meta *rest = block_split(&b->list, block, aligned - payload - BLOCK_HEADER, 0);
    blocks_tree_add(b, block); /* what is before it is in use, else it would have merged */
    return rest;
}

REGION_API void *blocks_alloc(struct loam_region *region, size_t size, size_t alignment)
{
    struct blocks *b = blocks_of(region);
    size = blocks_round(size);
    size_t slack = alignment <= BLOCKS_STEP ? 0 : alignment + 2 * (BLOCK_HEADER + BLOCK_LEAST);
    struct block_meta *block = block_tree_best(b->tree, size + slack);
    if (block == NULL && blocks_grow(b, size + slack))
        block = block_tree_best(b->tree, size + slack);
    if (block == NULL)
        return region_fail(region, LOAM_ERROR_SPENT);
    blocks_tree_take(b, block);
    if (slack > 0)
        block = blocks_cut_front(b, block, alignment);
    struct block_meta *rest = block_split(&b->list, block, size, BLOCK_LEAST);
    if (rest != NULL)
        blocks_tree_add(b, rest);
    block->status = STATUS_ALLOC;
    region_block_added(region, block->size);
    return block_payload(block);
}

/* ---- freeing ---- */

/* A header can be read there. */
static bool blocks_is_inside(const struct blocks *b, const struct block_meta *header)
{
    const struct blocks_piece *piece = blocks_piece_at(b, header);
    return piece != NULL && (uintptr_t)header % BLOCKS_STEP == 0 &&
           (size_t)(piece->end - (const char *)header) >= BLOCK_HEADER;
}

/* The live block at an address, or why there is none. */
static int blocks_locate(const struct blocks *b, const void *address, struct block_meta **block)
{
    const struct blocks_piece *piece = blocks_piece_at(b, address);
    if (piece == NULL)
        return LOAM_ERROR_FOREIGN;
    if ((uintptr_t)address % BLOCKS_STEP != 0 || (const char *)address < (const char *)(piece + 1) + BLOCK_HEADER)
        return LOAM_ERROR_INTERIOR;
    struct block_meta *header = (struct block_meta *)(uintptr_t)address - 1;
    const struct block_meta *prev = header->prev, *next = header->next;
    if (header->size > (size_t)(piece->end - (const char *)address) || header->size % BLOCKS_STEP != 0 ||
        (prev != NULL ? !blocks_is_inside(b, prev) || prev->next != header : b->list.first != header) ||
        (next != NULL ? !blocks_is_inside(b, next) || next->prev != header : b->list.last != header))
        return LOAM_ERROR_INTERIOR;
    *block = header;
    return header->status == STATUS_ALLOC  ? LOAM_OK
           : header->status == STATUS_FREE ? LOAM_ERROR_FREE
                                           : LOAM_ERROR_INTERIOR;
}

REGION_API int blocks_free(struct loam_region *region, void *address)
{
    struct blocks *b = blocks_of(region);
    struct block_meta *block;
    int error = blocks_locate(b, address, &block);
    if (error != LOAM_OK)
        return error;
    region_block_removed(region, block->size);
    block = blocks_set_free(b, block);
    if (region->source.kind == LOAM_SOURCE_MAP)
        blocks_piece_give(b, block);
    else if (region->source.kind == LOAM_SOURCE_BREAK)
        blocks_trim(b, block);
    return LOAM_OK;
}

/* ---- resizing ---- */

/* Takes the free block behind into this one if that is enough. */
static bool blocks_swallow(struct blocks *b, struct block_meta *block, size_t size)
{
    if (!blocks_next_is_free(block) || block->size + BLOCK_HEADER + block->next->size < size)
        return false;
    blocks_tree_take(b, block->next);
    block_merge_next(&b->list, block);
    return true;
}

REGION_API int blocks_resize(struct loam_region *region, void *address, size_t size)
{
    struct blocks *b = blocks_of(region);
    struct block_meta *block;
    int error = blocks_locate(b, address, &block);
    if (error != LOAM_OK)
        return error;
    size = blocks_round(size);
    size_t was = block->size;
    if (size > was && !blocks_swallow(b, block, size)) {
        bool at_top = block == b->list.last || (blocks_next_is_free(block) && block->next == b->list.last);
        if (!at_top || !source_is_growable(&region->source) || !blocks_extend(b, size - was) ||
            !blocks_swallow(b, block, size))
            return LOAM_ERROR_SPENT;
    }
    struct block_meta *rest = block_split(&b->list, block, size, BLOCK_LEAST);
    if (rest != NULL)
        blocks_set_free(b, rest);
    region->live = region->live - was + block->size;
    return LOAM_OK;
}

/* ---- asking ---- */

REGION_API int blocks_usable(struct loam_region *region, const void *address, size_t *size)
{
    struct block_meta *block;
    int error = blocks_locate(blocks_of(region), address, &block);
    if (error == LOAM_OK)
        *size = block->size;
    return error;
}

REGION_API bool blocks_owns(const struct loam_region *region, const void *address)
{
    return blocks_piece_at((const struct blocks *)region, address) != NULL;
}

REGION_API void blocks_stats(struct loam_region *region, struct loam_region_stats *stats)
{
    struct blocks *b = blocks_of(region);
    const struct block_meta *largest = block_tree_largest(b->tree);
    stats->free = b->free;
    stats->largest_free = largest != NULL ? largest->size : 0;
}

REGION_API int blocks_walk(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                           void *arg)
{
    for (struct block_meta *block = blocks_of(region)->list.first; block != NULL; block = block->next) {
        struct loam_region_block seen = {block_payload(block), block->size, block->status == STATUS_ALLOC};
        if (!visit(&seen, arg))
            break;
    }
    return LOAM_OK;
}

/* Each piece must be filled from its first block to its end. */
static const char *blocks_check_pieces(const struct blocks *b, size_t blocks)
{
    for (struct blocks_piece *piece = b->newest; piece != NULL; piece = piece->older) {
        struct block_meta *block = blocks_piece_first(piece);
        for (; block_payload(block) + block->size < piece->end; block = block->next) {
            if (blocks-- == 0 || !block_adjoins(block))
                return "blocks: a piece has a gap between two blocks";
        }
        if (block_payload(block) + block->size != piece->end)
            return "blocks: a block reaches beyond its piece";
        blocks--;
    }
    return blocks == 0 ? NULL : "blocks: a block lies in no piece";
}

REGION_API const char *blocks_check(struct loam_region *region)
{
    struct blocks *b = blocks_of(region);
    size_t live = 0, live_blocks = 0, free = 0, free_blocks = 0;
    const struct block_meta *prev = NULL;
    for (struct block_meta *block = b->list.first; block != NULL; prev = block, block = block->next) {
        if (!blocks_is_inside(b, block) || block->prev != prev || block->size % BLOCKS_STEP != 0 ||
            block->size < BLOCK_LEAST)
            return "blocks: a header's links or size make no sense";
        if (block->status == STATUS_ALLOC) {
            live += block->size;
            live_blocks++;
        } else if (block->status == STATUS_FREE && !blocks_next_is_free(block)) {
            free += block->size;
            free_blocks++;
        } else {
            return "blocks: an unknown status, or two free neighbours";
        }
    }
    if (prev != b->list.last || live != region->live || live_blocks != region->live_blocks || free != b->free)
        return "blocks: the list does not add up";
    if (block_tree_check(b->tree) != free_blocks)
        return "blocks: the tree is out of order, or does not hold all free blocks";
    return blocks_check_pieces(b, live_blocks + free_blocks);
}

/* ---- all at once ---- */

REGION_API int blocks_reset(struct loam_region *region)
{
    struct blocks *b = blocks_of(region);
    struct blocks_piece *newest = b->newest, *row = NULL;
    b->list = (struct block_list){NULL, NULL};
    b->tree = NULL;
    b->free = 0;
    b->newest = NULL;
    region->live = 0;
    region->live_blocks = 0;
    do { /* oldest first again; there is always one */
        struct blocks_piece *older = newest->older;
        newest->older = row;
        row = newest;
        newest = older;
    } while (newest != NULL);
    do {
        struct blocks_piece *newer = row->older;
        blocks_piece_add(b, row->start, (size_t)((char *)row - row->start), (size_t)(row->end - row->start));
        row = newer;
    } while (row != NULL);
    if (region->source.kind == LOAM_SOURCE_MAP)
        for (struct blocks_piece *piece = b->newest, *older; piece->older != NULL; piece = older) {
            older = piece->older;
            blocks_piece_give(b, blocks_piece_first(piece));
        }
    blocks_trim(b, b->list.last);
    return LOAM_OK;
}

REGION_API void blocks_destroy(struct loam_region *region)
{
    struct source source = region->source;
    region->magic = 0;
    for (struct blocks_piece *piece = blocks_of(region)->newest, *older; piece != NULL; piece = older) {
        older = piece->older;
        source_give(&source, piece->start, (size_t)(piece->end - piece->start));
    }
}
