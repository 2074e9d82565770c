// Promise: a sized free with a wrong size is told where it is seen, and a right one never is.
// TEST: cflags=-fno-builtin
//
// free_sized and free_aligned_sized are checked in every build (they are new in C23, no program is
// slowed); the C++ sized deletes only where it costs nothing, so they are not asked here. A size is
// right if the block was asked for with it: also after realloc in place, where the block may be
// larger than a fresh one of that size would be.
#include "support/misuse.h"

extern void free_sized(void *, size_t) __attribute__((weak));
extern void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));

static void too_large(void) {
    void *p = launder(malloc(100));
    misuse_says(p);
    free_sized(p, 500);
}
static void much_too_large(void) {
    void *p = launder(malloc(1000));
    misuse_says(p);
    free_sized(p, 1 << 20);
}
static void absurd(void) {
    void *p = launder(malloc(1000));
    misuse_says(p);
    free_sized(p, SIZE_MAX);
}
static void large_one(void) {
    void *p = launder(malloc(3 << 20));
    misuse_says(p);
    free_sized(p, 9 << 20);
}
static void aligned_too_large(void) {
    void *p = launder(aligned_alloc(64, 640));
    misuse_says(p);
    free_aligned_sized(p, 64, 6400);
}
static void interior(void) {
    char *p = malloc(1000);
    p = launder(p + 32);
    misuse_says(p);
    free_sized(p, 968);
}
static void stack(void) {
    char room[128] __attribute__((aligned(16)));
    memset(room, 0, sizeof room);
    void *p = launder(room);
    misuse_says(p);
    free_sized(p, 128);
}

// Right sizes after every history a block can have: none of these may be told.
static void right_sizes(void) {
    struct dice dice = dice_make(3);
    for (int round = 0; round < 40000; round++) {
        size_t first = dice_size(&dice) + 1, second = dice_size(&dice) + 1;
        if (dice_below(&dice, 2)) second = first - dice_below(&dice, first < 100 ? first : 100);
        free_sized(launder(realloc(launder(malloc(first)), second)), second);
        free_sized(launder(realloc(launder(aligned_alloc(256, first)), second)), second);
        free_aligned_sized(launder(aligned_alloc(64, first)), 64, first);
    }
}

int main(void) {
    static const struct misuse list[] = {
        {"500 for 100", "size", too_large},
        {"1 MiB for 1000", "size", much_too_large},
        {"SIZE_MAX for 1000", "size", absurd},
        {"9 MiB for 3 MiB", "size", large_one},
        {"6400 for 640, aligned", "size", aligned_too_large},
        {"an interior pointer", "interior", interior},
        {"a stack address", "stack", stack},
    };
    test_begin(60);
    if (!free_sized && is_any_allowed()) test_skip("this allocator has no free_sized");
    CHECK(free_sized && free_aligned_sized, "a sized free is missing");
    right_sizes();
    misuse_check_all(list, sizeof list / sizeof *list);
    return 0;
}
