// Promise: free_sized and free_aligned_sized free what malloc, calloc, realloc, aligned_alloc gave.
// TEST: cflags=-fno-builtin
//
// The C library of today has neither, so they are declared weak here; on Loam both must be there.
// Right sizes only: what a wrong one does is in bad_sized_free.c.
#include "support/surface.h"
#include <malloc.h>

extern void free_sized(void *, size_t) __attribute__((weak));
extern void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));

enum { ROUNDS = 30000 };

int main(void) {
    test_begin(30);
    if ((!free_sized || !free_aligned_sized) && is_any_allowed())
        test_skip("this allocator has no free_sized and free_aligned_sized");
    CHECK(free_sized && free_aligned_sized, "a sized free is missing");
    struct dice dice = dice_make(1);
    errno = 4095;
    free_sized(NULL, 0);
    free_sized(NULL, 100);
    free_aligned_sized(NULL, 0, 0);
    free_aligned_sized(NULL, 64, 100);
    CHECK(errno == 4095, "freeing NULL changed errno");
    struct mallinfo2 before = mallinfo2();
    for (int round = 0; round < ROUNDS; round++) {
        size_t size = dice_size(&dice);
        void *p;
        switch (dice_below(&dice, 4)) {
        case 0: p = malloc(size); break;
        case 1: p = calloc(1, size); break;
        case 2: p = realloc(malloc(size / 2 + 1), size + 1), size++; break;
        default: {
            size_t alignment = (size_t)1 << dice_below(&dice, 16);
            p = aligned_alloc(alignment, size);
            CHECK(p != NULL, "aligned_alloc(%zu, %zu)", alignment, size);
            pattern_fill(p, size, 3);
            errno = 4095;
            free_aligned_sized(p, alignment, size);
            CHECK(errno == 4095, "free_aligned_sized changed errno");
            continue;
        }
        }
        CHECK(p != NULL, "no memory for %zu", size);
        pattern_fill(p, size, 3);
        errno = 4095;
        free_sized(p, size);
        CHECK(errno == 4095, "free_sized changed errno");
    }
    struct mallinfo2 after = mallinfo2();
    CHECK(after.uordblks <= before.uordblks + 1 * MIB, "they did not free: %zu -> %zu live",
          before.uordblks, after.uordblks);
    return 0;
}
