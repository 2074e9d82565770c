/* block_tree: the free blocks by size, so that the best fit is found without looking at all of them.
 *
 * A treap: ordered by size, then address; a heap by a hash of the address, which makes it as deep as a random tree:
 * some 2 log2 n steps. The two links stand in the free block's payload (16 bytes, the least that a block has). Called
 * by blocks.c only; interface 004 must leave payloads alone and has no tree. Easy to get wrong: a block's size is its
 * key. Take it out of the tree before its size changes. */
#ifndef LOAM_REGION_BLOCK_TREE_H
#define LOAM_REGION_BLOCK_TREE_H

#include "region/block_list.h"

struct block_links {
    struct block_meta *left;
    struct block_meta *right;
};

enum { BLOCK_LEAST = sizeof(struct block_links) };

INLINE struct block_links *block_links(struct block_meta *block)
{
    return (struct block_links *)block_payload(block);
}

REGION_API void block_tree_insert(struct block_meta **root, struct block_meta *block);
REGION_API void block_tree_remove(struct block_meta **root, struct block_meta *block);

/* The smallest block of at least `size`, the lowest of equals; NULL if there is none. */
REGION_API struct block_meta *block_tree_best(struct block_meta *root, size_t size);
REGION_API struct block_meta *block_tree_largest(struct block_meta *root);

/* How many blocks the tree has, if it is in order and `block` after `block`; SIZE_MAX if it is not. */
REGION_API size_t block_tree_check(struct block_meta *root);

#endif
