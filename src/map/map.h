/* map: from an address to the one who owns its 64 KiB, in two loads.
 *
 * A root of 65,536 entries (zero pages of the library's own data until touched), indexed by address bits 32 to 47, points to
 * leaves of 65,536 entries, one for each 64 KiB of 4 GiB. An entry points to an `owner`: the head of a descriptor that says
 * what stands there. 0 is a stranger's address.
 *
 * Each descriptor begins with `owner`, whose `chunk_base` is the address of its chunk, or a value that no address is close
 * to if it is no chunk. So free() needs no look at the kind: p - chunk_base is under 64 KiB for blocks in chunks only, and for
 * addresses over 48 bits (whose upper bits the root ignores) it is not.
 *
 * Entries are stored with release before the first block of a chunk, run or mapping is handed out, and cleared before memory
 * is unmapped or moved. Leaves and descriptors are never unmapped, and a descriptor's memory stays a descriptor, so that a
 * reader without a lock (free of any pointer whatever) reads sense.
 *
 * Easy to get wrong: two owners never share 64 KiB, so all that is mapped for blocks starts on such a boundary. */
#ifndef LOAM_MAP_MAP_H
#define LOAM_MAP_MAP_H

#include "base/compiler.h"

enum { MAP_SHIFT = 16, MAP_LEAF_BITS = 16, MAP_ROOT_BITS = 16 };
#define MAP_GRANULE ((size_t)1 << MAP_SHIFT)

enum owner_kind { OWNER_CHUNK = 1, OWNER_AREA = 2, OWNER_DIRECT = 3 };

/* No address is within 64 KiB of it, nor of it plus 2^48. */
#define OWNER_NOT_A_CHUNK ((uintptr_t)1 << 62)

struct owner {
    uintptr_t chunk_base; /* a chunk's first byte, else OWNER_NOT_A_CHUNK; constant while the map leads here */
    uint32_t kind;        /* enum owner_kind; constant for the life of the descriptor */
};

/* Written once each, under no lock (compare and swap); never cleared. */
extern struct owner **map_root[1 << MAP_ROOT_BITS];

/* The owner of p's 64 KiB, NULL for a stranger. */
INLINE struct owner *map_find(const void *p)
{
    uintptr_t address = (uintptr_t)p;
    /* acquire: pair with the releases in map_set and leaf_get */
    struct owner **leaf = __atomic_load_n(&map_root[(uint16_t)(address >> (MAP_SHIFT + MAP_LEAF_BITS))], __ATOMIC_ACQUIRE);
    if (unlikely(!leaf))
        return NULL;
    return __atomic_load_n(&leaf[(uint16_t)(address >> MAP_SHIFT)], __ATOMIC_ACQUIRE);
}

/* All of [start, start+size) belongs to `owner` from now on. False: no memory for a leaf, and nothing has changed. */
bool map_set(const void *start, size_t size, struct owner *owner);

/* The same where leaves surely exist (the range has had an owner before); NULL clears. */
void map_change(const void *start, size_t size, struct owner *owner);

#endif
