/* block_list: blocks side by side in memory, each with its header in front, in one list in the order of addresses.
 *
 * The textbook structure, and the part that the blocks strategy and interface 004 share: best fit by looking at all,
 * splitting, merging neighbours. It never writes into a payload, and never asks anybody for memory.
 *
 * Cost: split, merge, append: constant. block_list_coalesce and block_list_best look at every block. Easy to get
 * wrong: next in the list is not always next in memory. Somebody else's memory may lie between (a mapping, a break
 * moved by others), so a merge asks block_adjoins first. */
#ifndef LOAM_REGION_BLOCK_LIST_H
#define LOAM_REGION_BLOCK_LIST_H

#include "region/block_meta.h"
#include "region/source.h"

#define BLOCK_HEADER sizeof(struct block_meta)

_Static_assert(sizeof(struct block_meta) == 32, "users of interface 004 read the header at payload - 32");

struct block_list {
    struct block_meta *first;
    struct block_meta *last;
};

INLINE char *block_payload(struct block_meta *block)
{
    return (char *)(block + 1);
}
INLINE struct block_meta *block_of(void *payload)
{
    return (struct block_meta *)payload - 1;
}

/* Nothing lies between the end of `block` and the header behind it in the list. */
INLINE bool block_adjoins(struct block_meta *block)
{
    return block->next != NULL && block_payload(block) + block->size == (char *)block->next;
}

/* Writes a header at `memory` for a block of `size` payload bytes and puts it behind `after` (NULL: first). */
REGION_API struct block_meta *block_list_insert(struct block_list *list, struct block_meta *after, void *memory,
                                                size_t size, int status);
REGION_API void block_list_remove(struct block_list *list, struct block_meta *block);

/* `block` swallows the block behind it, header and payload. The caller has asked block_adjoins. */
REGION_API void block_merge_next(struct block_list *list, struct block_meta *block);

/* Cuts `block` to `size` if what remains holds a header and `least` bytes: the rest is a free block of its own, and is
 * returned. NULL: too little would remain, and the block stays whole. */
REGION_API struct block_meta *block_split(struct block_list *list, struct block_meta *block, size_t size, size_t least);

/* Merges all neighbours that are free. */
REGION_API void block_list_coalesce(struct block_list *list);

/* The free block whose size is nearest to `size` and not below it, the first of equals; NULL if there is none. */
REGION_API struct block_meta *block_list_best(const struct block_list *list, size_t size);

#endif
