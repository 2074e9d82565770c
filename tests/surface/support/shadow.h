// The oracle's map of who holds which memory: one bit for each 16-byte granule of the address space.
//
// A block is entered when the allocator hands it out and taken away before it is given back; a
// granule that is already taken then belongs to two blocks. Lock-free (each word is set with one
// atomic or), so that the map does not put the threads under test into step. All its memory comes
// from mmap: the heap under test is not touched. Blocks begin at multiples of 16, so no two share
// a granule. Costs a bit per granule touched, in leaves of 8 MiB address space per GiB.
#ifndef SURFACE_SHADOW_H
#define SURFACE_SHADOW_H

#include "surface.h"
#include <sys/mman.h>

enum { SHADOW_LEAF_BITS = 30, SHADOW_ROOTS = 1 << 18 };
#define SHADOW_LEAF_BYTES (((size_t)1 << SHADOW_LEAF_BITS) / 16 / 8)

static uint64_t *shadow_roots[SHADOW_ROOTS];

static inline uint64_t *shadow_leaf(uintptr_t address) {
    size_t root = address >> SHADOW_LEAF_BITS;
    CHECK(root < SHADOW_ROOTS, "an address beyond 48 bits: %#zx", (size_t)address);
    uint64_t *leaf = __atomic_load_n(&shadow_roots[root], __ATOMIC_ACQUIRE);
    if (leaf) return leaf;
    void *fresh = mmap(NULL, SHADOW_LEAF_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(fresh != MAP_FAILED, "no memory for the shadow map");
    uint64_t *none = NULL;
    if (__atomic_compare_exchange_n(&shadow_roots[root], &none, (uint64_t *)fresh, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return (uint64_t *)fresh;
    munmap(fresh, SHADOW_LEAF_BYTES);
    return none;
}

// Sets or clears the granules of [p, p + size); true if each was as it had to be before.
static inline bool shadow_change(const void *p, size_t size, bool take) {
    uintptr_t granule = (uintptr_t)p / 16;
    uintptr_t end = ((uintptr_t)p + (size ? size : 1) + 15) / 16;
    bool good = true;
    while (granule < end) {
        uint64_t *leaf = shadow_leaf(granule * 16);
        size_t bit = granule % 64;
        size_t run = 64 - bit < end - granule ? 64 - bit : end - granule;
        uint64_t mask = (run == 64 ? ~(uint64_t)0 : (((uint64_t)1 << run) - 1)) << bit;
        uint64_t *word = &leaf[(granule * 16 % ((uintptr_t)1 << SHADOW_LEAF_BITS)) / 16 / 64];
        uint64_t old = take ? __atomic_fetch_or(word, mask, __ATOMIC_RELAXED)
                            : __atomic_fetch_and(word, ~mask, __ATOMIC_RELAXED);
        good &= take ? (old & mask) == 0 : (old & mask) == mask;
        granule += run;
    }
    return good;
}

#endif
