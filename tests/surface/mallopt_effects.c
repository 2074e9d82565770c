// Promise: mallopt's settings have their effect or none, and never break the heap.
// TEST: cflags=-fno-builtin
//
// Return values are compared with the C library's in glibc_compare.c. Here: M_PERTURB fills (where
// it has its effect, what it fills with is as documented) and calloc stays zero under it; a heap
// under each extreme setting serves a mixed load with its contents intact.
#include "support/surface.h"
#include <malloc.h>

enum { SLOTS = 200, STEPS = 20000 };

static void mixed_load(const char *setting) {
    static unsigned char *slots[SLOTS];
    static size_t sizes[SLOTS];
    struct dice dice = dice_make(7);
    for (int step = 0; step < STEPS; step++) {
        size_t i = (size_t)dice_below(&dice, SLOTS);
        if (slots[i]) {
            size_t at = pattern_check(slots[i], sizes[i], sizes[i], i);
            CHECK(at == sizes[i], "%s: byte %zu of %zu changed", setting, at, sizes[i]);
        }
        if (slots[i] && dice_below(&dice, 2)) {
            free(slots[i]);
            slots[i] = NULL;
            continue;
        }
        size_t size = dice_size(&dice) + 1;
        if (!slots[i] && dice_below(&dice, 4) == 0) {
            slots[i] = calloc(1, size);
            CHECK(slots[i] && zero_check(slots[i], size) == size, "%s: calloc is not zero",
                  setting);
        } else {
            slots[i] = realloc(slots[i], size);
            CHECK(slots[i] != NULL, "%s: no memory", setting);
        }
        sizes[i] = size;
        pattern_fill(slots[i], size, i);
    }
    for (size_t i = 0; i < SLOTS; i++) {
        free(slots[i]);
        slots[i] = NULL;
    }
}

static void perturb_is_as_documented(void) {
    mallopt(M_PERTURB, 0x5a);
    size_t filled = 0, blocks = 0;
    for (size_t size = 1; size < 300000; size = size * 3 + 1, blocks++) {
        unsigned char *p = malloc(size);
        CHECK(p != NULL, "no memory");
        size_t same = 0;
        for (size_t i = 0; i < size; i++) same += p[i] == (0x5a ^ 0xff);
        filled += same == size;
        free(p);
        p = calloc(size, 1);
        CHECK(p && zero_check(p, size) == size, "calloc(%zu) is not zero under M_PERTURB", size);
        free(p);
    }
    printf("M_PERTURB filled %zu of %zu new blocks (all: it has its effect; none: it has none)\n",
           filled, blocks);
    // The C library's own fills only blocks that come from behind its per-thread cache.
    CHECK(filled == 0 || filled == blocks || is_any_allowed(), "%zu of %zu blocks were filled",
          filled, blocks);
    mixed_load("M_PERTURB");
    mallopt(M_PERTURB, 0);
}

int main(void) {
    static const struct {
        const char *name;
        int parameter, value;
    } settings[] = {
        {"M_MXFAST 0", M_MXFAST, 0},
        {"M_MXFAST 160", M_MXFAST, 160},
        {"M_TRIM_THRESHOLD 0", M_TRIM_THRESHOLD, 0},
        {"M_TRIM_THRESHOLD -1", M_TRIM_THRESHOLD, -1},
        {"M_TOP_PAD 1 MiB", M_TOP_PAD, 1 << 20},
        {"M_TOP_PAD 0", M_TOP_PAD, 0},
        {"M_MMAP_THRESHOLD 0", M_MMAP_THRESHOLD, 0},
        {"M_MMAP_THRESHOLD 1000", M_MMAP_THRESHOLD, 1000},
        {"M_MMAP_THRESHOLD 32 MiB", M_MMAP_THRESHOLD, 32 << 20},
        {"M_MMAP_MAX 0", M_MMAP_MAX, 0},
        {"M_MMAP_MAX 2", M_MMAP_MAX, 2},
        {"M_MMAP_MAX 65536", M_MMAP_MAX, 65536},
        {"M_ARENA_MAX 1", M_ARENA_MAX, 1},
        {"M_ARENA_TEST 1", M_ARENA_TEST, 1},
        {"M_CHECK_ACTION 0", M_CHECK_ACTION, 0},
    };
    test_begin(60);
    mixed_load("no setting");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        mallopt(settings[i].parameter, settings[i].value);
        mixed_load(settings[i].name);
    }
    perturb_is_as_documented();
    return 0;
}
