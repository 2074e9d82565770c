/* The public calls on regions: look at the arguments, take the lock, call the strategy, say what went wrong.
 *
 * Nothing here knows how a strategy works. What a strategy may rely on is in region.h. Compiled with REGION_NO_SYSTEM
 * (and so all of src/region and src/bounds), regions stand over buffers alone, without locks and errno, and need nothing
 * but memcpy, memmove and memset: for a microcontroller, or a kernel. Easy to get wrong: a region
 * that was destroyed is often unmapped; only a NULL and memory that holds no magic word can be told apart from a
 * region, and that is all that is promised. */
#include "region/region.h"
#include "region/bitmap.h"
#include "region/blocks.h"
#include "region/buddy.h"
#include "region/bump.h"
#include "region/cells.h"
#ifndef REGION_NO_SYSTEM
#include <errno.h>
#include <linux/futex.h>
#endif

#define REGION_OPS(name)                                                                                 \
    {                                                                                                    \
        name##_open, name##_alloc, name##_free, name##_resize, name##_usable, name##_owns, name##_reset, \
            name##_destroy, name##_stats, name##_walk, name##_check                                      \
    }

static const struct region_ops region_table[] = {
    [LOAM_REGION_BUMP] = REGION_OPS(bump),     [LOAM_REGION_CELLS] = REGION_OPS(cells),
    [LOAM_REGION_BLOCKS] = REGION_OPS(blocks), [LOAM_REGION_BUDDY] = REGION_OPS(buddy),
    [LOAM_REGION_BITMAP] = REGION_OPS(bitmap),
};

enum {
    REGION_FLAGS = LOAM_REGION_LOCKED | LOAM_REGION_SHARED | LOAM_REGION_FIXED | LOAM_REGION_UNCHECKED,
    REGION_SPINS = 100
};

static bool region_is(const loam_region *region)
{
    return region != NULL && region->magic == REGION_MAGIC;
}

/* ---- the locks, and errno: what only a system has ---- */

#ifndef REGION_NO_SYSTEM

/* Between processes no thread pointer names an owner, and the kernel must know the word by its page, not by address. */
static void region_shared_take(uint32_t *word)
{
    uint32_t expected = LOCK_FREE;
    for (int spin = 0; spin < REGION_SPINS; spin++) {
        /* acquire: pairs with the release in region_shared_drop */
        if (__atomic_compare_exchange_n(word, &expected, LOCK_HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
        expected = LOCK_FREE;
        cpu_relax();
    }
    while (__atomic_exchange_n(word, LOCK_WAITED, __ATOMIC_ACQUIRE) != LOCK_FREE)
        sys_call4(SYS_futex, (long)word, FUTEX_WAIT, LOCK_WAITED, 0);
}

static void region_shared_drop(uint32_t *word)
{
    /* release: pairs with the acquire of the next holder */
    if (__atomic_exchange_n(word, LOCK_FREE, __ATOMIC_RELEASE) == LOCK_WAITED)
        sys_call3(SYS_futex, (long)word, FUTEX_WAKE, 1);
}

static void region_take(loam_region *region)
{
    if (region->flags & LOAM_REGION_LOCKED)
        lock_take(&region->lock);
    else if (region->flags & LOAM_REGION_SHARED)
        region_shared_take(&region->shared_lock);
}

static void region_leave(loam_region *region)
{
    if (region->flags & LOAM_REGION_LOCKED)
        lock_drop(&region->lock);
    else if (region->flags & LOAM_REGION_SHARED)
        region_shared_drop(&region->shared_lock);
}

static void region_errno(int error)
{
    errno = error == LOAM_ERROR_SPENT ? ENOMEM : EINVAL;
}

static bool region_has(const struct loam_region_options *options)
{
    return (void)options, true;
}

#else

static void region_take(loam_region *region)
{
    (void)region;
}
static void region_leave(loam_region *region)
{
    (void)region;
}
static void region_errno(int error)
{
    (void)error;
}
static bool region_has(const struct loam_region_options *options)
{
    return options->source == LOAM_SOURCE_BUFFER && (options->flags & (LOAM_REGION_LOCKED | LOAM_REGION_SHARED)) == 0;
}

#endif

static const struct region_ops *region_enter(loam_region *region)
{
    if (!region_is(region))
        return NULL;
    region_take(region);
    return &region_table[region->kind];
}

/* Leaves with a code, which is remembered if it is an error. */
static int region_leave_with(loam_region *region, int error)
{
    if (error != LOAM_OK)
        region->error = (uint8_t)error;
    region_leave(region);
    return error;
}

/* ---- making and ending ---- */

static int region_options_check(const struct loam_region_options *options)
{
    bool over_buffer = options->source == LOAM_SOURCE_BUFFER;
    if ((unsigned)options->kind > LOAM_REGION_BITMAP || (unsigned)options->source > LOAM_SOURCE_BUFFER ||
        (options->flags & ~(unsigned)REGION_FLAGS) != 0)
        return LOAM_ERROR_ARGUMENT;
    if ((options->flags & LOAM_REGION_LOCKED) && (options->flags & LOAM_REGION_SHARED))
        return LOAM_ERROR_ARGUMENT;
    if (over_buffer != (options->buffer != NULL) || (!over_buffer && options->buffer_size != 0))
        return LOAM_ERROR_ARGUMENT;
    if ((options->kind == LOAM_REGION_CELLS) != (options->cell != 0))
        return LOAM_ERROR_ARGUMENT;
    if (options->least != 0 &&
        (options->kind != LOAM_REGION_BUDDY || options->least < 16 || !bits_is_power2(options->least)))
        return LOAM_ERROR_ARGUMENT;
    if (options->buffer_size > REGION_SIZE_MAX || options->first > REGION_SIZE_MAX || options->cell > REGION_SIZE_MAX ||
        options->least > REGION_SIZE_MAX)
        return LOAM_ERROR_SIZE;
    return region_has(options) ? LOAM_OK : LOAM_ERROR_UNSUPPORTED;
}

EXPORT int loam_region_create(loam_region **out, const struct loam_region_options *options)
{
    if (out == NULL)
        return LOAM_ERROR_ARGUMENT;
    *out = NULL;
    int error = options == NULL ? LOAM_ERROR_ARGUMENT : region_options_check(options);
    if (error != LOAM_OK)
        return error;
    struct source source = options->source == LOAM_SOURCE_MAP ? source_map()
                           : options->source == LOAM_SOURCE_BREAK
                               ? source_break()
                               : source_buffer(options->buffer, options->buffer_size);
    if (options->limit != 0 && options->limit < source.limit)
        source.limit = options->limit;
    source.fixed = (options->flags & LOAM_REGION_FIXED) != 0;
    error = region_table[options->kind].open(source, options, out);
    /* A buffer or a limit that holds not even the books will never do: that is a size, not a shortage. */
    return error == LOAM_ERROR_SPENT && source.limit != SIZE_MAX && source.limit < 4096 ? LOAM_ERROR_SIZE : error;
}

EXPORT int loam_region_destroy(loam_region *region)
{
    const struct region_ops *ops = region_enter(region);
    if (ops == NULL)
        return LOAM_ERROR_REGION;
    ops->destroy(region);
    return LOAM_OK;
}

EXPORT int loam_region_reset(loam_region *region)
{
    const struct region_ops *ops = region_enter(region);
    return ops == NULL ? LOAM_ERROR_REGION : region_leave_with(region, ops->reset(region));
}

/* ---- blocks ---- */

static void *region_refuse(loam_region *region, int error)
{
    region->error = (uint8_t)error;
    region_errno(error);
    return NULL;
}

static void *region_alloc_locked(loam_region *region, const struct region_ops *ops, size_t alignment, size_t size)
{
    if (size == 0 || size > REGION_SIZE_MAX)
        return region_refuse(region, LOAM_ERROR_SIZE);
    if (!bits_is_power2(alignment) || alignment > REGION_SIZE_MAX)
        return region_refuse(region, LOAM_ERROR_ALIGNMENT);
    void *block = ops->alloc(region, size, alignment);
    return block != NULL ? block : region_refuse(region, region->error);
}

EXPORT void *loam_region_alloc_aligned(loam_region *region, size_t alignment, size_t size)
{
    const struct region_ops *ops = region_enter(region);
    if (ops == NULL) {
        region_errno(LOAM_ERROR_REGION);
        return NULL;
    }
    void *block = region_alloc_locked(region, ops, alignment, size);
    region_leave(region);
    return block;
}

EXPORT void *loam_region_alloc(loam_region *region, size_t size)
{
    return loam_region_alloc_aligned(region, REGION_ALIGNMENT, size);
}

EXPORT int loam_region_free(loam_region *region, void *block)
{
    const struct region_ops *ops = region_enter(region);
    if (ops == NULL)
        return LOAM_ERROR_REGION;
    return region_leave_with(region, block == NULL ? LOAM_OK : ops->free(region, block));
}

/* Where it does not fit: another block, the contents, and the old one freed. */
static void *region_move(loam_region *region, const struct region_ops *ops, void *block, size_t size)
{
    size_t usable = 0;
    int error =
        region->kind == LOAM_REGION_BUMP ? bump_reach(region, block, &usable) : ops->usable(region, block, &usable);
    if (error != LOAM_OK)
        return region_refuse(region, error);
    void *to = region_alloc_locked(region, ops, REGION_ALIGNMENT, size);
    if (to == NULL)
        return NULL;
    memcpy(to, block, usable < size ? usable : size);
    ops->free(region, block);
    return to;
}

EXPORT void *loam_region_resize(loam_region *region, void *block, size_t size)
{
    const struct region_ops *ops = region_enter(region);
    if (ops == NULL) {
        region_errno(LOAM_ERROR_REGION);
        return NULL;
    }
    void *to = NULL;
    if (block == NULL) {
        to = region_alloc_locked(region, ops, REGION_ALIGNMENT, size);
    } else if (size == 0 || size > REGION_SIZE_MAX) {
        region_refuse(region, LOAM_ERROR_SIZE);
    } else {
        int error = ops->resize(region, block, size);
        if (error == LOAM_OK)
            to = block;
        else if (error == LOAM_ERROR_SPENT)
            to = region_move(region, ops, block, size);
        else
            region_refuse(region, error);
    }
    region_leave(region);
    return to;
}

EXPORT int loam_region_resize_in_place(loam_region *region, void *block, size_t size)
{
    const struct region_ops *ops = region_enter(region);
    if (ops == NULL)
        return LOAM_ERROR_REGION;
    int error = block == NULL                         ? LOAM_ERROR_ARGUMENT
                : size == 0 || size > REGION_SIZE_MAX ? LOAM_ERROR_SIZE
                                                      : ops->resize(region, block, size);
    return region_leave_with(region, error);
}

EXPORT size_t loam_region_usable(loam_region *region, const void *block)
{
    const struct region_ops *ops = region_enter(region);
    size_t size = 0;
    if (ops == NULL)
        return 0;
    if (block == NULL || region_leave_with(region, ops->usable(region, block, &size)) != LOAM_OK)
        size = 0;
    if (block == NULL)
        region_leave(region);
    return size;
}

/* ---- the whole ---- */

EXPORT bool loam_region_owns(loam_region *region, const void *address)
{
    const struct region_ops *ops = region_enter(region);
    if (ops == NULL)
        return false;
    bool owns = ops->owns(region, address);
    region_leave(region);
    return owns;
}

EXPORT int loam_region_stats(loam_region *region, struct loam_region_stats *stats)
{
    const struct region_ops *ops = region_enter(region);
    if (ops == NULL)
        return LOAM_ERROR_REGION;
    if (stats == NULL)
        return region_leave_with(region, LOAM_ERROR_ARGUMENT);
    *stats = (struct loam_region_stats){.taken = 0};
    ops->stats(region, stats);
    stats->taken = region->source.taken;
    stats->live = region->live;
    stats->live_blocks = region->live_blocks;
    stats->slack = stats->taken - stats->live - stats->free;
    if (stats->free > 0)
        stats->fragmentation = 1.0 - (double)stats->largest_free / (double)stats->free;
    return region_leave_with(region, LOAM_OK);
}

EXPORT int loam_region_walk(loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                            void *arg)
{
    const struct region_ops *ops = region_enter(region);
    if (ops == NULL)
        return LOAM_ERROR_REGION;
    return region_leave_with(region, visit == NULL ? LOAM_ERROR_ARGUMENT : ops->walk(region, visit, arg));
}

EXPORT const char *loam_region_check(loam_region *region)
{
    const struct region_ops *ops = region_enter(region);
    if (ops == NULL)
        return "this is no region, or it was destroyed";
    const char *wrong = ops->check(region);
    region_leave(region);
    return wrong;
}

EXPORT int loam_region_mark(loam_region *region, struct loam_region_mark *mark)
{
    if (region_enter(region) == NULL)
        return LOAM_ERROR_REGION;
    if (mark == NULL || region->kind != LOAM_REGION_BUMP)
        return region_leave_with(region, mark == NULL ? LOAM_ERROR_ARGUMENT : LOAM_ERROR_UNSUPPORTED);
    bump_mark(region, mark);
    return region_leave_with(region, LOAM_OK);
}

EXPORT int loam_region_rewind(loam_region *region, const struct loam_region_mark *mark)
{
    if (region_enter(region) == NULL)
        return LOAM_ERROR_REGION;
    if (mark == NULL || region->kind != LOAM_REGION_BUMP)
        return region_leave_with(region, mark == NULL ? LOAM_ERROR_ARGUMENT : LOAM_ERROR_UNSUPPORTED);
    return region_leave_with(region, bump_rewind(region, mark));
}

EXPORT int loam_region_error(loam_region *region)
{
    if (region_enter(region) == NULL)
        return LOAM_ERROR_REGION;
    int error = region->error;
    region_leave(region);
    return error;
}
