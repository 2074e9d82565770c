/* What the files of cache share. */
#ifndef LOAM_CACHE_INSIDE_H
#define LOAM_CACHE_INSIDE_H

#include "cache/cache.h"
#include "cache/tick.h"

extern struct lock cache_lock;           /* making, closing and opening tables; before all other locks */
extern struct table *cache_made[TABLE_MAX]; /* the real tables, whether they are open or not; release, never cleared */
extern bool cache_closed;                /* tables are taken over at the moment; under cache_lock, read relaxed */

/* The table number `id`, made if it is missing. NULL: no memory. */
COLD struct table *table_get_new(uint32_t id);
INLINE struct table *table_get(uint32_t id)
{
    struct table *table = likely(id < TABLE_MAX) ? __atomic_load_n(&cache_made[id], __ATOMIC_ACQUIRE) : NULL;
    return likely(table) ? table : table_get_new(id);
}

/* One more than the highest number of a table made; release, grows. */
uint32_t cache_reached(void);

/* Processors that the process could use when it started. */
uint32_t cache_cpus(void);

/* The caller's index at this moment; UINT32_MAX for a thread that the kernel does not know. */
uint32_t cache_index_now(void);

/* The processor's entry leads to its table, or to the closed one. release: the table's contents before the table. */
INLINE void table_open(uint32_t id)
{
    __atomic_store_n(&sequence.tables[id], (ptrdiff_t)((uintptr_t)cache_made[id] - (uintptr_t)&sequence.closed), __ATOMIC_RELEASE);
}

INLINE void table_close(uint32_t id) { __atomic_store_n(&sequence.tables[id], 0, __ATOMIC_RELEASE); }

/* What one processor's lists may hold in bytes, now that the heap is as large as it is. */
size_t cache_grant_bound(void);

/* More room for the list, within what the processors' lists may hold in all. Returns its room. */
uint32_t table_cap_grow(struct table *table, uint32_t class);

/* A batch from an arena, as large as suits the class and its list's room; empty: no memory. */
struct list table_cut(struct table *table, uint32_t class, uint32_t cap);

/* The active list was empty: a block of the spare, or of a batch in transfer, which becomes the active list. NULL: there is
 * none. For sequences. */
struct block *cache_pop_ready(struct table *table, uint32_t class);
/* A block from the lists of a table under its lock; NULL if they are empty. For locked mode. */
struct block *locked_pop_only(uint32_t class);

/* One block past all lists. */
void *cache_alloc_past(uint32_t class, uint32_t *arena);
void cache_free_past(struct block *block);
/* A batch goes to transfer, or to the arenas. */
void cache_give_batch(uint32_t class, struct list list);

#endif
