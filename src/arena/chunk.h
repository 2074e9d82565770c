/* A chunk: 64 KiB of blocks of mixed sizes, described out of band.
 *
 * The descriptor is an odd number of cache lines, so that the same word of many descriptors does not fall into one set of the
 * cache. What free() reads without a lock is `owner`, `boundary` and `large`: none of it changes for a block while it
 * lives (bounds.h; `large[w]` is the class of the one block over 1 KiB that can start in word w). The rest is under the
 * lock of the arena that owns the chunk. */
#ifndef LOAM_ARENA_CHUNK_H
#define LOAM_ARENA_CHUNK_H

#include "arena/size.h"
#include "bounds/bounds.h"
#include "map/map.h"
#include "span/span.h"

enum {
    CHUNK_GRANULES = 4096,
    CHUNK_WORDS = CHUNK_GRANULES / 64,
};

struct arena;
struct area;

struct chunk {
    struct owner owner;
    struct chunk *next;                  /* in its bin */
    struct chunk *previous;
    struct arena *arena;                 /* constant while any block is out */
    struct area *area;                   /* where the 64 KiB came from */
    uintptr_t base;                      /* first byte; constant while the map leads here */
    uint16_t longest;                    /* exact: the longest hole in granules */
    uint16_t bin;
    uint32_t clean;                      /* bit i: page i is not resident and reads zero */
    uint32_t stamp;                      /* tick of the last release into it */
    uint16_t purging;                    /* page runs that are with the kernel at the moment */
    uint16_t looked;                     /* the last pass over free pages that came by */
    bool again;                          /* something was given back to it */
    uint64_t loose;                      /* words in which a batch loosened blocks and did not merge yet; 0 but inside arena_release */
    struct chunk *loose_next;            /* the batch's next chunk of that kind */
    uint8_t large[CHUNK_WORDS];
    uint16_t numbers[CHUNK_WORDS];
    uint64_t occupied[CHUNK_WORDS];
    uint64_t after_occupied;             /* what chunk_loosen's wide store may write back unchanged */
    uint64_t boundary[CHUNK_WORDS + 1];  /* relaxed stores, read without a lock */
    char to_odd_lines[16];
};
static_assert(sizeof(struct chunk) % 128 == 64, "a chunk's descriptor is an odd number of cache lines");
static_assert(sizeof(struct chunk) == SPAN_DESCRIPTOR, "an area keeps a place of this size for each of its chunks");
static_assert(sizeof(struct chunk) <= OWNER_ROOM, "the stranger reads as a chunk without a block");
static_assert(CHUNK_GRANULES * GRANULE == MAP_GRANULE, "a chunk is what one entry of the map stands for");

INLINE struct bounds chunk_bounds(struct chunk *chunk)
{
    return (struct bounds){
        .boundary = chunk->boundary,
        .occupied = chunk->occupied,
        .numbers = {.level = {chunk->numbers}, .levels = 1, .count = CHUNK_WORDS, .wide = false},
        .granules = CHUNK_GRANULES,
    };
}

/* The granule of p in the chunk; CHUNK_GRANULES or more if p is not in it, or not on a granule. One rotation checks both. */
INLINE uintptr_t chunk_granule(const struct chunk *chunk, const void *p)
{
    uintptr_t offset = (uintptr_t)p - chunk->base;
    return offset >> GRANULE_SHIFT | offset << (64 - GRANULE_SHIFT);
}

/* ---- what free() asks, before it knows that p is in a chunk ---- */

/* The granule that p is in, counted from the 64 KiB it lies in. */
INLINE uint32_t chunk_granule_of(const void *p) { return (uint16_t)(uintptr_t)p >> GRANULE_SHIFT; }

/* p, to whose owner `entry` leads (map_entry), is at a granule of a chunk that the fast path may work. */
INLINE bool chunk_fast_holds(ptrdiff_t entry, const void *p)
{
    return ((uintptr_t)p & ~(MAP_GRANULE - GRANULE)) == map_owner_at(entry)->fast_base;
}

/* Boundary bits from some granule at or before p's on, p's at `chunk_window_start`, 56 behind it. `entry` is added last. */
#if LOAM_TSAN
INLINE uint32_t chunk_window_start(const void *p) { return (void)p, 0; }
INLINE uint64_t chunk_window(ptrdiff_t entry, const void *p)
{
    return bounds_window(((struct chunk *)map_owner_at(entry))->boundary, chunk_granule_of(p));
}
#else
INLINE uint32_t chunk_window_start(const void *p) { return (uint32_t)((uintptr_t)p >> GRANULE_SHIFT) % 8; }
INLINE uint64_t chunk_window(ptrdiff_t entry, const void *p)
{
    uintptr_t at = (uintptr_t)&map + ((uint16_t)(uintptr_t)p >> (GRANULE_SHIFT + 3));
    __asm__("" : "+r"(at)); /* else gcc adds `entry` first */
    return bits_load64((const char *)(at + (uintptr_t)entry + offsetof(struct map, stranger) + offsetof(struct chunk, boundary)));
}
#endif

/* Shifts the window behind the bit `start`, 0 to 7. To `slow` if that bit, the block's start, is not set, or no other follows. */
#if defined(__x86_64__) && !LOAM_TSAN
#define WINDOW_BEHIND(window, start, slow) /* both flags of one shift: C has no words for it */                        \
    __asm__ goto("shrq %%cl, %0\n\tcmc\n\tjbe %l[" #slow "]" : "+r"(window) : "c"((start) + 1) : "cc" : slow)
#else
#define WINDOW_BEHIND(window, start, slow)                                                                             \
    do {                                                                                                               \
        (window) >>= (start);                                                                                          \
        if (unlikely(!((window) & 1)) || unlikely((window) == 1))                                                      \
            goto slow;                                                                                                 \
        (window) >>= 1;                                                                                                \
    } while (0)
#endif

INLINE char *chunk_address(const struct chunk *chunk, uint32_t granule)
{
    return (char *)chunk->base + ((size_t)granule << GRANULE_SHIFT);
}

/* How many granules the block at granule i has; 0 if no segment starts there, CHUNK_BLOCK_LONG if the window does not show its end. A
 * live block's answer needs no lock. */
enum { CHUNK_BLOCK_LONG = 0xffff };
INLINE uint32_t chunk_block_granules(const struct chunk *chunk, uint32_t i)
{
    uint64_t window = bounds_window(chunk->boundary, i);
    if (unlikely(!(window & 1)))
        return 0;
    window >>= 1;
    if (likely(window != 0))
        return bits_ctz(window) + 1; /* up to 56 granules, often more */
    return CHUNK_BLOCK_LONG;
}

/* The same for a block that is longer than the window shows: up to 1 KiB by a second look, above by its byte. */
INLINE uint32_t chunk_block_class_long(const struct chunk *chunk, uint32_t i)
{
    uint64_t window = bounds_window(chunk->boundary, i + 56) & 0x1ff; /* boundaries 56 to 64 granules on */
    return window ? 56 + bits_ctz(window) : chunk->large[i / BITS_WORD];
}

#endif
