/* transfer: whole batches of one class, between the processors' lists and the arenas.
 *
 * What one processor's lists overflow with, another's may be empty of: a batch is put and taken in O(1), and touches no bits. The
 * batch's first block links the rest through its first word, and the next batch through its second, together with the
 * batch's length (16 bits above 48 of address).
 * Bounded in bytes, in all and for each class, by a share of the heap, so that small programs hold little here. What nobody took
 * between two ticks goes back to the arenas.
 * Lock: one for each class, after a table's and before an arena's. */
#ifndef LOAM_ARENA_TRANSFER_H
#define LOAM_ARENA_TRANSFER_H

#include "base/list.h"

/* Takes the batch over. False: no room, the caller keeps it. */
bool transfer_put(uint32_t class, struct list list);

/* The batch put last, an empty list if there is none. */
struct list transfer_take(uint32_t class);

/* On a tick: what was not needed since the last one goes to the arenas. Call with no lock held. */
void transfer_decay(void);
/* All of it goes to the arenas. Call with no lock held. */
void transfer_drain(void);

/* Blocks and bytes held; and the blocks of one class. */
void transfer_numbers(size_t *blocks, size_t *bytes);
size_t transfer_class_blocks(uint32_t class);

/* Fork: all locks, in order. */
void transfer_lock_all(void);
void transfer_unlock_all(void);
void transfer_reset_locks(void);

#endif
