/* What loam.h offers beyond the numbers: trimming, looking at pointers, checking, saying what we are. */
#include "api/inside.h"
#include "arena/arena.h"
#include "arena/transfer.h"
#include "cache/cache.h"
#include "loam/loam.h"
#include "loam/version.h"
#include "span/span.h"
#include <errno.h>

const char *loam_version(void) { return LOAM_VERSION_STRING; }

const char *loam_mode(void)
{
    static const char *const names[] = {"not started", "sequences", "locked", "trusted"};
    return names[cache_mode()];
}

const char *loam_mode_reason(void) { return cache_why_locked(); }

size_t loam_trim(void)
{
    int error = errno;
    if (!api_started())
        return 0;
    cache_drain();
    transfer_drain();
    arena_release_empty();
    size_t given = arena_purge(true) + span_trim();
    errno = error;
    return given;
}

enum loam_owner loam_whose(const void *p, struct loam_block *block)
{
    struct owner *owner = map_find(p);
    struct span_block found = {0};
    if (owner && owner->kind == OWNER_CHUNK) {
        if ((uintptr_t)p - ((struct chunk *)owner)->base < MAP_GRANULE) {
            struct chunk *chunk = (struct chunk *)owner;
            struct bounds_segment at = arena_segment_of(chunk, (uintptr_t)p);
            found = (struct span_block){chunk_address(chunk, at.start), (size_t)at.length << GRANULE_SHIFT, at.occupied};
        }
    } else {
        found = owner ? span_find(owner, p) : span_find_inside(p);
    }
    if (block)
        *block = (struct loam_block){found.start, found.size};
    return !found.start ? LOAM_NOT_OURS : found.in_use ? LOAM_LIVE : LOAM_FREE;
}

size_t loam_usable_size(const void *p)
{
    struct loam_block block;
    return p && loam_whose(p, &block) == LOAM_LIVE && block.start == p ? block.size : 0;
}

const char *loam_check(void)
{
    const char *wrong = span_check();
    if (!wrong)
        wrong = arena_check();
    if (!wrong)
        wrong = cache_check();
    return wrong;
}
