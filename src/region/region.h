/* What all regions share: the head that stands first in every strategy's own structure, and the table of what a
 * strategy can do.
 *
 * region.c is the public side: it looks at the arguments, takes the lock, and calls through the table. A strategy knows
 * nothing of locks; it is called by one thread at a time, with a size that is not 0 and at most REGION_SIZE_MAX, and an
 * alignment that is a power of two. It reports an error by region_fail (and returns NULL) or by returning the code.
 * The interfaces in compat/ call strategies directly, with these same promises.
 *
 * Easy to get wrong: the head holds no address, only the number of the strategy: a region in shared memory is used by
 * processes that have the tables at different places. */
#ifndef LOAM_REGION_REGION_H
#define LOAM_REGION_REGION_H

#include "loam/region.h"
#include "region/source.h"
#ifndef REGION_NO_SYSTEM
#include "base/lock.h"
#endif

/* Everything that could overflow in sums and roundings is refused before a strategy sees it. */
#define REGION_SIZE_MAX ((size_t)PTRDIFF_MAX / 4)

enum { REGION_MAGIC = 0x10a317e9, REGION_ALIGNMENT = 8 };

struct loam_region {
    uint32_t magic; /* REGION_MAGIC while the region lives */
    uint8_t kind; /* enum loam_region_kind */
    uint8_t flags; /* enum loam_region_flag */
    uint8_t error; /* the last failure, under the lock */
#ifndef REGION_NO_SYSTEM
    struct lock lock; /* LOAM_REGION_LOCKED; guards the whole region */
    uint32_t shared_lock; /* LOAM_REGION_SHARED: a futex word, 0 free, 1 held, 2 held and waited for */
#endif
    struct source source;
    size_t live; /* bytes in blocks handed out */
    size_t live_blocks;
};

struct region_ops {
    int (*open)(struct source source, const struct loam_region_options *options, struct loam_region **out);
    void *(*alloc)(struct loam_region *region, size_t size, size_t alignment);
    int (*free)(struct loam_region *region, void *block);
    int (*resize)(struct loam_region *region, void *block, size_t size); /* in place, or LOAM_ERROR_SPENT */
    int (*usable)(struct loam_region *region, const void *block, size_t *size);
    bool (*owns)(const struct loam_region *region, const void *address);
    int (*reset)(struct loam_region *region);
    void (*destroy)(struct loam_region *region);
    void (*stats)(struct loam_region *region,
                  struct loam_region_stats *stats); /* free, largest_free; the rest is common */
    int (*walk)(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg), void *arg);
    const char *(*check)(struct loam_region *region);
};

INLINE void *region_fail(struct loam_region *region, int error)
{
    region->error = (uint8_t)error;
    return NULL;
}

INLINE void region_head_init(struct loam_region *region, const struct source *source,
                             const struct loam_region_options *options)
{
    *region = (struct loam_region){
        .magic = REGION_MAGIC, .kind = (uint8_t)options->kind, .flags = (uint8_t)options->flags, .source = *source};
}

INLINE void region_block_added(struct loam_region *region, size_t bytes)
{
    region->live += bytes;
    region->live_blocks++;
}

INLINE void region_block_removed(struct loam_region *region, size_t bytes)
{
    region->live -= bytes;
    region->live_blocks--;
}

#endif
