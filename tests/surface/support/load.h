// A fixed mixed load whose every call may fail: for the tests of memory that runs out.
//
// Small blocks of all sizes, large ones, mappings, aligned ones, growing and shrinking reallocs,
// calloc; kept blocks carry a pattern that is checked when they are given up. Each NULL must come
// with ENOMEM and must leave the old block of a realloc as it was. load_run() counts what it got
// and what it was refused; with `must_succeed` a refusal is a failure.
#ifndef SURFACE_LOAD_H
#define SURFACE_LOAD_H

#include "surface.h"
#include <malloc.h>

enum { LOAD_SLOTS = 3000 };

struct load {
    unsigned char *blocks[LOAD_SLOTS];
    size_t sizes[LOAD_SLOTS];
    size_t got, refused, bytes;
};

static inline bool load_answer(struct load *load, const void *p, bool must_succeed, const char *call,
                               size_t size) {
    if (p) {
        load->got++;
        return true;
    }
    CHECK(errno == ENOMEM, "%s(%zu) failed with another errno", call, size);
    CHECK(!must_succeed, "%s(%zu) failed where memory was to be had", call, size);
    load->refused++;
    return false;
}

static inline void load_enter(struct load *load, size_t slot, void *p, size_t size) {
    load->blocks[slot] = (unsigned char *)p;
    load->sizes[slot] = size;
    load->bytes += size;
    pattern_fill(p, size, slot);
}

static inline void load_drop(struct load *load, size_t slot) {
    unsigned char *p = load->blocks[slot];
    if (!p) return;
    size_t size = load->sizes[slot], at = pattern_check(p, size, size, slot);
    CHECK(at == size, "slot %zu: byte %zu of %zu changed", slot, at, size);
    load->blocks[slot] = NULL;
    load->bytes -= size;
    free(p);
}

static inline void load_take(struct load *load, size_t slot, unsigned way, size_t size,
                             bool must_succeed) {
    void *p = NULL;
    load_drop(load, slot);
    errno = 0;
    switch (way) {
    case 0:
        p = calloc(1, size);
        if (p) CHECK(zero_check(p, size) == size, "calloc(%zu) is not zero", size);
        break;
    case 1: p = aligned_alloc(256, size); break;
    case 2: {
        int error = posix_memalign(&p, 4096, size);
        CHECK(error == 0 || error == ENOMEM, "posix_memalign = %d", error);
        if (error) p = NULL, errno = ENOMEM;
        break;
    }
    default: p = malloc(size);
    }
    if (load_answer(load, p, must_succeed, way == 0 ? "calloc" : way == 1 ? "aligned_alloc" : "malloc",
                    size))
        load_enter(load, slot, p, size);
}

static inline void load_resize(struct load *load, size_t slot, size_t size, bool must_succeed) {
    unsigned char *old = load->blocks[slot];
    size_t old_size = load->sizes[slot], kept = old_size < size ? old_size : size;
    if (!old) return;
    errno = 0;
    void *p = realloc(old, size);
    if (!load_answer(load, p, must_succeed, "realloc", size)) return; // load_drop checks it later
    CHECK(pattern_check(p, old_size, kept, slot) == kept, "realloc from %zu to %zu lost contents",
          old_size, size);
    load->bytes -= old_size;
    load_enter(load, slot, p, size);
}

static inline void load_clear(struct load *load) {
    for (size_t i = 0; i < LOAD_SLOTS; i++) load_drop(load, i);
}

// The same calls for the same seed; `scale` KiB is the size of the largest block.
static inline void load_run(struct load *load, uint64_t seed, size_t steps, size_t scale,
                            bool must_succeed) {
    struct dice dice = {seed};
    for (size_t step = 0; step < steps; step++) {
        size_t slot = (size_t)dice_below(&dice, LOAD_SLOTS), size = dice_size(&dice) + 1;
        uint64_t what = dice_below(&dice, 100);
        if (what < 2) size = (size_t)dice_below(&dice, scale * KIB) + 1;
        unsigned way = (unsigned)dice_below(&dice, 8);
        if (what < 60) load_take(load, slot, way, size, must_succeed);
        else if (what < 75) load_resize(load, slot, size, must_succeed);
        else load_drop(load, slot);
    }
}

#endif
