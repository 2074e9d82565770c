// Promise: aligned blocks are aligned whatever list they come from, do not overlap, and what is freed serves the next request.
// TEST: cflags=-fno-builtin
//
// Requests of all alignments to 32 KiB are mixed with plain ones of the same sizes, so that the lists hold blocks that are not
// aligned. Then one size is taken and given back for long: memory must not grow, or blocks were set aside and lost.
#include "support/memory.h"
#include <malloc.h>

enum { SLOTS = 800, STEPS = 200000, ROUNDS = 200000 };

static unsigned char *block[SLOTS];
static size_t length[SLOTS];

static void slot_empty(unsigned at) {
    if (!block[at]) return;
    CHECK(block[at][0] == (unsigned char)at && block[at][length[at] - 1] == (unsigned char)at, "block %u of %zu bytes was written into",
          at, length[at]);
    free(block[at]);
    block[at] = NULL;
}

static void mixed(struct dice *dice) {
    for (int i = 0; i < STEPS; i++) {
        unsigned at = (unsigned)dice_below(dice, SLOTS);
        slot_empty(at);
        size_t align = (size_t)16 << dice_below(dice, 12), size = 1 + (size_t)dice_below(dice, dice_below(dice, 8) ? 600 : 40000);
        bool plain = dice_below(dice, 3) == 0;
        block[at] = plain ? malloc(size) : aligned_alloc(align, size);
        CHECK(block[at] != NULL, "no memory");
        CHECK((uintptr_t)block[at] % (plain ? 16 : align) == 0, "aligned_alloc(%zu, %zu) gave %p", align, size, (void *)block[at]);
        CHECK(malloc_usable_size(block[at]) >= size, "%zu usable bytes of %zu", malloc_usable_size(block[at]), size);
        length[at] = size;
        block[at][0] = block[at][size - 1] = (unsigned char)at;
    }
    for (unsigned at = 0; at < SLOTS; at++)
        slot_empty(at);
}

int main(void) {
    struct dice dice = dice_make(1);
    mixed(&dice);
    malloc_trim(0);
    size_t before = memory_rss();
    for (int i = 0; i < ROUNDS; i++) {
        size_t align = (size_t)32 << dice_below(&dice, 8);
        void *p = aligned_alloc(align, 200), *q = malloc(200);
        CHECK(p && q && (uintptr_t)p % align == 0, "aligned_alloc(%zu, 200) gave %p", align, p);
        free(q);
        free(p);
    }
    size_t after = memory_rss();
    CHECK(after < before + 4 * MIB, "RSS grew from %zu to %zu KiB over blocks of 200 bytes", before / KIB, after / KIB);
    return 0;
}
