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

INLINE void *cache_pop(uint32_t offset) { return sequence_pop(offset); }

/* One block of the class. NULL: out of memory. */
void *cache_alloc_slow(uint32_t class);
/* The block, of that class, goes to a list or back to its arena. */
void cache_free_slow(void *block, uint32_t class);

/* The block is the last one of its class that was freed on this processor: nobody has it. A racy look, for free. */
bool cache_has_at_head(const void *block, uint32_t class);

/* What is due on a tick (span_tick said so): spares that nobody needed go back, idle processors' lists too. No lock held. */
void cache_decay(void);
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
