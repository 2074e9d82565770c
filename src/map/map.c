#include "map/map.h"
#include "base/bits.h"
#include "map/meta.h"
#include "os/pages.h"

enum { LEAF_BYTES = sizeof(ptrdiff_t) * MAP_LEAF_ENTRIES };
#define LEAF_SPAN ((uintptr_t)MAP_GRANULE * MAP_LEAF_ENTRIES)

struct map map; /* all zeros: no page of it exists until it is needed */

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
        /* release: pairs with map_owner */
        if (__atomic_compare_exchange_n(slot, &leaf, made, false, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE)) {
            leaf = made;
            meta_count_leaf();
        } else {
            os_unmap(fresh, LEAF_BYTES);
        }
    }
    return (ptrdiff_t *)((uintptr_t)map.zeros + (uintptr_t)leaf);
}

void map_change(const void *start, size_t size, struct owner *owner)
{
    uintptr_t end = (uintptr_t)start + size;
    ptrdiff_t entry = owner ? (ptrdiff_t)((uintptr_t)owner - (uintptr_t)&map.stranger) : 0;
    for (uintptr_t at = (uintptr_t)start; at < end; at += MAP_GRANULE) {
        ptrdiff_t *leaf = leaf_get(at);
        if (leaf) /* release: pairs with map_owner */
            __atomic_store_n(&leaf[(uint32_t)at >> MAP_SHIFT], entry, __ATOMIC_RELEASE);
    }
}

bool map_set(const void *start, size_t size, struct owner *owner)
{
    uintptr_t end = (uintptr_t)start + size;
    for (uintptr_t at = (uintptr_t)start; at < end; at = bits_down(at, LEAF_SPAN) + LEAF_SPAN)
        if (!leaf_get(at))
            return false;
    map_change(start, size, owner);
    return true;
}
