/* binarytrees DEPTH: builds many binary trees of small nodes, walks each, and drops it.
 *
 * The reference workload of my_memory_allocator.h: one stretch tree of DEPTH+1, one long-lived tree of DEPTH, and between
 * them trees of 4, 6, ... DEPTH levels, the fewer the deeper, so that each depth takes about as many nodes. With DEPTH 16
 * it makes 14,985,902 requests of 24 bytes. What it prints depends on DEPTH alone; the time goes to stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#include "my_memory_allocator.h"

struct node {
    struct node *left;
    struct node *right;
    long label;
};

static unsigned long requests;

static struct node *tree_make(int depth, long label)
{
    struct node *node = my_malloc(sizeof(struct node));
    if (node == NULL)
        out_of_mem();
    requests++;
    node->label = label;
    node->left = depth > 0 ? tree_make(depth - 1, 2 * label) : NULL;
    node->right = depth > 0 ? tree_make(depth - 1, 2 * label + 1) : NULL;
    return node;
}

static long tree_sum(const struct node *node)
{
    return node == NULL ? 0 : 1 + (node->label & 1) + tree_sum(node->left) + tree_sum(node->right);
}

static void tree_drop(struct node *node)
{
    if (node == NULL)
        return;
    tree_drop(node->left);
    tree_drop(node->right);
    my_free(node);
}

static long tree_once(int depth)
{
    struct node *tree = tree_make(depth, 1);
    long sum = tree_sum(tree);
    tree_drop(tree);
    return sum;
}

int main(int argc, char **argv)
{
    int depth = argc > 1 ? atoi(argv[1]) : 10;
    struct timeval begin, end;
    init_mem_pool();
    gettimeofday(&begin, NULL);
    printf("stretch tree of depth %d: %ld\n", depth + 1, tree_once(depth + 1));
    struct node *kept = tree_make(depth, 1);
    for (int d = 4; d <= depth; d += 2) {
        long sum = 0;
        long trees = 1L << (depth - d + 4);
        for (long i = 0; i < trees; i++)
            sum += tree_once(d);
        printf("%ld trees of depth %d: %ld\n", trees, d, sum);
    }
    printf("long lived tree of depth %d: %ld\n", depth, tree_sum(kept));
    tree_drop(kept);
    gettimeofday(&end, NULL);
    printf("requests: %lu of %zu bytes\n", requests, sizeof(struct node));
    fprintf(stderr, "%ld\n", (long)(end.tv_sec - begin.tv_sec) * 1000000 + end.tv_usec - begin.tv_usec);
    return 0;
}
