/* buddy: blocks of powers of two, that are cut in halves and joined with their other half again.
 *
 * The blocks of a piece of memory are the leaves of a binary tree. Two bits for each node say what it is: split,
 * used, or (neither) free. Free blocks of one size are in a list whose links stand in them; live blocks hold nothing
 * of ours. From an address the tree is walked down to the leaf that starts there: so any bad pointer is refused for
 * certain. The tree spans a power of two; what of it is not memory (the books in front, the missing end) is used from
 * the start.
 *
 * All positions are distances from the head of the region, so a region in a shared buffer may be mapped anywhere.
 * Cost: alloc, free, resize O(log n) steps of a few bits; books of 4 bits for each smallest block. The price of the
 * method is what rounding to a power of two takes: a quarter on average. Blocks are aligned to their size, up to 4096
 * (counted from the page in which the piece starts). Easy to get wrong: nodes below a leaf have stale bits; a node's
 * bits are written when its parent is split. */
#include "region/buddy.h"

enum { BUDDY_FIRST = 65536, BUDDY_LEAST = 64, BUDDY_ORDERS = 48, BUDDY_PAGE = 4096 };

/* In the payload of a free block. */
struct buddy_links {
    size_t next, prev; /* distances; 0: none */
};

struct buddy_piece {
    size_t older; /* distance; 0: none */
    size_t start; /* distance of what the source gave */
    size_t size; /* bytes of it */
    size_t base; /* distance of smallest block 0 */
    size_t low, high; /* the smallest blocks that are memory */
    size_t free; /* bytes */
    uint32_t top; /* the order of the root */
    uint64_t orders; /* which lists hold something */
    size_t list[BUDDY_ORDERS]; /* free blocks of 2^order smallest ones; the last freed first */
};

struct buddy {
    struct loam_region base;
    uint32_t shift; /* the smallest block has 2^shift bytes */
    size_t newest; /* distance of a piece */
    size_t free; /* bytes in all pieces */
};

/* A node: its number counts from 1 (the root) row by row, as in a heap. */
struct buddy_node {
    size_t node;
    uint32_t order;
};

static struct buddy *buddy_of(struct loam_region *region)
{
    return (struct buddy *)region;
}

static struct buddy_piece *buddy_piece_at(const struct buddy *b, size_t distance)
{
    return (struct buddy_piece *)((uintptr_t)b + distance);
}

/* ---- the bits: 2n for split, then 2n for used, behind the piece's structure ---- */

static bool buddy_is(const struct buddy_piece *piece, size_t node, uint32_t map)
{
    const uint64_t *bits = (const uint64_t *)(piece + 1);
    size_t i = node + ((size_t)map << (piece->top + 1));
    return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static void buddy_put(struct buddy_piece *piece, size_t node, uint32_t map, bool value)
{
    uint64_t *bits = (uint64_t *)(piece + 1);
    size_t i = node + ((size_t)map << (piece->top + 1));
    uint64_t bit = UINT64_C(1) << (i % 64);
    bits[i / 64] = value ? bits[i / 64] | bit : bits[i / 64] & ~bit;
}

static bool buddy_is_split(const struct buddy_piece *piece, size_t node)
{
    return buddy_is(piece, node, 0);
}
static bool buddy_is_used(const struct buddy_piece *piece, size_t node)
{
    return buddy_is(piece, node, 1);
}

static void buddy_set(struct buddy_piece *piece, size_t node, bool split, bool used)
{
    buddy_put(piece, node, 0, split);
    buddy_put(piece, node, 1, used);
}

/* The number of the first smallest block of a node. */
static size_t buddy_index(const struct buddy_piece *piece, struct buddy_node at)
{
    return (at.node << at.order) - ((size_t)1 << piece->top);
}

static size_t buddy_address(const struct buddy *b, const struct buddy_piece *piece, struct buddy_node at)
{
    return piece->base + (buddy_index(piece, at) << b->shift);
}

static char *buddy_payload(const struct buddy *b, const struct buddy_piece *piece, struct buddy_node at)
{
    return (char *)((uintptr_t)b + buddy_address(b, piece, at));
}

static size_t buddy_bytes(const struct buddy *b, uint32_t order)
{
    return (size_t)1 << (b->shift + order);
}

/* ---- the lists ---- */

static struct buddy_links *buddy_links(const struct buddy *b, size_t distance)
{
    return (struct buddy_links *)((uintptr_t)b + distance);
}

static void buddy_push(struct buddy *b, struct buddy_piece *piece, struct buddy_node at)
{
    size_t distance = buddy_address(b, piece, at);
    size_t next = piece->list[at.order];
    buddy_set(piece, at.node, false, false);
    *buddy_links(b, distance) = (struct buddy_links){next, 0};
    if (next != 0)
        buddy_links(b, next)->prev = distance;
    piece->list[at.order] = distance;
    piece->orders |= UINT64_C(1) << at.order;
    piece->free += buddy_bytes(b, at.order);
    b->free += buddy_bytes(b, at.order);
}

static void buddy_remove(struct buddy *b, struct buddy_piece *piece, struct buddy_node at)
{
    struct buddy_links links = *buddy_links(b, buddy_address(b, piece, at));
    if (links.prev != 0)
        buddy_links(b, links.prev)->next = links.next;
    else
        piece->list[at.order] = links.next;
    if (links.next != 0)
        buddy_links(b, links.next)->prev = links.prev;
    if (piece->list[at.order] == 0)
        piece->orders &= ~(UINT64_C(1) << at.order);
    piece->free -= buddy_bytes(b, at.order);
    b->free -= buddy_bytes(b, at.order);
}

/* ---- pieces ---- */

/* The order of the root over `bytes`, counted from the page in which they start. */
static uint32_t buddy_top(const struct buddy *b, size_t bytes)
{
    size_t count = (bytes + BUDDY_PAGE) >> b->shift;
    return count <= 1 ? 0 : bits_log2(count - 1) + 1;
}

static size_t buddy_books(uint32_t top)
{
    size_t bits = (size_t)4 << top;
    return bits_up(sizeof(struct buddy_piece) + (bits + 63) / 64 * sizeof(uint64_t), SOURCE_ALIGNMENT);
}

/* Says of a node what it is, and of those below it where the memory ends inside. O(log n): two ends are followed. */
static void buddy_settle(struct buddy *b, struct buddy_piece *piece, struct buddy_node at)
{
    size_t from = buddy_index(piece, at);
    size_t to = from + ((size_t)1 << at.order);
    if (to <= piece->low || from >= piece->high) {
        buddy_set(piece, at.node, false, true);
    } else if (from >= piece->low && to <= piece->high) {
        buddy_push(b, piece, at);
    } else {
        buddy_set(piece, at.node, true, false);
        buddy_settle(b, piece, (struct buddy_node){2 * at.node + 1, at.order - 1});
        buddy_settle(b, piece, (struct buddy_node){2 * at.node, at.order - 1});
    }
}

static void buddy_piece_clear(struct buddy *b, struct buddy_piece *piece)
{
    piece->free = 0;
    piece->orders = 0;
    memset(piece->list, 0, sizeof piece->list);
    buddy_settle(b, piece, (struct buddy_node){1, piece->top});
}

static void buddy_piece_make(struct buddy *b, char *memory, size_t front, size_t bytes)
{
    size_t start = (uintptr_t)memory - (uintptr_t)b;
    size_t distance = start + front;
    struct buddy_piece *piece = buddy_piece_at(b, distance);
    uint32_t top = buddy_top(b, bytes);
    size_t below = (uintptr_t)memory % BUDDY_PAGE;
    size_t used = below + front + buddy_books(top);
    *piece = (struct buddy_piece){.older = b->newest, .start = start, .size = bytes, .base = start - below, .top = top};
    piece->low = (used + buddy_bytes(b, 0) - 1) >> b->shift;
    piece->high = (below + bytes) >> b->shift;
    piece->low = piece->low < piece->high ? piece->low : piece->high; /* the books may take it all */
    b->newest = distance;
    buddy_piece_clear(b, piece);
}

/* Bytes that surely hold one block of `size` bytes beside `front` and the books: the block may have to start as far
 * as its own size behind them. */
static size_t buddy_need(const struct buddy *b, size_t front, size_t size)
{
    size_t need = front + 2 * size + BUDDY_PAGE;
    return need + buddy_books(buddy_top(b, 2 * need));
}

REGION_API int buddy_open(struct source source, const struct loam_region_options *options, struct loam_region **out)
{
    struct buddy head = {.shift = bits_log2(options->least != 0 ? options->least : BUDDY_LEAST)};
    size_t front = bits_up(sizeof(struct buddy), SOURCE_ALIGNMENT);
    size_t bytes = options->first != 0 ? options->first : BUDDY_FIRST;
    char *memory = source_take(&source, front + buddy_books(0) + buddy_bytes(&head, 0), &bytes);
    if (memory == NULL)
        return LOAM_ERROR_SPENT;
    struct buddy *b = (struct buddy *)memory;
    *b = head;
    region_head_init(&b->base, &source, options);
    if (front + buddy_books(buddy_top(b, bytes)) + buddy_bytes(b, 0) > bytes) {
        source_give(&source, memory, bytes);
        return LOAM_ERROR_SPENT;
    }
    buddy_piece_make(b, memory, front, bytes);
    *out = &b->base;
    return LOAM_OK;
}

static bool buddy_grow(struct buddy *b, size_t size)
{
    size_t least = buddy_need(b, 0, size);
    size_t bytes = b->base.source.taken > least ? b->base.source.taken : least;
    char *memory = source_take(&b->base.source, least, &bytes);
    if (memory != NULL)
        buddy_piece_make(b, memory, 0, bytes);
    return memory != NULL;
}

/* A mapped piece that is all free goes back, but for the oldest, if half as much is free elsewhere (see blocks.c). */
static void buddy_piece_give(struct buddy *b, struct buddy_piece *piece)
{
    size_t memory = (piece->high - piece->low) << b->shift;
    if (b->base.source.kind != LOAM_SOURCE_MAP || piece->free != memory || piece->older == 0 ||
        b->free - memory < memory / 2)
        return;
    size_t *link = &b->newest;
    while (buddy_piece_at(b, *link) != piece)
        link = &buddy_piece_at(b, *link)->older;
    struct buddy_piece kept = *piece;
    *link = kept.older;
    if (source_give(&b->base.source, (char *)((uintptr_t)b + kept.start), kept.size))
        b->free -= memory;
    else
        *link = (uintptr_t)piece - (uintptr_t)b; /* refused: it stays */
}

/* ---- blocks ---- */

static uint32_t buddy_order(const struct buddy *b, size_t size)
{
    return size <= buddy_bytes(b, 0) ? 0 : bits_log2(size - 1) + 1 - b->shift;
}

static struct buddy_piece *buddy_piece_with(const struct buddy *b, uint32_t order)
{
    for (size_t at = b->newest; at != 0; at = buddy_piece_at(b, at)->older)
        if (order < BUDDY_ORDERS && buddy_piece_at(b, at)->orders >> order != 0)
            return buddy_piece_at(b, at);
    return NULL;
}

/* The free block at an address that is in the list of its order. */
static struct buddy_node buddy_listed(const struct buddy *b, const struct buddy_piece *piece, size_t distance,
                                      uint32_t order)
{
    size_t index = (distance - piece->base) >> b->shift;
    return (struct buddy_node){(index + ((size_t)1 << piece->top)) >> order, order};
}

REGION_API void *buddy_alloc(struct loam_region *region, size_t size, size_t alignment)
{
    struct buddy *b = buddy_of(region);
    if (alignment > BUDDY_PAGE)
        return region_fail(region, LOAM_ERROR_ALIGNMENT);
    uint32_t order = buddy_order(b, size > alignment ? size : alignment);
    struct buddy_piece *piece = buddy_piece_with(b, order);
    if (piece == NULL && order + b->shift < BUDDY_ORDERS && buddy_grow(b, buddy_bytes(b, order)))
        piece = buddy_piece_with(b, order);
    if (piece == NULL)
        return region_fail(region, LOAM_ERROR_SPENT);
    uint32_t from = order + bits_ctz(piece->orders >> order);
    struct buddy_node at = buddy_listed(b, piece, piece->list[from], from);
    buddy_remove(b, piece, at);
    while (at.order > order) { /* halves: the right one is free, the left one goes on */
        buddy_set(piece, at.node, true, false);
        at = (struct buddy_node){2 * at.node, at.order - 1};
        buddy_push(b, piece, (struct buddy_node){at.node + 1, at.order});
    }
    buddy_set(piece, at.node, false, true);
    region_block_added(region, buddy_bytes(b, order));
    return buddy_payload(b, piece, at);
}

static struct buddy_piece *buddy_piece_of(const struct buddy *b, const void *address)
{
    size_t distance = (uintptr_t)address - (uintptr_t)b;
    for (size_t at = b->newest; at != 0; at = buddy_piece_at(b, at)->older) {
        struct buddy_piece *piece = buddy_piece_at(b, at);
        size_t low = piece->base + (piece->low << b->shift);
        if (distance - low < (piece->high - piece->low) << b->shift)
            return piece;
    }
    return NULL;
}

/* The leaf that holds smallest block `index`. */
static struct buddy_node buddy_leaf(const struct buddy_piece *piece, size_t index)
{
    struct buddy_node at = {1, piece->top};
    while (buddy_is_split(piece, at.node)) {
        at.order--;
        at.node = 2 * at.node + (index >> at.order & 1);
    }
    return at;
}

/* The live block at an address, or why there is none. */
static int buddy_locate(const struct buddy *b, const void *address, struct buddy_piece **piece, struct buddy_node *at)
{
    *piece = buddy_piece_of(b, address);
    if (*piece == NULL)
        return LOAM_ERROR_FOREIGN;
    size_t distance = (uintptr_t)address - (uintptr_t)b - (*piece)->base;
    *at = buddy_leaf(*piece, distance >> b->shift);
    if (!buddy_is_used(*piece, at->node))
        return LOAM_ERROR_FREE;
    return buddy_index(*piece, *at) << b->shift == distance ? LOAM_OK : LOAM_ERROR_INTERIOR;
}

REGION_API int buddy_free(struct loam_region *region, void *block)
{
    struct buddy *b = buddy_of(region);
    struct buddy_piece *piece;
    struct buddy_node at;
    int error = buddy_locate(b, block, &piece, &at);
    if (error != LOAM_OK)
        return error;
    region_block_removed(region, buddy_bytes(b, at.order));
    while (at.node != 1) {
        struct buddy_node other = {at.node ^ 1, at.order};
        if (buddy_is_split(piece, other.node) || buddy_is_used(piece, other.node))
            break;
        buddy_remove(b, piece, other);
        at = (struct buddy_node){at.node / 2, at.order + 1};
    }
    buddy_push(b, piece, at);
    buddy_piece_give(b, piece);
    return LOAM_OK;
}

/* Whether the block can grow to `order` where it is: it is a left half all the way up, and each right half is free. */
static bool buddy_can_rise(const struct buddy_piece *piece, struct buddy_node at, uint32_t order)
{
    for (; at.order < order; at = (struct buddy_node){at.node / 2, at.order + 1})
        if (at.node % 2 != 0 || at.node == 1 || buddy_is_split(piece, at.node + 1) || buddy_is_used(piece, at.node + 1))
            return false;
    return true;
}

REGION_API int buddy_resize(struct loam_region *region, void *block, size_t size)
{
    struct buddy *b = buddy_of(region);
    struct buddy_piece *piece;
    struct buddy_node at;
    int error = buddy_locate(b, block, &piece, &at);
    if (error != LOAM_OK)
        return error;
    uint32_t order = buddy_order(b, size);
    if (order > at.order && (order > piece->top || !buddy_can_rise(piece, at, order)))
        return LOAM_ERROR_SPENT;
    region->live = region->live - buddy_bytes(b, at.order) + buddy_bytes(b, order);
    for (; at.order < order; at = (struct buddy_node){at.node / 2, at.order + 1})
        buddy_remove(b, piece, (struct buddy_node){at.node + 1, at.order});
    while (at.order > order) {
        buddy_set(piece, at.node, true, false);
        at = (struct buddy_node){2 * at.node, at.order - 1};
        buddy_push(b, piece, (struct buddy_node){at.node + 1, at.order});
    }
    buddy_set(piece, at.node, false, true);
    return LOAM_OK;
}

/* ---- asking ---- */

REGION_API int buddy_usable(struct loam_region *region, const void *block, size_t *size)
{
    struct buddy_piece *piece;
    struct buddy_node at;
    int error = buddy_locate(buddy_of(region), block, &piece, &at);
    if (error == LOAM_OK)
        *size = buddy_bytes(buddy_of(region), at.order);
    return error;
}

REGION_API bool buddy_owns(const struct loam_region *region, const void *address)
{
    return buddy_piece_of((const struct buddy *)region, address) != NULL;
}

REGION_API void buddy_stats(struct loam_region *region, struct loam_region_stats *stats)
{
    struct buddy *b = buddy_of(region);
    stats->free = b->free;
    for (size_t at = b->newest; at != 0; at = buddy_piece_at(b, at)->older) {
        uint64_t orders = buddy_piece_at(b, at)->orders;
        size_t largest = orders != 0 ? buddy_bytes(b, bits_log2(orders)) : 0;
        stats->largest_free = largest > stats->largest_free ? largest : stats->largest_free;
    }
}

REGION_API int buddy_walk(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                          void *arg)
{
    struct buddy *b = buddy_of(region);
    for (size_t piece_at = b->newest; piece_at != 0; piece_at = buddy_piece_at(b, piece_at)->older) {
        struct buddy_piece *piece = buddy_piece_at(b, piece_at);
        struct buddy_node at;
        for (size_t i = piece->low; i < piece->high; i += (size_t)1 << at.order) {
            at = buddy_leaf(piece, i);
            struct loam_region_block block = {buddy_payload(b, piece, at), buddy_bytes(b, at.order),
                                              buddy_is_used(piece, at.node)};
            if (!visit(&block, arg))
                return LOAM_OK;
        }
    }
    return LOAM_OK;
}

/* The lists of a piece hold free leaves of their order, and as many bytes as was counted. */
static const char *buddy_check_lists(const struct buddy *b, const struct buddy_piece *piece)
{
    size_t free = 0;
    for (uint32_t order = 0; order < BUDDY_ORDERS; order++) {
        size_t prev = 0;
        if ((piece->list[order] != 0) != ((piece->orders >> order & 1) != 0))
            return "buddy: the mask of lists does not say which hold something";
        for (size_t at = piece->list[order]; at != 0; prev = at, at = buddy_links(b, at)->next) {
            struct buddy_node node = buddy_listed(b, piece, at, order);
            struct buddy_node leaf = buddy_leaf(piece, (at - piece->base) >> b->shift);
            if (leaf.node != node.node || leaf.order != order || buddy_is_used(piece, leaf.node) ||
                buddy_links(b, at)->prev != prev)
                return "buddy: a list leads to something that is no free block of its size";
            free += buddy_bytes(b, order);
            if (free > piece->free)
                return "buddy: the lists hold more than was counted";
        }
    }
    return free == piece->free ? NULL : "buddy: the lists hold less than was counted";
}

static const char *buddy_check_leaves(const struct buddy *b, const struct buddy_piece *piece, size_t *live,
                                      size_t *blocks)
{
    size_t free = 0;
    struct buddy_node at;
    for (size_t i = piece->low; i < piece->high; i += (size_t)1 << at.order) {
        at = buddy_leaf(piece, i);
        if (buddy_index(piece, at) != i)
            return "buddy: a leaf does not start where the one before it ends";
        if (buddy_is_used(piece, at.node)) {
            *live += buddy_bytes(b, at.order);
            (*blocks)++;
            continue;
        }
        free += buddy_bytes(b, at.order);
        if (at.node != 1 && !buddy_is_split(piece, at.node ^ 1) && !buddy_is_used(piece, at.node ^ 1))
            return "buddy: two halves are free and were not joined";
    }
    return free == piece->free ? NULL : "buddy: the free leaves are not what was counted";
}

REGION_API const char *buddy_check(struct loam_region *region)
{
    struct buddy *b = buddy_of(region);
    size_t live = 0, blocks = 0, free = 0;
    for (size_t at = b->newest; at != 0; at = buddy_piece_at(b, at)->older) {
        const struct buddy_piece *piece = buddy_piece_at(b, at);
        const char *wrong = buddy_check_leaves(b, piece, &live, &blocks);
        if (wrong == NULL)
            wrong = buddy_check_lists(b, piece);
        if (wrong != NULL)
            return wrong;
        free += piece->free;
    }
    return live == region->live && blocks == region->live_blocks && free == b->free ? NULL
                                                                                    : "buddy: the sums are wrong";
}

/* ---- all at once ---- */

REGION_API int buddy_reset(struct loam_region *region)
{
    struct buddy *b = buddy_of(region);
    b->free = 0;
    region->live = 0;
    region->live_blocks = 0;
    for (size_t at = b->newest; at != 0; at = buddy_piece_at(b, at)->older)
        buddy_piece_clear(b, buddy_piece_at(b, at));
    for (size_t at = b->newest, older; at != 0; at = older) {
        older = buddy_piece_at(b, at)->older;
        buddy_piece_give(b, buddy_piece_at(b, at));
    }
    return LOAM_OK;
}

REGION_API void buddy_destroy(struct loam_region *region)
{
    struct buddy *b = buddy_of(region);
    struct source source = region->source;
    region->magic = 0;
    for (size_t at = b->newest, older; at != 0; at = older) {
        struct buddy_piece *piece = buddy_piece_at(b, at);
        older = piece->older;
        source_give(&source, (char *)((uintptr_t)b + piece->start), piece->size);
    }
}
