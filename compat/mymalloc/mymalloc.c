/* mymalloc.c: a malloc for programs with threads (malloc.h). Compiles on its own: clang -c mymalloc.c
 *
 * Three ways to memory, by the size of a request:
 *   - up to 16 KiB: a list for each processor (get_nprocs_conf of them), with a lock of its own. A thread uses the list of the
 *     processor that it runs on (sched_getcpu), so threads on different processors do not meet. Behind each list stands a
 *     pool of at least 256 KiB, cut to size as it is asked for: a bitmap region below (free slots by exact size, the one freed
 *     last comes first; splitting; merging). A list whose pool is full gets more pools, each twice as large.
 *   - up to the threshold of 128 KiB: one heap for all, with one lock: the free block that fits best, of all blocks, is cut
 *     (a tree by size: the blocks region below). The pools themselves are blocks of this heap.
 *   - from 128 KiB on (MMAP_THRESHOLD, with the 16 bytes in front): a mapping of its own.
 *
 * sbrk and mmap. The break belongs to the C library's malloc too, and two threads that move it may be given the same memory.
 * So the first pools are taken from it by a constructor, while the process has one thread; the heap grows by it only as long as
 * that is so (__libc_single_threaded), and by mmap afterwards. Where there are threads before us (dlopen), all is from mmap.
 * What is free at the top of the break, and mappings that are free, go back to the kernel; a few mappings are kept for reuse as
 * long as others are in use.
 *
 * In front of each object stand 16 bytes: whose it is, and how long. An object goes back to the list that it came from,
 * whichever thread frees it. What has no such mark was not allocated here, and is passed on to the C library.
 *
 * Cost: small requests: one lock that is nearly always free, and a list; 16 bytes an object.
 * Easy to get wrong: the order of locks is lists (ascending), heap; and nothing here may call anything that allocates.
 *
 * Part of Loam, MIT licence. This file is put together from the library's sources: each part says where it is from. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* The parts taken in offer more than this file uses. */
#pragma GCC diagnostic ignored "-Wunused-function"

#include "base/lock.c"
#include "base/log.c"
#include "bounds/bounds.c"
#include "region/source.c"
#include "region/bitmap_segments.c"
#include "region/bitmap_lists.c"
#include "region/bitmap.c"
#include "region/block_list.c"
#include "region/block_tree.c"
#include "region/blocks.c"

#include "parts/state.h"
#include "parts/heap.c"
#include "parts/maps.c"
#include "parts/lists.c"

/* ---- the beginning, and fork ---- */

static void fork_prepare(void)
{
    for (uint32_t i = 0; i < list_count; i++)
        lock_fork_take(&lists[i].lock);
    lock_fork_take(&heap_lock);
    __atomic_store_n(&lock_forking, thread_pointer(),
                     __ATOMIC_RELAXED); /* pairs with lock_is_forking, in this thread */
}

static void fork_parent(void)
{
    __atomic_store_n(&lock_forking, 0, __ATOMIC_RELAXED);
    lock_fork_drop(&heap_lock);
    for (uint32_t i = list_count; i-- > 0;)
        lock_fork_drop(&lists[i].lock);
}

static void fork_child(void)
{
    __atomic_store_n(&lock_forking, 0, __ATOMIC_RELAXED);
    lock_fork_reset(&heap_lock);
    for (uint32_t i = 0; i < list_count; i++)
        lock_fork_reset(&lists[i].lock);
}

/* The lists, and a first pool for each: from the break if the process has one thread, else (dlopen) from mappings. */
static bool lists_make(void)
{
    int processors = get_nprocs_conf();
    uint32_t count = processors < 1 ? 1 : processors > LISTS_MOST ? LISTS_MOST : (uint32_t)processors;
    struct loam_region_options options = {.kind = LOAM_REGION_BLOCKS, .source = LOAM_SOURCE_BREAK};
    options.first = (count + 1) * POOL_BYTES + count * 2 * sizeof(struct list); /* one pool's worth for large objects */
    uint32_t owner;
    lock_take(&heap_lock);
    if (__libc_single_threaded && blocks_open(source_break(), &options, &break_heap) != LOAM_OK)
        break_heap = NULL;
    char *memory = heap_take(count * sizeof(struct list) + CACHE_LINE, &owner);
    lock_drop(&heap_lock);
    if (memory == NULL)
        return false;
    struct list *made = (struct list *)bits_up((uintptr_t)memory, CACHE_LINE);
    memset(made, 0, count * sizeof(struct list));
    for (uint32_t i = 0; i < count; i++)
        if (!pool_make(&made[i], 0, POOL_BYTES))
            return false;
    lists = made;
    list_count = count;
    return true;
}

static struct lock ready_lock; /* one thread makes the lists, the others wait for it */

static COLD NOINLINE bool make_ready(void)
{
    lock_take(&ready_lock);
    bool done = __atomic_load_n(&is_ready, __ATOMIC_RELAXED);
    bool first = !done;
    if (first) {
        done = lists_make();
        __atomic_store_n(&is_ready, done, __ATOMIC_RELEASE); /* pairs with the load in object_allocate */
    }
    lock_drop(&ready_lock);
    if (first && done)
        pthread_atfork(fork_prepare, fork_parent, fork_child);
    return done;
}

/* Before main, while the process still has one thread; a constructor that allocates earlier than this one is served too. */
__attribute__((constructor)) static void mymalloc_begin(void)
{
    make_ready();
}

/* ---- objects ---- */

/* *fresh: the memory is new and therefore zero. */
static void *object_allocate(size_t size, bool *fresh)
{
    int before = errno;
    void *object = NULL;
    *fresh = false;
    if (!likely(__atomic_load_n(&is_ready, __ATOMIC_ACQUIRE)) && !make_ready()) /* pairs with the store there */
        size = SIZE_MAX;
    if (size <= POOL_LARGEST)
        object = list_object(size);
    if (object == NULL && size < MMAP_THRESHOLD - sizeof(struct mark))
        object = heap_object(size); /* too large for the pools, or no pool to be had */
    else if (object == NULL && size <= SIZE_LARGEST)
        object = map_object(size, fresh);
    errno = object != NULL ? before : ENOMEM;
    return object;
}

static void object_free(void *object)
{
    int before = errno, error = LOAM_OK;
    struct mark *mark = mark_of(object);
    if (mark->owner == OWNER_MAPPED) {
        map_free(object);
    } else if (mark->owner < list_count) {
        error = list_free(object);
    } else {
        lock_take(&heap_lock);
        error = heap_give(mark, mark->owner);
        lock_drop(&heap_lock);
    }
    if (error != LOAM_OK)
        object_is_bad(object, error);
    errno = before;
}

/* An object without a mark is the C library's, unless it lies in our heap: then it was freed, or its mark was overwritten. */
static void object_is_foreign(void *object)
{
    size_t size;
    lock_take(&heap_lock);
    struct loam_region *heap = break_heap != NULL && blocks_owns(break_heap, object) ? break_heap
                               : map_heap != NULL && blocks_owns(map_heap, object)   ? map_heap
                                                                                     : NULL;
    int error = heap != NULL ? blocks_usable(heap, mark_of(object), &size) : LOAM_OK;
    lock_drop(&heap_lock);
    if (heap != NULL)
        object_is_bad(object, error);
}

static bool heap_resize(void *object, size_t size)
{
    struct mark *mark = mark_of(object);
    lock_take(&heap_lock);
    struct loam_region *heap = mark->owner == OWNER_BREAK_HEAP ? break_heap : map_heap;
    if (heap == break_heap && heap != NULL)
        break_heap_hold();
    size_t usable = 0;
    bool done = heap != NULL && blocks_resize(heap, mark, size + sizeof(struct mark)) == LOAM_OK &&
                blocks_usable(heap, mark, &usable) == LOAM_OK;
    if (done)
        mark->size = usable - sizeof(struct mark);
    lock_drop(&heap_lock);
    return done;
}

/* Changes an object's size where it is, if it stays among its kind. Returns where it is (a mapping may move), or NULL. */
static void *object_resize(void *object, size_t size)
{
    struct mark *mark = mark_of(object);
    if (mark->owner == OWNER_MAPPED)
        return size >= MMAP_THRESHOLD - sizeof(struct mark) ? map_resize(object, size) : NULL;
    if (size <= mark->size && mark->size - size < sizeof(struct mark))
        return object;
    if (size >= MMAP_THRESHOLD - sizeof(struct mark))
        return NULL;
    bool done =
        mark->owner < list_count ? size <= POOL_LARGEST && list_resize(object, size) : heap_resize(object, size);
    return done ? object : NULL;
}

/* ---- the interface ---- */

void *mymalloc(size_t size);
void *mycalloc(size_t count, size_t size);
void *myrealloc(void *pointer, size_t size);
void myfree(void *pointer);
void mymalloc_print(void);

void *mymalloc(size_t size)
{
    bool fresh;
    return object_allocate(size, &fresh);
}

void *mycalloc(size_t count, size_t size)
{
    size_t total;
    bool fresh;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *object = object_allocate(total, &fresh);
    return object != NULL && !fresh ? memset(object, 0, total) : object;
}

void *myrealloc(void *pointer, size_t size)
{
    if (pointer == NULL)
        return mymalloc(size);
    if (!mark_is_ours(pointer)) {
        object_is_foreign(pointer);
        return realloc(pointer, size);
    }
    if (size == 0) {
        object_free(pointer);
        return NULL;
    }
    int before = errno;
    void *object = size <= SIZE_LARGEST ? object_resize(pointer, size) : NULL;
    if (object != NULL) {
        errno = before;
        return object;
    }
    object = mymalloc(size);
    if (object == NULL)
        return NULL;
    size_t was = mark_of(pointer)->size;
    memcpy(object, pointer, was < size ? was : size);
    object_free(pointer);
    return object;
}

void myfree(void *pointer)
{
    if (pointer == NULL)
        return;
    if (mark_is_ours(pointer)) {
        object_free(pointer);
        return;
    }
    object_is_foreign(pointer);
    free(pointer);
}

void mymalloc_print(void)
{
    for (uint32_t i = 0; i < list_count; i++) {
        struct list *list = &lists[i];
        struct loam_region_stats stats = {0};
        lock_take(&list->lock);
        unsigned long taken = list->taken, given = list->given;
        size_t bytes = list->pool_bytes;
        bitmap_stats(list->pool[0], &stats);
        size_t first = stats.free + list->pool[0]->live;
        lock_drop(&list->lock);
        log_print(
            STDERR,
            "list %u: pools %zu bytes, the first holds %zu; %lu taken, %lu given back; lock found held %u times\n", i,
            bytes, first, taken, given, __atomic_load_n(&list->lock.waits, __ATOMIC_RELAXED));
    }
}
