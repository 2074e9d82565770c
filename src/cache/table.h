/* A processor's table of lists: for each class one *active* list that calls push to and pop from, and one *spare*, a whole
 * batch that stands ready or waits to be taken away.
 *
 * Who writes: in sequence mode only sequences of the processor whose number the table has (cache/sequence.h), or the one who
 * has taken the table over (cache/close.c); in locked mode the holder of `lock`. `cap` and what stands below the lists are
 * plain hints of the slow path: relaxed.
 *
 * `left` is the room that a list has: counting down needs no second number on the fast path. It may drift by one each time a
 * sequence is restarted between its store and the commit; taking the whole list sets it right. Numbers that must be exact walk
 * the lists of a table that is closed.
 *
 * The *closed table* has no block and no room: pop finds it empty, push finds it full, both go the slow way. It stands in for
 * tables that are not made yet or that somebody takes over. */
#ifndef LOAM_CACHE_TABLE_H
#define LOAM_CACHE_TABLE_H

#include "arena/size.h"
#include "base/list.h"
#include "base/lock.h"

enum { TABLE_LISTS = SIZE_CLASSES + 1, TABLE_MAX = 4096 /* processors; one with a higher number uses the arenas */ };

struct table_list {
    struct block *head;
    uint32_t left;
    uint32_t cap; /* 0 in the closed table only */
};
static_assert(sizeof(struct table_list) == 16, "a list's offset in its table is its class times 16");

struct table {
    struct table_list active[TABLE_LISTS];
    struct table_list spare[TABLE_LISTS]; /* of a spare, `left` is its length */
    struct lock lock;                     /* locked mode: guards the lists */
    uint32_t arena;                       /* the arena that refills came from last; relaxed */
    uint32_t id;                          /* constant */
    uint32_t calls;                       /* of middle size, for cache_pop_ticking; relaxed */
    size_t granted;                       /* bytes that the caps allow, spares counted; relaxed */
    size_t grant;                         /* the most of that, as of one of the last misses; relaxed */
    uint64_t misses;                      /* refills and overflows since the start; relaxed */
    uint64_t misses_at_tick;
    uint32_t cut;                         /* bytes cut from arenas for this table, of all classes; wraps; relaxed */
    uint32_t cut_at[TABLE_LISTS];         /* what it was when the class's last batch was cut; relaxed */
    uint32_t cut_last[TABLE_LISTS];       /* bytes of that batch; relaxed */
    uint8_t spare_used[TABLE_LISTS];      /* since the last tick; relaxed */
} CACHE_ALIGNED;

enum { TABLE_SPARE = offsetof(struct table, spare) };

/* Where the list of a class is in its table, and back. */
INLINE uint32_t table_place(uint32_t class) { return class * (uint32_t)sizeof(struct table_list); }
INLINE uint32_t table_class(uintptr_t place) { return (uint32_t)place / (uint32_t)sizeof(struct table_list); }

/* The first room of a list, and the most: 32 KiB or 256 blocks. */
INLINE uint32_t table_cap_first(uint32_t class) { return class <= 16 ? 4 : class <= SIZE_FINE ? 2 : 1; }

/* A spare takes a batch if its cap is not 0. Large classes have none until their list has grown. */
INLINE uint32_t table_spare_first(uint32_t class) { return class <= SIZE_FINE + SIZE_STEPS; }

INLINE uint32_t table_cap_max(uint32_t class)
{
    uint32_t blocks = (32u << 10) / (uint32_t)size_bytes(class);
    return blocks > 256 ? 256 : blocks < 2 ? 2 : blocks;
}

/* How many blocks a refill cuts: half of the room, but not more than so many bytes. */
INLINE uint32_t table_refill(uint32_t cap, uint32_t class, uint32_t bytes)
{
    uint32_t most = bytes / (uint32_t)size_bytes(class);
    uint32_t half = cap / 2;
    half = half > most ? most : half;
    return half < 1 ? 1 : half;
}

#endif
