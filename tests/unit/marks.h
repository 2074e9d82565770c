/* Marks: which granules are handed out, for many threads at once. A block is marked after it is got and unmarked before it is
 * freed, with atomic operations on its granules' bits: two owners of one granule at the same time are found for certain.
 *
 * A table of 64 KiB pieces of address space, by open addressing; pieces are never forgotten. */
#ifndef LOAM_TESTS_MARKS_H
#define LOAM_TESTS_MARKS_H

#include "base/bits.h"
#include "unit.h"

enum { MARKS_PIECES = 1 << 15, MARKS_SHIFT = 16, MARKS_GRANULE = 16 };

struct marks_piece {
    uintptr_t number; /* address >> 16; 0 while free */
    uint64_t bits[64];
};

static struct marks_piece marks_pieces[MARKS_PIECES];

static inline struct marks_piece *marks_piece_of(uintptr_t address)
{
    uintptr_t number = address >> MARKS_SHIFT;
    size_t at = (size_t)(number * 0x9e3779b97f4a7c15u >> 40) % MARKS_PIECES;
    for (size_t i = 0; i < MARKS_PIECES; i++, at = (at + 1) % MARKS_PIECES) {
        uintptr_t have = __atomic_load_n(&marks_pieces[at].number, __ATOMIC_RELAXED);
        if (have == 0 && __atomic_compare_exchange_n(&marks_pieces[at].number, &have, number, false, __ATOMIC_RELAXED,
                                                     __ATOMIC_RELAXED))
            return &marks_pieces[at];
        if (have == number)
            return &marks_pieces[at];
    }
    FAIL("the table of marks is full");
}

static inline void marks_change(const char *p, size_t size, bool set)
{
    uintptr_t at = (uintptr_t)p, end = at + bits_up(size ? size : 1, MARKS_GRANULE);
    if (at % MARKS_GRANULE != 0)
        FAIL("%p is not aligned to 16", (const void *)p);
    while (at < end) {
        struct marks_piece *piece = marks_piece_of(at);
        uint32_t first = (uint32_t)(at >> 4) % 64, word = (uint32_t)(at >> 10) % 64;
        uint32_t n = (uint32_t)((end - at) >> 4 < 64 - first ? (end - at) >> 4 : 64 - first);
        uint64_t mask = bits_mask(first, n);
        uint64_t was = set ? __atomic_fetch_or(&piece->bits[word], mask, __ATOMIC_RELAXED)
                           : __atomic_fetch_and(&piece->bits[word], ~mask, __ATOMIC_RELAXED);
        if (set && (was & mask) != 0)
            FAIL("%p of %zu bytes: handed out while %#llx is somebody's", (const void *)p, size,
                 (unsigned long long)((at & ~(uintptr_t)1023) + 16 * bits_ctz(was & mask)));
        if (!set && (was & mask) != mask)
            FAIL("%p of %zu bytes: the test's own account is wrong", (const void *)p, size);
        at += (uintptr_t)n << 4;
    }
}

static inline void marks_take(const char *p, size_t size)
{
    marks_change(p, size, true);
}
static inline void marks_drop(const char *p, size_t size)
{
    marks_change(p, size, false);
}

#endif
