/* Direct mappings: a large block with a mapping of its own, which grows and moves without being copied.
 *
 * Only the first 64 KiB of it are in the map: that is all that free() of its start needs. A pointer into its inside is a
 * stranger to the map, and is found by walking the list, when a bad pointer is reported. */
#include "map/meta.h"
#include "os/pages.h"
#include "span/area.h"

static struct meta_pool direct_pool = {.size = sizeof(struct direct)};

/* Half of the next area: what takes more than that of an area is better off alone. */
size_t direct_threshold(void)
{
    if (span.direct_threshold)
        return span.direct_threshold;
    size_t half = span.numbers.mapped / 8;
    return half < AREA_MIN / 2 ? AREA_MIN / 2 : half > AREA_MAX / 2 ? AREA_MAX / 2 : half;
}

static void direct_count(const struct direct *direct, int sign)
{
    size_t size = sign > 0 ? direct->size : 0 - direct->size;
    span.numbers.mapped += size;
    counter_add(&span.numbers.large_bytes, size);
    span.numbers.direct_bytes += size;
    span.numbers.large_blocks += (size_t)sign;
    span.numbers.direct_blocks += (size_t)sign;
    if (span.numbers.mapped > span.numbers.mapped_peak)
        span.numbers.mapped_peak = span.numbers.mapped;
    span_count_peak();
}

void *direct_alloc(size_t size, size_t align)
{
    size = bits_up(size, os_page);
    if (span.numbers.dirty_bytes > 0) { /* a new mapping is fresh memory: make room for it among what is resident */
        size_t dirty = span.numbers.dirty_bytes;
        if (dirty + size > purge_bound() && lock_try(&span_purge_lock)) {
            kept_release();
            purge_down_to(dirty > size / 2 ? dirty - size / 2 : 0, false);
            lock_drop(&span_purge_lock);
        }
    }
    struct direct *direct = meta_pool_take(&direct_pool);
    if (!direct)
        return NULL;
    char *start = os_map_aligned(size, align > MAP_GRANULE ? align : MAP_GRANULE);
    *direct = (struct direct){.owner = {OWNER_NOT_A_CHUNK, OWNER_DIRECT}, .start = start, .size = size, .next = span.directs};
    if (!start || !map_set(start, 1, &direct->owner)) {
        if (start)
            os_unmap(start, size);
        meta_pool_give(&direct_pool, direct);
        return NULL;
    }
    if (direct->next)
        direct->next->previous = direct;
    span.directs = direct;
    direct_count(direct, 1);
    return start;
}

static void direct_unlink(struct direct *direct)
{
    if (direct->previous)
        direct->previous->next = direct->next;
    else
        span.directs = direct->next;
    if (direct->next)
        direct->next->previous = direct->previous;
}

/* Within the bound of dirt it is kept, as an area: programs that use such buffers once use them again. Where the kernel
 * refuses to unmap (too many mappings), it is kept as well, but purged. */
void direct_free(struct direct *direct)
{
    char *start = direct->start;
    size_t size = direct->size;
    direct_count(direct, -1);
    direct_unlink(direct);
    bool fits = size >> os_page_shift <= AREA_PAGES_MAX;
    if (fits && span.numbers.dirty_bytes + size <= purge_bound() && area_adopt(start, size, true)) {
        span.numbers.mapped += size;
        meta_pool_give(&direct_pool, direct);
        return;
    }
    map_change(start, 1, NULL);
    if (os_unmap(start, size)) {
        span.numbers.purged_bytes += size;
    } else {
        span.unmap_fails++;
        bool purged = os_purge(start, size);
        if (fits && area_adopt(start, size, !purged))
            span.numbers.mapped += size;
    }
    meta_pool_give(&direct_pool, direct);
}

static char *direct_move(struct direct *direct, size_t size)
{
    char *target = os_map_aligned(size, MAP_GRANULE);
    if (!target)
        return NULL;
    if (!map_set(target, 1, &direct->owner)) {
        os_unmap(target, size);
        return NULL;
    }
    map_change(direct->start, 1, NULL); /* before the old place can be anybody's */
    if (!os_move(direct->start, direct->size, size, target)) {
        map_change(direct->start, 1, &direct->owner);
        map_change(target, 1, NULL);
        os_unmap(target, size);
        return NULL;
    }
    return target;
}

void *direct_resize(struct direct *direct, size_t size)
{
    size = bits_up(size, os_page);
    if (size == direct->size)
        return direct->start;
    char *start = direct->start;
    if (!os_resize(direct->start, direct->size, size)) {
        if (size < direct->size)
            return direct->start; /* the tail could not be cut off: it stays */
        start = direct_move(direct, size);
        if (!start)
            return NULL;
    }
    if (size < direct->size)
        span.numbers.purged_bytes += direct->size - size;
    direct_count(direct, -1);
    direct->start = start;
    direct->size = size;
    direct_count(direct, 1);
    return start;
}
