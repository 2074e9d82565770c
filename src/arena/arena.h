/* Arenas: chunks of mixed sizes, one lock each, as many as processors that are in use.
 *
 * Blocks leave in batches (`arena_take` cuts them from holes in address order) and come back in batches (`arena_give`), so a
 * lock hold is paid for many blocks. Chunks are binned by their longest hole; a request takes the smallest that fits, and
 * the lowest place inside. A chunk without a block goes back to span, but for one that each arena keeps.
 *
 * Guarantees: memory freed at one size serves every size; a block released is merged at once. Before the heap grows, all
 * arenas that are not busy are looked into.
 * Lock: the arena's, after a table's and transfer's, before span's. Other arenas are only tried, never waited for, while one is
 * held. `arena_give` checks every block: it must be occupied and start where it says, or the process is told. */
#ifndef LOAM_ARENA_ARENA_H
#define LOAM_ARENA_ARENA_H

#include "arena/chunk.h"
#include "base/counter.h"
#include "base/list.h"
#include "base/lock.h"

enum {
    ARENA_MAX = 64,
    ARENA_BINS = 64 + 6 * SIZE_STEPS + 1, /* by longest hole: 0 to 64 granules each, then 16 a doubling, to 4096 */
    ARENA_BIN_WORDS = (ARENA_BINS + 63) / 64,
};

struct arena {
    struct lock lock;
    uint64_t bins_used[ARENA_BIN_WORDS];   /* bit: the bin has a chunk */
    struct chunk *bins[ARENA_BINS];        /* circular lists; the head is taken first */
    size_t chunks;
    size_t occupied;                       /* a counter; granules: blocks handed up, in lists or in use, and runs being purged */
    size_t blocks;                         /* a counter; how many */
    size_t handed;                         /* bytes since the last sample (observe/hook.h) */
    uint64_t carved[SIZE_CLASSES];         /* blocks ever cut */
} CACHE_ALIGNED;

extern struct arena arenas[ARENA_MAX];
/* How many are in use; grows from 1 to the number of usable processors when a second table appears. Relaxed. */
extern uint32_t arena_count;
/* The most that ever were in use (mallopt may lower arena_count): those above it never had a chunk. Relaxed, grows. */
extern uint32_t arena_reached;

/* As many as there are processors now, but not more than the user's limit (M_ARENA_MAX; 0: none). */
void arena_use(uint32_t count);
void arena_limit(uint32_t limit);

/* Whether chunks made from now on may be worked by free()'s fast path, which needs sequences. Before the first chunk. */
void arena_allow_fast_path(bool allowed);

/* Up to k (at least 1, at most 256) blocks of a class, linked; from chunks where nothing was given back yet up to `fresh`, at
 * most k. *preferred is tried first, and becomes the arena that served. An empty list: out of memory. */
struct list arena_take(uint32_t *preferred, uint32_t class, uint32_t fresh, uint32_t k);

/* The same for blocks aligned to `align` (over 16, at most 32 KiB). */
struct list arena_take_aligned(uint32_t *preferred, uint32_t class, size_t align, uint32_t k);

/* All blocks of the list become free memory. `class`: of all of them, which is faster, or 0 for a list of mixed sizes. */
void arena_give(struct list list, uint32_t class);

/* The block after this one in a list, once it is sure that this is memory of a chunk, on a granule; else the list is broken, and
 * the process is told. */
struct block *arena_list_next(const struct block *block);
/* How long a list is; a broken one, or one that runs in a circle, is told of. */
uint32_t arena_list_length(const struct block *block);

/* The block at p (in chunk, `from` granules) becomes one of `to` granules where it stands; one that grows rather of `roomy`, which
 * is at least `to`. False: no room, nothing changed. */
bool arena_resize(struct chunk *chunk, void *p, uint32_t from, uint32_t to, uint32_t roomy);

/* Gives whole free pages inside chunks back to the kernel: those that were not released into during the current tick, or all.
 * Returns bytes. Call with no lock held. */
size_t arena_purge(bool all);
/* Chunks that are kept empty go back to span. */
void arena_release_empty(void);
/* The most granules and blocks that were handed up at any time. */
void arena_peaks(size_t *granules, size_t *blocks);

/* What stands at the address: for reports and for the checks; takes the arena's lock. */
struct bounds_segment arena_segment_of(struct chunk *chunk, uintptr_t address);

struct arena_numbers {
    size_t chunks;
    size_t occupied_bytes; /* in lists, batches and use */
    size_t blocks;
    size_t occupied_peak;  /* the most at any time, within the batches in threads' hands */
    size_t blocks_peak;
    size_t clean_bytes;    /* pages in chunks that are not resident */
    uint64_t carved[SIZE_CLASSES];
    uint64_t lock_waits;
};
void arena_numbers(struct arena_numbers *numbers);

/* Adds the occupied blocks of each class. Walks every chunk. */
void arena_class_blocks(size_t *blocks);

/* Fork: all locks in order of their index. */
void arena_lock_all(void);
void arena_unlock_all(void);
void arena_reset_locks(void);

/* Every chunk of every arena: NULL, or what is wrong. Takes the locks one by one. */
const char *arena_check(void);

#endif
