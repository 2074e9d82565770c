/* The lists of the processors and their pools. A pool is a bitmap region in a block of the heap; it holds free slots by size,
 * splits and merges. Pool `at` of a list is twice as large as the one before; the first one is there from the beginning to the
 * end. All under the list's lock; the heap's lock is taken inside of it, never the other way round. */
#include "parts/state.h"

/* A pool of `bytes` from the heap, for slot `at` of a list. Under the list's lock, or before anybody knows the list. */
static bool pool_make(struct list *list, uint32_t at, size_t bytes)
{
    struct loam_region_options options = {.kind = LOAM_REGION_BITMAP, .source = LOAM_SOURCE_BUFFER};
    uint32_t owner;
    lock_take(&heap_lock);
    void *memory = heap_take(bytes + sizeof(struct mark), &owner);
    lock_drop(&heap_lock);
    if (memory == NULL)
        return false;
    void *buffer = mark_put(memory, owner, 0, bytes);
    if (bitmap_open(source_buffer(buffer, bytes), &options, &list->pool[at]) != LOAM_OK)
        return false; /* cannot be: the buffer is large enough */
    list->pool_bytes += bytes;
    list->current = at;
    list->pools = at >= list->pools ? at + 1 : list->pools;
    return true;
}

static void pool_drop(struct list *list, uint32_t at)
{
    struct mark *mark = mark_of(list->pool[at]); /* the region stands at the start of its buffer */
    list->pool[at] = NULL;
    list->pool_bytes -= mark->size;
    lock_take(&heap_lock);
    heap_give(mark, mark->owner);
    lock_drop(&heap_lock);
}

static bool pool_is_empty(const struct list *list, uint32_t at)
{
    return list->pool[at] != NULL && list->pool[at]->live_blocks == 0;
}

/* Pool `at` has just become empty. One such pool stays for the next burst, unless the whole list is empty; the first stays
 * always. */
static void pools_trim(struct list *list, uint32_t at)
{
    uint32_t empty = 0, full = 0;
    for (uint32_t i = 0; i < list->pools; i++) {
        empty += i > 0 && pool_is_empty(list, i);
        full += list->pool[i] != NULL && !pool_is_empty(list, i);
    }
    if (full > 0 && empty > 1 && at > 0)
        pool_drop(list, at);
    for (uint32_t i = 1; full == 0 && i < list->pools; i++)
        if (list->pool[i] != NULL)
            pool_drop(list, i);
}

static bool list_grow(struct list *list)
{
    for (uint32_t i = 1; i < POOLS_MOST; i++)
        if (list->pool[i] == NULL)
            return pool_make(list, i, POOL_BYTES << i) || pool_make(list, i, POOL_BYTES);
    return false;
}

/* Tries the pool that served last, then the others, then a new one. */
static void *list_take(struct list *list, size_t bytes)
{
    void *memory = bitmap_alloc(list->pool[list->current], bytes, 8);
    for (uint32_t i = 0; memory == NULL && i < list->pools; i++)
        if (i != list->current && list->pool[i] != NULL && (memory = bitmap_alloc(list->pool[i], bytes, 8)) != NULL)
            list->current = i;
    if (memory == NULL && list_grow(list))
        memory = bitmap_alloc(list->pool[list->current], bytes, 8);
    return memory;
}

static uint32_t list_here(void)
{
    int processor = sched_getcpu();
    return processor < 0 ? 0 : (uint32_t)processor % list_count;
}

static void *list_object(size_t size)
{
    uint32_t index = list_here();
    struct list *list = &lists[index];
    size_t bytes = bits_up((size ? size : 1) + sizeof(struct mark), sizeof(struct mark)); /* so all are aligned to 16 */
    lock_take(&list->lock);
    void *memory = list_take(list, bytes);
    uint32_t pool = list->current;
    list->taken += memory != NULL;
    lock_drop(&list->lock);
    return memory != NULL ? mark_put(memory, index, pool, bytes - sizeof(struct mark)) : NULL;
}

/* The pool that an object says it is in; NULL if there is none. Under the list's lock. */
static struct loam_region *list_pool(const struct list *list, const struct mark *mark)
{
    return mark->pool < list->pools ? list->pool[mark->pool] : NULL;
}

static int list_free(void *object)
{
    struct mark *mark = mark_of(object);
    struct list *list = &lists[mark->owner];
    lock_take(&list->lock);
    uint32_t at = mark->pool;
    struct loam_region *pool = list_pool(list, mark);
    int error = pool != NULL ? bitmap_free(pool, mark) : LOAM_ERROR_FREE;
    list->given += error == LOAM_OK;
    if (error == LOAM_OK && pool->live_blocks == 0 && list->pools > 1) {
        list->current = 0;
        pools_trim(list, at);
    }
    lock_drop(&list->lock);
    return error;
}

static bool list_resize(void *object, size_t size)
{
    struct mark *mark = mark_of(object);
    struct list *list = &lists[mark->owner];
    size_t bytes = bits_up(size + sizeof(struct mark), sizeof(struct mark));
    lock_take(&list->lock);
    struct loam_region *pool = list_pool(list, mark);
    bool done = pool != NULL && bitmap_resize(pool, mark, bytes) == LOAM_OK;
    if (done)
        mark->size = bytes - sizeof(struct mark);
    lock_drop(&list->lock);
    return done;
}
