// trees: binary trees built from the leaves up, walked and dropped, while one large tree lives all along.
// Modelled on syntax trees and game trees (and on the well-known binary-trees benchmark): nodes of one small size, order of
// freeing is the order of a walk, what was taken together is not given back together.
#include "workload.h"

struct node {
    struct node *left, *right;
    uint64_t value;
};

static struct node *tree_build(unsigned depth, uint64_t value)
{
    struct node *left = depth > 0 ? tree_build(depth - 1, value * 2) : NULL;
    struct node *right = depth > 0 ? tree_build(depth - 1, value * 2 + 1) : NULL;
    struct node *node = block_take_raw(sizeof *node);
    *node = (struct node){left, right, value};
    return node;
}

static uint64_t tree_sum(const struct node *node)
{
    return node == NULL ? 0 : node->value + tree_sum(node->left) + tree_sum(node->right);
}

static void tree_drop(struct node *node)
{
    if (node == NULL)
        return;
    tree_drop(node->left);
    tree_drop(node->right);
    block_give(node);
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    unsigned deepest = 17;
    uint64_t sum = 0;
    struct node *living = tree_build(deepest, 1);
    for (unsigned depth = 4; depth <= deepest; depth += 2) {
        size_t trees = workload_times((size_t)28 << (deepest - depth), 1);
        for (size_t i = 0; i < trees; i++) {
            struct node *tree = tree_build(depth, i);
            sum = checksum_mix(sum, tree_sum(tree));
            tree_drop(tree);
        }
    }
    sum = checksum_mix(sum, tree_sum(living));
    tree_drop(living);
    return workload_end(sum);
}
