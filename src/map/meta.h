/* meta: memory for descriptors. Bump allocation from mappings of its own; what is given out is never unmapped, and returns
 * only to a pool of its own type, so a descriptor's address is a descriptor for ever, or reads as zeros (map.h says who needs
 * that).
 *
 * Thread safety: a lock of its own, the last in the lock order. Cost: some ten instructions; a mapping every 64 KiB to 1 MiB. */
#ifndef LOAM_MAP_META_H
#define LOAM_MAP_META_H

#include "base/lock.h"

/* Zeroed memory aligned to a cache line, NULL if there is none. */
void *meta_alloc(size_t size);

/* Pages that are left over where something else was mapped (fresh, zero): meta uses them up first. */
void meta_donate(void *start, size_t size);

/* Descriptors of one type: a list of those given back, in front of meta_alloc. */
struct meta_pool {
    size_t size; /* of one, at least three words; constant */
    void *free;  /* linked through their third word; under meta's lock */
};

/* As it was given back, or zeroed when new. */
void *meta_pool_take(struct meta_pool *pool);
void meta_pool_give(struct meta_pool *pool, void *descriptor);

/* For the numbers: bytes given out (leaves of the map not counted), bytes mapped, and leaves made. */
struct meta_numbers {
    size_t used;
    size_t mapped;
    size_t leaves;
};
struct meta_numbers meta_numbers(void);
void meta_count_leaf(void);

extern struct lock meta_lock;

#endif
