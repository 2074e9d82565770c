/* map: from an address to the one who owns its 64 KiB, in one load or two.
 *
 * An entry for each 64 KiB leads to an `owner`: the head of a descriptor that says what stands there. Most blocks of most programs
 * lie within a few GiB of the first: the entries of 16 GiB around it are one row, `near`, and free() waits for one load.
 * Everything else is found by a root of 65,536 entries, indexed by address bits 32 to 47, and leaves of 65,536 entries for
 * 4 GiB each (docs/decisions.md 21). Root and entries are offsets, not addresses: the root's from a leaf of zeros, an entry from
 * the owner `stranger`, so that untouched zero pages lead to a stranger by themselves, and the reader needs no test for what is
 * missing. All of it but the leaves lies in the library's own zero pages, of which only those that are written exist.
 *
 * Each descriptor begins with `owner`, whose `fast_base` is the address of its chunk, or a value that no address is near if it is no
 * chunk. So free() needs no look at the kind: its pointer and fast_base agree in all but the bits that count granules only where it
 * points into a chunk, at a granule. Addresses over 48 bits, whose upper bits the look-up ignores, do not agree.
 *
 * Entries are stored with release before the first block of a chunk, run or mapping is handed out, and cleared before memory
 * is unmapped or moved. Leaves and descriptors are never unmapped, and a descriptor's memory stays a descriptor, so that a
 * reader without a lock (free of any pointer whatever) reads sense.
 *
 * Easy to get wrong: two owners never share 64 KiB, so all that is mapped for blocks starts on such a boundary. */
#ifndef LOAM_MAP_MAP_H
#define LOAM_MAP_MAP_H

#include "base/compiler.h"

enum { MAP_SHIFT = 16, MAP_LEAF_ENTRIES = 1 << 16, MAP_ROOT_ENTRIES = 1 << 16, MAP_NEAR_ENTRIES = 1 << 18 };
#define MAP_GRANULE ((size_t)1 << MAP_SHIFT)

enum owner_kind { OWNER_STRANGER = 0, OWNER_CHUNK = 1, OWNER_AREA = 2, OWNER_DIRECT = 3 };

/* No address is within 64 KiB of it, nor of it plus 2^48. */
#define OWNER_NOT_A_CHUNK ((uintptr_t)1 << 62)

/* A descriptor of zeros is a chunk at address 0 in which no block starts: what the fast path reads for a stranger. */
enum { OWNER_ROOM = 2048 };

struct owner {
    uintptr_t fast_base; /* of a chunk that the fast path may work: its first byte; else OWNER_NOT_A_CHUNK. Constant while the
                            map leads here */
    uint32_t kind;       /* enum owner_kind; constant for the life of the descriptor */
};

struct map {
    ptrdiff_t near[MAP_NEAR_ENTRIES];     /* owners, from `stranger` */
    ptrdiff_t root[MAP_ROOT_ENTRIES];     /* leaves, from `zeros`; each written once (compare and swap), never cleared */
    ptrdiff_t zeros[MAP_LEAF_ENTRIES];    /* never written; a leaf's entries are owners, from `stranger` */
    union {
        struct owner stranger;            /* what has no owner: zeros, never written */
        char stranger_room[OWNER_ROOM];   /* as far as free() may look for a block of it */
    };
    uint32_t near_first;                  /* the 64 KiB that near[0] stands for, counted from address 0; set once, before the
                                             first entry. Here it shares a page with what the library writes anyway */
};
extern struct map map;

#if LOAM_TSAN
#define MAP_NEAR_FIRST __atomic_load_n(&map.near_first, __ATOMIC_RELAXED)
#else
#define MAP_NEAR_FIRST map.near_first /* gcc 12 spends an instruction more on an atomic load */
#endif

/* From `stranger` to the owner of p's 64 KiB: what map_owner adds up, for those who have other things to add meanwhile. */
INLINE ptrdiff_t map_entry(const void *p)
{
    uintptr_t address = (uintptr_t)p;
    uint32_t near = (uint32_t)(address >> MAP_SHIFT) - MAP_NEAR_FIRST;
    /* acquire: pair with the releases in map_change and leaf_get */
    if (likely(near < MAP_NEAR_ENTRIES))
        return __atomic_load_n(&map.near[near], __ATOMIC_ACQUIRE);
    ptrdiff_t leaf = __atomic_load_n(&map.root[(uint16_t)(address >> 32)], __ATOMIC_ACQUIRE);
    const ptrdiff_t *entries = (const ptrdiff_t *)((uintptr_t)map.zeros + (uintptr_t)leaf);
    return __atomic_load_n(&entries[(uint32_t)address >> MAP_SHIFT], __ATOMIC_ACQUIRE);
}

INLINE struct owner *map_owner_at(ptrdiff_t entry) { return (struct owner *)((uintptr_t)&map.stranger + (uintptr_t)entry); }

/* The owner of p's 64 KiB; &map.stranger if it has none. */
INLINE struct owner *map_owner(const void *p) { return map_owner_at(map_entry(p)); }

/* The same, NULL for a stranger. */
INLINE struct owner *map_find(const void *p)
{
    struct owner *owner = map_owner(p);
    return owner == &map.stranger ? NULL : owner;
}

/* All of [start, start+size) belongs to `owner` from now on. False: no memory for a leaf, and nothing has changed. */
bool map_set(const void *start, size_t size, struct owner *owner);

/* The same where entries surely exist (the range has had an owner before); NULL clears. */
void map_change(const void *start, size_t size, struct owner *owner);

#endif
