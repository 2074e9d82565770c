/* A treap of free blocks (block_tree.h). Insert splits a subtree by the new key, remove merges two: both go down once. */
#include "region/block_tree.h"

static uint64_t block_tree_rank(const struct block_meta *block)
{
    uint64_t x = (uintptr_t)block * UINT64_C(0x9e3779b97f4a7c15);
    return (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

static bool block_tree_before(const struct block_meta *a, const struct block_meta *b)
{
    return a->size != b->size ? a->size < b->size : a < b;
}

REGION_API void block_tree_insert(struct block_meta **root, struct block_meta *block)
{
    struct block_meta **at = root;
    uint64_t rank = block_tree_rank(block);
    while (*at != NULL && block_tree_rank(*at) > rank)
        at = block_tree_before(block, *at) ? &block_links(*at)->left : &block_links(*at)->right;
    struct block_meta *node = *at; /* its subtree is split: what is before `block` to its left, the rest to its right */
    struct block_meta **left = &block_links(block)->left;
    struct block_meta **right = &block_links(block)->right;
    *at = block;
    while (node != NULL) {
        if (block_tree_before(node, block)) {
            *left = node;
            left = &block_links(node)->right;
            node = *left;
        } else {
            *right = node;
            right = &block_links(node)->left;
            node = *right;
        }
    }
    *left = NULL;
    *right = NULL;
}

REGION_API void block_tree_remove(struct block_meta **root, struct block_meta *block)
{
    struct block_meta **at = root;
    while (*at != block)
        at = block_tree_before(block, *at) ? &block_links(*at)->left : &block_links(*at)->right;
    struct block_meta *left = block_links(block)->left;
    struct block_meta *right = block_links(block)->right;
    while (left != NULL && right != NULL) {
        if (block_tree_rank(left) > block_tree_rank(right)) {
            *at = left;
            at = &block_links(left)->right;
            left = *at;
        } else {
            *at = right;
            at = &block_links(right)->left;
            right = *at;
        }
    }
    *at = left != NULL ? left : right;
}

REGION_API struct block_meta *block_tree_best(struct block_meta *root, size_t size)
{
    struct block_meta *best = NULL;
    while (root != NULL) {
        if (root->size >= size) {
            best = root;
            root = block_links(root)->left;
        } else {
            root = block_links(root)->right;
        }
    }
    return best;
}

REGION_API struct block_meta *block_tree_largest(struct block_meta *root)
{
    while (root != NULL && block_links(root)->right != NULL)
        root = block_links(root)->right;
    return root;
}

REGION_API size_t block_tree_check(struct block_meta *root)
{
    if (root == NULL)
        return 0;
    struct block_meta *left = block_links(root)->left, *right = block_links(root)->right;
    if ((left != NULL && (!block_tree_before(left, root) || block_tree_rank(left) > block_tree_rank(root))) ||
        (right != NULL && (!block_tree_before(root, right) || block_tree_rank(right) > block_tree_rank(root))))
        return SIZE_MAX;
    size_t below_left = block_tree_check(left), below_right = block_tree_check(right);
    return below_left == SIZE_MAX || below_right == SIZE_MAX ? SIZE_MAX : below_left + below_right + 1;
}
