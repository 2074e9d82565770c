/* cache: the lists in front, one table a processor; worked by sequences, or under a lock where the kernel gives none.
 *
 * The fast path is a pop or a push by a sequence: some 15 instructions, no lock, no atomic. What they cannot do is done by
 * `cache_alloc_slow` and `cache_free_slow`: a list that is empty is filled from its spare, from transfer, or by a batch from an
 * arena; a full one becomes the spare, or goes to transfer or to the arenas, whole.
 *
 * Mode: decided at the first slow call, before the first block exists, and never changed: a table is never worked both
 * ways. Threads hold nothing: there is no thread state, and nothing to do when one ends.
 * Signal safety: the fast path is re-entrant; a slow path that is re-entered in the same thread is reported (base/lock.h). */
#ifndef LOAM_CACHE_CACHE_H
#define LOAM_CACHE_CACHE_H

#include "cache/sequence.h"
#include "cache/tick.h"

enum cache_mode {
    CACHE_NOT_STARTED,
    CACHE_SEQUENCES,  /* restartable sequences */
    CACHE_LOCKED,     /* a lock for each table */
    CACHE_TRUSTED,    /* sequences without the kernel, for counting instructions under valgrind: one thread only */
};

/* What is asked for; anything but AUTO may be refused by the machine. */
enum cache_wish { CACHE_WISH_AUTO, CACHE_WISH_LOCKED, CACHE_WISH_TRUSTED };

/* Decides the mode. Called once, before any block exists, by the api's start. */
void cache_start(enum cache_wish wish);
enum cache_mode cache_mode(void);
/* The mode is CACHE_LOCKED; set once at the start (release, read with acquire). `locked_alloc` and `locked_free` are all there is
 * to do then. */
extern bool cache_locked;
void *locked_alloc(uint32_t class);
void locked_free(void *block, uint32_t class);

/* Why sequences are not used, in words; NULL if they are. */
const char *cache_why_locked(void);

INLINE void *cache_pop(uint32_t place) { return sequence_pop(place); }

/* The same for classes of middle size, and once in a while what is due on a tick: their lists may serve a program that does little
 * for so long that no slow path would ever be taken. The count is racy; a lost one does not matter. No lock held. */
INLINE void *cache_pop_ticking(uint32_t class)
{
    enum { SELDOM = 64 };
    struct table *table;
    bool restarted;
    void *block = sequence_pop_try(table_place(class), &table, &restarted);
    if (unlikely(!block))
        return NULL;
    uint32_t calls = __atomic_load_n(&table->calls, __ATOMIC_RELAXED) + 1;
    __atomic_store_n(&table->calls, calls, __ATOMIC_RELAXED);
    if (unlikely(calls % SELDOM == 0))
        cache_tick();
    return block;
}

/* One block of the class. NULL: out of memory. */
void *cache_alloc_slow(uint32_t class);
/* One block of the class, aligned to `align` (a power of two, at most 32 KiB). `first`: one that was popped already, and will not
 * do, or NULL. NULL: out of memory; `first` is in its list again. */
void *cache_alloc_aligned(uint32_t class, size_t align, void *first);
/* The block, of that class, goes to a list or back to its arena. */
void cache_free_slow(void *block, uint32_t class);

/* The block is the last one of its class that was freed on this processor: nobody has it. A racy look, for free. */
bool cache_has_at_head(const void *block, uint32_t class);

/* What is due on a tick (span_tick said so): spares that nobody needed go back; `whole`: every list that can be had without a barrier.
 * No lock held. */
void cache_decay(bool whole);
/* Every list of every table goes to the arenas. False: remote tables could not be taken over (their lists stay). */
bool cache_drain(void);

/* Fork: closes all tables and waits until no sequence runs; and opens them again. In the child, `fenced` as begun. */
bool cache_fork_close(void);
void cache_fork_open(void);
/* In the child, where the close had failed: lists that others may have been changing are dropped, and counted as lost. */
void cache_fork_forget(void);
void cache_lock_all(void);
void cache_unlock_all(void);
void cache_reset_locks(void);

struct cache_numbers {
    uint32_t tables;                 /* made */
    bool exact;                      /* all tables could be closed while counting */
    size_t blocks, bytes;            /* in lists */
    size_t class_blocks[SIZE_CLASSES];
    uint64_t misses;
    size_t lost_blocks;              /* by a fork without a fence */
};
/* `exactly`: tables are closed while counting, which takes a barrier if there are threads; else their lists' lengths are taken from
 * `left`, which is exact while nobody was preempted in a sequence. */
void cache_numbers(struct cache_numbers *numbers, bool exactly);

/* Makes each table's lists agree with their lengths; NULL, or what is wrong. Only while no other thread allocates. */
const char *cache_check(void);

#endif
