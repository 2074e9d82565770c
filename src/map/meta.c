#include "map/meta.h"
#include "base/bits.h"
#include "os/pages.h"

enum {
    META_STEP_MIN = 64 << 10,
    META_STEP_MAX = 1 << 20,
    META_LINK = 2, /* the word that links free descriptors: behind `struct owner`, which readers may still look at */
};

struct lock meta_lock;

/* All under meta_lock, but `leaves`, which is atomic. */
static struct {
    char *at;
    char *end;
    size_t used;
    size_t mapped;
    size_t leaves;
} meta;

void meta_count_leaf(void) { __atomic_fetch_add(&meta.leaves, 1, __ATOMIC_RELAXED); }

static bool meta_grow(size_t size)
{
    size_t step = bits_up(meta.mapped / 8, META_STEP_MIN);
    step = step < META_STEP_MIN ? META_STEP_MIN : step > META_STEP_MAX ? META_STEP_MAX : step;
    size_t bytes = size > step ? bits_up(size, META_STEP_MIN) : step;
    char *p = os_map(NULL, bytes);
    if (!p && bytes > bits_up(size, os_page)) {
        bytes = bits_up(size, os_page);
        p = os_map(NULL, bytes);
    }
    if (!p)
        return false;
    if (p != meta.end) /* what is left at the old end is lost; it was never touched */
        meta.at = p;
    meta.end = p + bytes;
    meta.mapped += bytes;
    return true;
}

static void *meta_take(size_t size)
{
    size = bits_up(size, CACHE_LINE);
    if ((size_t)(meta.end - meta.at) < size && !meta_grow(size))
        return NULL;
    void *p = meta.at;
    meta.at += size;
    meta.used += size;
    return p;
}

void *meta_alloc(size_t size)
{
    lock_take(&meta_lock);
    void *p = meta_take(size);
    lock_drop(&meta_lock);
    return p;
}

void meta_donate(void *start, size_t size)
{
    lock_take(&meta_lock);
    if (size > (size_t)(meta.end - meta.at)) {
        meta.at = start;
        meta.end = meta.at + size;
    }
    meta.mapped += size;
    lock_drop(&meta_lock);
}

void *meta_pool_take(struct meta_pool *pool)
{
    lock_take(&meta_lock);
    void **p = pool->free;
    if (p)
        pool->free = p[META_LINK];
    else
        p = meta_take(pool->size);
    lock_drop(&meta_lock);
    return p;
}

void meta_pool_give(struct meta_pool *pool, void *descriptor)
{
    void **p = descriptor;
    lock_take(&meta_lock);
    p[META_LINK] = pool->free;
    pool->free = p;
    lock_drop(&meta_lock);
}

struct meta_numbers meta_numbers(void)
{
    lock_take(&meta_lock);
    struct meta_numbers numbers = {meta.used, meta.mapped, __atomic_load_n(&meta.leaves, __ATOMIC_RELAXED)};
    lock_drop(&meta_lock);
    return numbers;
}
