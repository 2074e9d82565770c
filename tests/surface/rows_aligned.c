// Promise: blocks whose size is a multiple of 64 bytes mostly begin at a cache line, of 32 bytes at half a one, whatever is allocated between.
// TEST: cflags=-fno-builtin
//
// A block across two lines costs its reader two. What is cut together begins where its size divides; by chance alone a quarter of
// the blocks of 64 bytes would, and half of those of 32.
#include "support/alone.h"

enum { BLOCKS = 4000 };

static void aligned_by(size_t size, size_t line, size_t least_of_hundred) {
    size_t aligned = 0;
    for (size_t i = 0; i < BLOCKS; i++) {
        if (i % 3 == 0) CHECK(malloc(i % 2 ? 40 : 72) != NULL, "no memory"); // 48 and 80 bytes: what comes behind begins anywhere
        char *p = malloc(size);
        CHECK(p != NULL, "no memory");
        aligned += (uintptr_t)p % line == 0;
    }
    printf("%zu of %d blocks of %zu bytes begin at a multiple of %zu\n", aligned, BLOCKS, size, line);
    CHECK(aligned * 100 >= least_of_hundred * BLOCKS, "only %zu of %d", aligned, BLOCKS);
}

static void lines(void) { aligned_by(64, 64, 80); }
static void two_lines(void) { aligned_by(128, 64, 80); }
static void half_lines(void) { aligned_by(32, 32, 80); }
static void lines_and_a_half(void) { aligned_by(96, 32, 80); }

int main(void) {
    static const struct alone_case cases[] = {
        {"lines", lines},
        {"two_lines", two_lines},
        {"half_lines", half_lines},
        {"lines_and_a_half", lines_and_a_half},
    };
    test_begin(60);
    alone_run(cases, sizeof cases / sizeof *cases);
    return 0;
}
