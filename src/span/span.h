/* span: runs of pages, for chunks and for blocks over the last size class; what is done with pages nobody uses.
 *
 * Memory comes in *areas* (256 KiB at first, a quarter of what is mapped later, at most 64 MiB) whose pages are a row of bounds,
 * and in *direct* mappings of one large block each. The lowest place that fits is taken, so that high memory empties.
 * Freed pages are *dirty*: they keep their memory until a purge gives it back to the kernel. Dirt that is older than one tick
 * of half a second is purged on ticks, which slow paths make; more dirt than a bound that follows the recent peak is purged at once.
 * Runs up to 64 KiB that are freed wait, whole, for the next request for as many pages (kept.c).
 *
 * Guarantees: no thread, no signal; nothing reserved up front; out of memory is NULL and changes nothing; the lock is never
 * held during a purge. A run's memory is handed out zeroed if *zero says so.
 * Lock: span_lock, taken with or without an arena's, before meta's.
 * Easy to get wrong: a page counts as clean only when the kernel said so. */
#ifndef LOAM_SPAN_SPAN_H
#define LOAM_SPAN_SPAN_H

#include "base/lock.h"
#include "map/map.h"

extern struct lock span_lock;
/* Held for a whole purge, over the moments when the others are dropped: one thread purges at a time, and fork waits for it. Taken
 * before all other locks, or tried. */
extern struct lock span_purge_lock;

#define SPAN_CHUNK MAP_GRANULE

struct area; /* area.h */

/* ---- chunks: 64 KiB, aligned ---- */

/* A chunk's descriptor lies with its area, one place for each 64 KiB; what the place holds while no chunk is there is not kept
 * (it may read as zeros). Its first word never looks like a chunk's base then. */
enum { SPAN_DESCRIPTOR = 1344 };

/* NULL if there is no memory. *area is needed to give it back, *descriptor is the place to describe it in; *clean: bit i, page i of
 * it reads zero and is not resident. */
void *span_chunk_take(struct area **area, void **descriptor, uint32_t *clean);
/* The chunk's blocks are all free; pages of `clean` were never touched or have been purged. The map leads to the area again. */
void span_chunk_give(struct area *area, void *start, uint32_t clean);

/* ---- large blocks ---- */

/* At least `size` bytes (the caller has bounded size and align), aligned to `align` (a power of two). *zero: all of it
 * reads zero. NULL if there is no memory. */
void *span_alloc(size_t size, size_t align, bool *zero);

/* What stands at p, whose owner is an area or a direct mapping: the block that holds p. An area need not end with its last
 * 64 KiB: what lies behind may be somebody else's, and is nothing here. */
struct span_block {
    char *start;  /* NULL: nothing of ours */
    size_t size;  /* usable bytes, from start */
    bool in_use;  /* false: free pages */
};
struct span_block span_find(struct owner *owner, const void *p);

/* The direct mapping that holds p though the map does not know (its inside): in_use is false if there is none. Walks a list. */
struct span_block span_find_inside(const void *p);

/* False: no block in use starts at p, and nothing has changed. */
bool span_free(struct owner *owner, void *p);

/* Makes the block at p hold `size` bytes where it stands, or, for direct mappings, by moving its pages; a run that grows rather
 * gets `roomy`, at least `size`. NULL: the caller must copy; nothing has changed. */
void *span_resize(struct owner *owner, void *p, size_t size, size_t roomy);

/* ---- giving back ---- */

/* If a tick is due: purges what has been dirty since before the last one. IDLE: it came late, because nobody left the fast path for a second:
 * nothing is young, and the caller may give back everything. Call with no lock held. */
enum span_tick { SPAN_TICK_NONE, SPAN_TICK_DUE, SPAN_TICK_IDLE };
enum span_tick span_tick(void);
/* If there is more dirt than the bound: purges down to it. Call with no lock held. */
void span_purge_excess(void);
/* Gives back all dirt and unmaps areas without a block. Returns the bytes that the kernel got. Call with no lock held. */
size_t span_trim(void);
/* The current tick, a counter of half seconds in which something happened. */
uint32_t span_tick_number(void);

/* ---- numbers ---- */
struct span_numbers {
    size_t mapped;        /* bytes of areas and direct mappings */
    size_t mapped_peak;
    size_t areas;         /* how many */
    size_t chunk_bytes;   /* held by arenas */
    size_t large_blocks;  /* runs and direct mappings handed out */
    size_t large_bytes;
    size_t direct_blocks; /* of these, direct mappings */
    size_t direct_bytes;
    size_t dirty_bytes;   /* free pages that may be resident */
    size_t purged_bytes;  /* given back so far, by purges and unmaps */
    size_t used_peak;     /* most bytes in chunks and large blocks at any time */
    size_t large_peak;    /* most bytes in large blocks */
    size_t large_blocks_peak;
    size_t undescribed;   /* bytes kept for descriptors of chunks that are not resident */
    size_t handed;        /* bytes since the last sample (observe/hook.h) */
};
struct span_numbers span_numbers(void);
/* Bytes in chunks and large blocks, read without the lock: for bounds that follow the heap. */
size_t span_used_racy(void);

/* M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of mallopt: 0 is adaptive. */
void span_set_direct_threshold(size_t bytes);
void span_set_dirty_bound(size_t bytes);

/* The whole structure: NULL, or what is wrong. Takes the lock. */
const char *span_check(void);

#endif
