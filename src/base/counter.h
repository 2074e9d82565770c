/* A number that is changed under a lock, and read by anyone without it: for bounds and hints that may be a little old.
 *
 * Changing is a plain load and a relaxed store: the lock keeps other writers away. Reading is a relaxed load, which pairs with it. */
#ifndef LOAM_BASE_COUNTER_H
#define LOAM_BASE_COUNTER_H

#include "base/compiler.h"

INLINE size_t counter_read(const size_t *counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }

/* The caller holds the lock that guards the counter. */
INLINE void counter_add(size_t *counter, size_t amount) { __atomic_store_n(counter, *counter + amount, __ATOMIC_RELAXED); }
INLINE void counter_sub(size_t *counter, size_t amount) { __atomic_store_n(counter, *counter - amount, __ATOMIC_RELAXED); }

#endif
