// Promise: a pointer into the middle of a block, or misaligned, is told as that, for certain.
// TEST: cflags=-fno-builtin
//
// For blocks of every kind: of a chunk (small, around 1 KiB, the largest class), of a run of pages,
// of a mapping of its own; at offsets that are and are not multiples of 16; to every call that
// takes a block.
#include "support/misuse.h"

extern void free_sized(void *, size_t) __attribute__((weak));

static const size_t sizes[] = {32, 100, 900, 1100, 5000, 30000, 100000, 300000, 3 << 20, 40 << 20};
static const size_t offsets[] = {16, 1, 8, 24, 4096, 65536};

static size_t size_now, offset_now;
static enum { FREE, REALLOC, USABLE, REALLOC_NULL_SIZE, CALLS } call_now;

static void commit(void) {
    char *block = malloc(size_now), *neighbour = malloc(size_now);
    memset(block, 1, size_now);
    char *p = launder(block + offset_now);
    misuse_says(p);
    switch (call_now) {
    case FREE: free(p); break;
    case REALLOC: launder(realloc(p, size_now * 2)); break;
    case USABLE: launder((void *)malloc_usable_size(p)); break;
    default: launder(realloc(p, 0)); break;
    }
    free(launder(neighbour));
}

static void end_of_block(void) {
    // One past a block: the next block's start, or a hole: unless it is a start, it is told.
    char *block = malloc(30000);
    char *p = launder(block + malloc_usable_size(block));
    char *next = malloc(30000);
    if (p == next) p += 16;
    misuse_says(p);
    free(p);
}

int main(void) {
    static const char *const names[] = {"free", "realloc", "malloc_usable_size", "realloc to 0"};
    test_begin(60);
    free(launder(malloc(100)));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof offsets / sizeof *offsets; k++) {
            if (offsets[k] >= sizes[i]) continue;
            misuse_is_quiet = k > 0;
            // Each call for one block and offset, the others in turn: a fork each is enough.
            size_now = sizes[i];
            offset_now = offsets[k];
            for (unsigned c = 0; c < CALLS; c++) {
                if (i % 3 != 1 && (i + k) % CALLS != c) continue;
                call_now = c;
                char name[96];
                snprintf(name, sizeof name, "%s, %zu bytes into %zu", names[c], offset_now, size_now);
                struct misuse misuse = {name,
                                        offset_now % 16 ? "misaligned|interior" : "interior", commit};
                misuse_check(&misuse);
            }
        }
    struct misuse end = {"free of a block's end", "interior|already free|not allocated", end_of_block};
    misuse_check(&end);
    return 0;
}
