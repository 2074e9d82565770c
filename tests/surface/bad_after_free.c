// Promise: realloc and malloc_usable_size of a freed block are told, once it has gone back to the heap.
// TEST: cflags=-fno-builtin
#include "support/misuse.h"

static char *flushed_block(size_t size) {
    static char *blocks[64];
    for (size_t i = 0; i < 64; i++) blocks[i] = malloc(size);
    for (size_t i = 0; i < 64; i += 2) free(blocks[i]);
    malloc_trim(0);
    misuse_says(blocks[20]);
    return launder(blocks[20]);
}

static void realloc_larger(void) {
    launder(realloc(flushed_block(200), 5000));
}
static void realloc_smaller(void) {
    launder(realloc(flushed_block(2000), 50));
}
static void realloc_same(void) {
    launder(realloc(flushed_block(64), 64));
}
static void realloc_to_zero(void) {
    launder(realloc(flushed_block(64), 0));
}
static void realloc_run(void) {
    launder(realloc(flushed_block(150000), 400000));
}
static void realloc_mapping(void) {
    char *p = malloc(100u << 20);
    free(p);
    misuse_says(p);
    launder(realloc(launder(p), 200u << 20));
}
static void usable_small(void) {
    launder((void *)malloc_usable_size(flushed_block(100)));
}
static void usable_run(void) {
    launder((void *)malloc_usable_size(flushed_block(200000)));
}
static void reallocarray_freed(void) {
    launder(reallocarray(flushed_block(100), 10, 100));
}

int main(void) {
    static const struct misuse list[] = {
        {"realloc to more", "already free|after it was freed", realloc_larger},
        {"realloc to less", "already free|after it was freed", realloc_smaller},
        {"realloc to the same", "already free|after it was freed", realloc_same},
        {"realloc to 0", "already free|after it was freed", realloc_to_zero},
        {"realloc of a run of pages", "already free|after it was freed|unmapped", realloc_run},
        {"realloc of a mapping", "already free|after it was freed|unmapped", realloc_mapping},
        {"malloc_usable_size of a small one", "already free|after it was freed", usable_small},
        {"malloc_usable_size of a run", "already free|after it was freed|unmapped", usable_run},
        {"reallocarray", "already free|after it was freed", reallocarray_freed},
    };
    test_begin(60);
    misuse_check_all(list, sizeof list / sizeof *list);
    return 0;
}
