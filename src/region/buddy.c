/* buddy: blocks of powers of two, that are cut in halves and joined with their other half again.
 *
 * The blocks of a piece of memory are the leaves of a binary tree. Two bits for each node say what it is: split, used,
 * or free. Free blocks of one size are in a list whose links stand in them; live blocks hold nothing of ours. From an
 * address the tree is walked down to the leaf that starts there: so any bad pointer is refused for certain. The tree
 * spans a power of two; what of it is not memory (the books in front, the missing end) is used from the start.
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
};

/* A node of a piece's tree: its number counts from 1 (the root) row by row, as in a heap. */
struct buddy_node {
    struct buddy_piece *piece;
    size_t number;
};

static struct buddy *buddy_of(struct loam_region *region)
{
    return (struct buddy *)region;
}

/* NULL for 0. */
static struct buddy_piece *buddy_piece_at(const struct buddy *b, size_t distance)
{
    return distance != 0 ? (struct buddy_piece *)((uintptr_t)b + distance) : NULL;
}

static size_t buddy_bytes(const struct buddy *b, uint32_t order)
{
    return (size_t)1 << (b->shift + order);
}

/* ---- the tree: two bits for each node, behind the piece's structure ---- */

enum buddy_state { BUDDY_FREE, BUDDY_SPLIT, BUDDY_USED };

static enum buddy_state buddy_state(struct buddy_node at)
{
    const uint64_t *bits = (const uint64_t *)(at.piece + 1);
    return (enum buddy_state)(bits[at.number / 32] >> (at.number % 32 * 2) & 3);
}

static void buddy_set(struct buddy_node at, enum buddy_state state)
{
    uint64_t *word = (uint64_t *)(at.piece + 1) + at.number / 32;
    *word = (*word & ~(UINT64_C(3) << (at.number % 32 * 2))) | (uint64_t)state << (at.number % 32 * 2);
}

static struct buddy_node buddy_parent(struct buddy_node at)
{
    return (struct buddy_node){at.piece, at.number / 2};
}
static struct buddy_node buddy_left(struct buddy_node at)
{
    return (struct buddy_node){at.piece, at.number * 2};
}
/* The other half of the same parent. */
static struct buddy_node buddy_other(struct buddy_node at)
{
    return (struct buddy_node){at.piece, at.number ^ 1};
}

/* The order of a node's block: the root's, less the row it stands in. */
static uint32_t buddy_height(struct buddy_node at)
{
    return at.piece->top - bits_log2(at.number);
}

/* The number of the first smallest block of a node. */
static size_t buddy_index(struct buddy_node at)
{
    return (at.number << buddy_height(at)) - ((size_t)1 << at.piece->top);
}

static size_t buddy_distance(const struct buddy *b, struct buddy_node at)
{
    return at.piece->base + (buddy_index(at) << b->shift);
}

static void *buddy_payload(const struct buddy *b, struct buddy_node at)
{
    return (void *)((uintptr_t)b + buddy_distance(b, at));
}

/* The leaf that holds smallest block `index`. */
static struct buddy_node buddy_leaf(struct buddy_piece *piece, size_t index)
{
    struct buddy_node at = {piece, 1};
    for (uint32_t order = piece->top; buddy_state(at) == BUDDY_SPLIT;)
        at.number = at.number * 2 + (index >> --order & 1);
    return at;
}

/* ---- the lists ---- */

static struct buddy_links *buddy_links(const struct buddy *b, size_t distance)
{
    return (struct buddy_links *)((uintptr_t)b + distance);
}

static void buddy_push(struct buddy *b, struct buddy_node at)
{
    size_t distance = buddy_distance(b, at);
    size_t *head = &at.piece->list[buddy_height(at)];
    buddy_set(at, BUDDY_FREE);
    *buddy_links(b, distance) = (struct buddy_links){*head, 0};
    if (*head != 0)
        buddy_links(b, *head)->prev = distance;
    *head = distance;
    at.piece->orders |= UINT64_C(1) << buddy_height(at);
    at.piece->free += buddy_bytes(b, buddy_height(at));
}

static void buddy_remove(struct buddy *b, struct buddy_node at)
{
    struct buddy_links links = *buddy_links(b, buddy_distance(b, at));
    size_t *head = &at.piece->list[buddy_height(at)];
    if (links.prev != 0)
        buddy_links(b, links.prev)->next = links.next;
    else
        *head = links.next;
    if (links.next != 0)
        buddy_links(b, links.next)->prev = links.prev;
    if (*head == 0)
        at.piece->orders &= ~(UINT64_C(1) << buddy_height(at));
    at.piece->free -= buddy_bytes(b, buddy_height(at));
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
static void buddy_settle(struct buddy *b, struct buddy_node at)
{
    size_t from = buddy_index(at);
    size_t to = from + ((size_t)1 << buddy_height(at));
    if (to <= at.piece->low || from >= at.piece->high) {
        buddy_set(at, BUDDY_USED);
    } else if (from >= at.piece->low && to <= at.piece->high) {
        buddy_push(b, at);
    } else {
        buddy_set(at, BUDDY_SPLIT);
        buddy_settle(b, buddy_other(buddy_left(at)));
        buddy_settle(b, buddy_left(at));
    }
}

static void buddy_piece_clear(struct buddy *b, struct buddy_piece *piece)
{
    piece->free = 0;
    piece->orders = 0;
    memset(piece->list, 0, sizeof piece->list);
    buddy_settle(b, (struct buddy_node){piece, 1});
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

/* A new piece, that surely holds a block of `size` bytes: it may have to start as far as its own size behind the books. */
static bool buddy_grow(struct buddy *b, size_t size)
{
    size_t least = 2 * size + BUDDY_PAGE;
    least += buddy_books(buddy_top(b, 2 * least));
    size_t bytes = b->base.source.taken > least ? b->base.source.taken : least;
    char *memory = source_take(&b->base.source, least, &bytes);
    if (memory != NULL)
        buddy_piece_make(b, memory, 0, bytes);
    return memory != NULL;
}

static size_t buddy_free_bytes(const struct buddy *b)
{
    size_t free = 0;
    for (struct buddy_piece *piece = buddy_piece_at(b, b->newest); piece; piece = buddy_piece_at(b, piece->older))
        free += piece->free;
    return free;
}

/* A mapped piece that is all free goes back, but for the oldest, if half as much is free elsewhere (see blocks.c). */
static void buddy_piece_give(struct buddy *b, struct buddy_piece *piece)
{
    size_t memory = (piece->high - piece->low) << b->shift;
    if (b->base.source.kind != LOAM_SOURCE_MAP || piece->free != memory || piece->older == 0 ||
        buddy_free_bytes(b) - memory < memory / 2)
        return;
    size_t *link = &b->newest;
    while (buddy_piece_at(b, *link) != piece)
        link = &buddy_piece_at(b, *link)->older;
    struct buddy_piece kept = *piece;
    *link = kept.older;
    if (!source_give(&b->base.source, (char *)b + kept.start, kept.size))
        *link = (uintptr_t)piece - (uintptr_t)b; /* refused: it stays */
}

/* ---- blocks ---- */

static uint32_t buddy_order(const struct buddy *b, size_t size)
{
    return size <= buddy_bytes(b, 0) ? 0 : bits_log2(size - 1) + 1 - b->shift;
}

/* A piece with a free block of that order or more, a new one if there is none; NULL: no memory. */
static struct buddy_piece *buddy_piece_with(struct buddy *b, uint32_t order)
{
    struct buddy_piece *piece = buddy_piece_at(b, b->newest);
    while (piece != NULL && piece->orders >> order == 0)
        piece = buddy_piece_at(b, piece->older);
    return piece == NULL && buddy_grow(b, buddy_bytes(b, order)) ? buddy_piece_at(b, b->newest) : piece;
}

/* Halves a block that is in no list until it has `order`: the right half is free, the left one goes on, and is used in
 * the end. */
static struct buddy_node buddy_cut(struct buddy *b, struct buddy_node at, uint32_t order)
{
    while (buddy_height(at) > order) {
        buddy_set(at, BUDDY_SPLIT);
        at = buddy_left(at);
        buddy_push(b, buddy_other(at));
    }
    buddy_set(at, BUDDY_USED);
    return at;
}

REGION_API void *buddy_alloc(struct loam_region *region, size_t size, size_t alignment)
{
    struct buddy *b = buddy_of(region);
    if (alignment > BUDDY_PAGE)
        return region_fail(region, LOAM_ERROR_ALIGNMENT);
    uint32_t order = buddy_order(b, size > alignment ? size : alignment);
    struct buddy_piece *piece = order + b->shift < BUDDY_ORDERS ? buddy_piece_with(b, order) : NULL;
    if (piece == NULL)
        return region_fail(region, LOAM_ERROR_SPENT);
    uint32_t from = order + bits_ctz(piece->orders >> order);
    size_t index = (piece->list[from] - piece->base) >> b->shift;
    struct buddy_node at = {piece, ((size_t)1 << (piece->top - from)) + (index >> from)};
    buddy_remove(b, at);
    region_block_added(region, buddy_bytes(b, order));
    return buddy_payload(b, buddy_cut(b, at, order));
}

static struct buddy_piece *buddy_piece_of(const struct buddy *b, const void *address)
{
    size_t distance = (uintptr_t)address - (uintptr_t)b;
    struct buddy_piece *piece = buddy_piece_at(b, b->newest);
    while (piece != NULL && distance - piece->base - (piece->low << b->shift) >= (piece->high - piece->low) << b->shift)
        piece = buddy_piece_at(b, piece->older);
    return piece;
}

/* The live block at an address, or why there is none. */
static int buddy_locate(const struct buddy *b, const void *address, struct buddy_node *at)
{
    struct buddy_piece *piece = buddy_piece_of(b, address);
    if (piece == NULL)
        return LOAM_ERROR_FOREIGN;
    *at = buddy_leaf(piece, ((uintptr_t)address - (uintptr_t)b - piece->base) >> b->shift);
    if (buddy_state(*at) != BUDDY_USED)
        return LOAM_ERROR_FREE;
    return buddy_payload(b, *at) == address ? LOAM_OK : LOAM_ERROR_INTERIOR;
}

REGION_API int buddy_free(struct loam_region *region, void *block)
{
    struct buddy *b = buddy_of(region);
    struct buddy_node at;
    int error = buddy_locate(b, block, &at);
    if (error != LOAM_OK)
        return error;
    region_block_removed(region, buddy_bytes(b, buddy_height(at)));
    for (; at.number != 1 && buddy_state(buddy_other(at)) == BUDDY_FREE; at = buddy_parent(at))
        buddy_remove(b, buddy_other(at));
    buddy_push(b, at);
    buddy_piece_give(b, at.piece);
    return LOAM_OK;
}

/* Whether the block can grow to `order` where it is: it is a left half all the way up, and each right half is free. */
static bool buddy_can_rise(struct buddy_node at, uint32_t order)
{
    for (; buddy_height(at) < order; at = buddy_parent(at))
        if (at.number % 2 != 0 || buddy_state(buddy_other(at)) != BUDDY_FREE) /* the root's number is odd, too */
            return false;
    return true;
}

REGION_API int buddy_resize(struct loam_region *region, void *block, size_t size)
{
    struct buddy *b = buddy_of(region);
    struct buddy_node at;
    int error = buddy_locate(b, block, &at);
    if (error != LOAM_OK)
        return error;
    uint32_t order = buddy_order(b, size);
    if (!buddy_can_rise(at, order))
        return LOAM_ERROR_SPENT;
    region->live = region->live - buddy_bytes(b, buddy_height(at)) + buddy_bytes(b, order);
    for (; buddy_height(at) < order; at = buddy_parent(at))
        buddy_remove(b, buddy_other(at));
    buddy_cut(b, at, order);
    return LOAM_OK;
}

/* ---- asking ---- */

REGION_API int buddy_usable(struct loam_region *region, const void *block, size_t *size)
{
    struct buddy_node at;
    int error = buddy_locate(buddy_of(region), block, &at);
    if (error == LOAM_OK)
        *size = buddy_bytes(buddy_of(region), buddy_height(at));
    return error;
}

REGION_API bool buddy_owns(const struct loam_region *region, const void *address)
{
    return buddy_piece_of((const struct buddy *)region, address) != NULL;
}

REGION_API void buddy_stats(struct loam_region *region, struct loam_region_stats *stats)
{
    struct buddy *b = buddy_of(region);
    stats->free = buddy_free_bytes(b);
    for (struct buddy_piece *piece = buddy_piece_at(b, b->newest); piece; piece = buddy_piece_at(b, piece->older)) {
        size_t largest = piece->orders != 0 ? buddy_bytes(b, bits_log2(piece->orders)) : 0;
        stats->largest_free = largest > stats->largest_free ? largest : stats->largest_free;
    }
}

REGION_API int buddy_walk(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                          void *arg)
{
    struct buddy *b = buddy_of(region);
    for (struct buddy_piece *piece = buddy_piece_at(b, b->newest); piece; piece = buddy_piece_at(b, piece->older)) {
        struct buddy_node at;
        for (size_t i = piece->low; i < piece->high; i += (size_t)1 << buddy_height(at)) {
            at = buddy_leaf(piece, i);
            struct loam_region_block block = {buddy_payload(b, at), buddy_bytes(b, buddy_height(at)),
                                              buddy_state(at) == BUDDY_USED};
            if (!visit(&block, arg))
                return LOAM_OK;
        }
    }
    return LOAM_OK;
}

/* The lists of a piece hold free leaves of their order, and as many bytes as was counted. */
static const char *buddy_check_lists(const struct buddy *b, struct buddy_piece *piece)
{
    size_t free = 0;
    for (uint32_t order = 0; order < BUDDY_ORDERS; order++) {
        size_t prev = 0;
        if ((piece->list[order] != 0) != ((piece->orders >> order & 1) != 0))
            return "buddy: the mask of lists does not say which hold something";
        for (size_t at = piece->list[order]; at != 0; prev = at, at = buddy_links(b, at)->next) {
            struct buddy_node leaf = buddy_leaf(piece, (at - piece->base) >> b->shift);
            if (buddy_distance(b, leaf) != at || buddy_height(leaf) != order || buddy_state(leaf) != BUDDY_FREE ||
                buddy_links(b, at)->prev != prev)
                return "buddy: a list leads to something that is no free block of its size";
            free += buddy_bytes(b, order);
            if (free > piece->free)
                return "buddy: the lists hold more than was counted";
        }
    }
    return free == piece->free ? NULL : "buddy: the lists hold less than was counted";
}

static const char *buddy_check_leaves(const struct buddy *b, struct buddy_piece *piece, size_t *live, size_t *blocks)
{
    size_t free = 0;
    struct buddy_node at;
    for (size_t i = piece->low; i < piece->high; i += (size_t)1 << buddy_height(at)) {
        at = buddy_leaf(piece, i);
        if (buddy_index(at) != i)
            return "buddy: a leaf does not start where the one before it ends";
        if (buddy_state(at) == BUDDY_USED) {
            *live += buddy_bytes(b, buddy_height(at));
            (*blocks)++;
            continue;
        }
        free += buddy_bytes(b, buddy_height(at));
        if (at.number != 1 && buddy_state(buddy_other(at)) == BUDDY_FREE)
            return "buddy: two halves are free and were not joined";
    }
    return free == piece->free ? NULL : "buddy: the free leaves are not what was counted";
}

REGION_API const char *buddy_check(struct loam_region *region)
{
    struct buddy *b = buddy_of(region);
    size_t live = 0, blocks = 0;
    for (struct buddy_piece *piece = buddy_piece_at(b, b->newest); piece; piece = buddy_piece_at(b, piece->older)) {
        const char *wrong = buddy_check_leaves(b, piece, &live, &blocks);
        if (wrong == NULL)
            wrong = buddy_check_lists(b, piece);
        if (wrong != NULL)
            return wrong;
    }
    return live == region->live && blocks == region->live_blocks ? NULL : "buddy: the sums are wrong";
}

/* ---- all at once ---- */

REGION_API int buddy_reset(struct loam_region *region)
{
    struct buddy *b = buddy_of(region);
    region->live = 0;
    region->live_blocks = 0;
    for (struct buddy_piece *piece = buddy_piece_at(b, b->newest); piece; piece = buddy_piece_at(b, piece->older))
        buddy_piece_clear(b, piece);
    for (struct buddy_piece *piece = buddy_piece_at(b, b->newest), *older; piece; piece = older) {
        older = buddy_piece_at(b, piece->older);
        buddy_piece_give(b, piece);
    }
    return LOAM_OK;
}

REGION_API void buddy_destroy(struct loam_region *region)
{
    struct buddy *b = buddy_of(region);
    struct source source = region->source;
    region->magic = 0;
    for (struct buddy_piece *piece = buddy_piece_at(b, b->newest), *older; piece; piece = older) {
        older = buddy_piece_at(b, piece->older);
        source_give(&source, (char *)((uintptr_t)b + piece->start), piece->size);
    }
}
