#include "map/map.h"
#include "base/bits.h"
#include "map/meta.h"
#include "os/pages.h"

enum { LEAF_BYTES = sizeof(struct owner *) << MAP_LEAF_BITS };

struct owner **map_root[1 << MAP_ROOT_BITS];

/* The leaf for an address, made if it is missing. Two threads may make it at once; one of them gives its own back. */
static struct owner **leaf_get(uintptr_t address)
{
    struct owner ***slot = &map_root[(uint16_t)(address >> (MAP_SHIFT + MAP_LEAF_BITS))];
    struct owner **leaf = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (leaf)
        return leaf;
    struct owner **fresh = os_map(NULL, LEAF_BYTES);
    if (!fresh)
        return NULL;
    /* release: pairs with map_find */
    if (!__atomic_compare_exchange_n(slot, &leaf, fresh, false, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE)) {
        os_unmap(fresh, LEAF_BYTES);
        return leaf;
    }
    meta_count_leaf();
    return fresh;
}

void map_change(const void *start, size_t size, struct owner *owner)
{
    uintptr_t end = (uintptr_t)start + size;
    for (uintptr_t at = (uintptr_t)start; at < end; at += MAP_GRANULE) {
        struct owner **leaf = leaf_get(at);
        if (leaf) /* release: pairs with map_find */
            __atomic_store_n(&leaf[(uint16_t)(at >> MAP_SHIFT)], owner, __ATOMIC_RELEASE);
    }
}

bool map_set(const void *start, size_t size, struct owner *owner)
{
    uintptr_t end = (uintptr_t)start + size;
    uintptr_t leaf_span = (uintptr_t)MAP_GRANULE << MAP_LEAF_BITS;
    for (uintptr_t at = (uintptr_t)start; at < end; at = bits_down(at, leaf_span) + leaf_span)
        if (!leaf_get(at))
            return false;
    map_change(start, size, owner);
    return true;
}
