#include "map/map.h"
#include "base/bits.h"
#include "map/meta.h"
#include "os/pages.h"

enum { LEAF_BYTES = sizeof(ptrdiff_t) * MAP_LEAF_ENTRIES };
#define LEAF_SPAN ((uintptr_t)MAP_GRANULE * MAP_LEAF_ENTRIES)

struct map map; /* all zeros: no page of it exists until it is needed */

/* The kernel maps downwards: what is near ends with the 4 GiB of the first address that anything is set for. Until then it is the first
 * 16 GiB: a reader who is overtaken between near_first and the entry sees one of the young heap's only if its address is at 12
 * to 16 GiB, where no system maps anything. (A first address there has what is near begin 4 GiB later: 0 means not chosen.) */
static void near_choose(uintptr_t first)
{
    uint32_t end = (uint32_t)((bits_down(first, LEAF_SPAN) + LEAF_SPAN) >> MAP_SHIFT), none = 0;
    uint32_t from = end == MAP_NEAR_ENTRIES ? MAP_LEAF_ENTRIES : end - MAP_NEAR_ENTRIES;
    __atomic_compare_exchange_n(&map.near_first, &none, from, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* The leaf for an address, made if it is missing. Two threads may make it at once; one of them gives its own back. */
static ptrdiff_t *leaf_get(uintptr_t address)
{
    ptrdiff_t *slot = &map.root[(uint16_t)(address >> 32)];
    ptrdiff_t leaf = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (leaf == 0) {
        void *fresh = os_map(NULL, LEAF_BYTES);
        if (!fresh)
            return NULL;
        ptrdiff_t made = (ptrdiff_t)((uintptr_t)fresh - (uintptr_t)map.zeros);
        /* release: pairs with map_entry */
        if (__atomic_compare_exchange_n(slot, &leaf, made, false, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE)) {
            leaf = made;
            meta_count_leaf();
        } else {
            os_unmap(fresh, LEAF_BYTES);
        }
    }
    return (ptrdiff_t *)((uintptr_t)map.zeros + (uintptr_t)leaf);
}

/* Where the entry of an address is; NULL if there is no memory for its leaf. */
static ptrdiff_t *entry_get(uintptr_t address)
{
    uint32_t near = (uint32_t)(address >> MAP_SHIFT) - MAP_NEAR_FIRST;
    if (near < MAP_NEAR_ENTRIES)
        return &map.near[near];
    ptrdiff_t *leaf = leaf_get(address);
    return leaf ? &leaf[(uint32_t)address >> MAP_SHIFT] : NULL;
}

void map_change(const void *start, size_t size, struct owner *owner)
{
    uintptr_t end = (uintptr_t)start + size;
    ptrdiff_t entry = owner ? (ptrdiff_t)((uintptr_t)owner - (uintptr_t)&map.stranger) : 0;
    for (uintptr_t at = (uintptr_t)start; at < end; at += MAP_GRANULE) {
        ptrdiff_t *place = entry_get(at);
        if (place) /* release: pairs with map_entry */
            __atomic_store_n(place, entry, __ATOMIC_RELEASE);
    }
}

bool map_set(const void *start, size_t size, struct owner *owner)
{
    uintptr_t end = (uintptr_t)start + size;
    if (unlikely(MAP_NEAR_FIRST == 0))
        near_choose((uintptr_t)start);
    for (uintptr_t at = (uintptr_t)start; at < end; at = bits_down(at, LEAF_SPAN) + LEAF_SPAN)
        if (!entry_get(at))
            return false;
    map_change(start, size, owner);
    return true;
}
