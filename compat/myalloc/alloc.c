/* alloc.c: mymalloc and its family (alloc.h), and the system's malloc and its family, over the program break.
 *
 * The allocator itself is the bitmap region below, the same that Loam offers to programs that own their memory: two bits for
 * each 8 bytes say where objects begin and what is free; freed objects wait in lists by exact size, the last one first; the
 * bits and lists lie beside the objects, never between them. This file adds what a malloc needs: one lock, the rules of the C
 * library (sizes of 0, errno, overflow), alignment, and fork.
 *
 * What is asked of the system: sbrk, nothing else, as an ordinary call of a library function, so that a program may put its own
 * in its place; not before the first allocation. The memory it gives may hold anything.
 *
 * Cost: a lock of one word around each call; the rest is told at region/bitmap.c below.
 * Easy to get wrong: the C library calls malloc itself (in stdio, in fork handlers), so nothing here may call anything that
 * allocates while the lock is held.
 *
 * Part of Loam, MIT licence. This file is put together from the library's sources: each part says where it is from. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "alloc.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* The parts taken in offer more than this file uses. */
#pragma GCC diagnostic ignored "-Wunused-function"

/* The break is all that this interface may use: what the sources of memory below know of mappings is cut off. */
#include <sys/mman.h>
#define mmap(address, length, protection, flags, file, offset) ((void)(length), MAP_FAILED)
#define munmap(address, length) ((void)(address), (void)(length), -1)

#include "base/lock.c"
#include "base/log.c"
#include "bounds/bounds.c"
#include "region/source.c"
#include "region/bitmap_segments.c"
#include "region/bitmap_lists.c"
#include "region/bitmap.c"

enum { ALIGNMENT_OF_MY = 8, ALIGNMENT_OF_SYSTEM = 16 };

static struct loam_region *heap; /* NULL until the first allocation; under heap_lock, as all that belongs to it */
static struct lock heap_lock;
static bool fork_handled; /* handlers of fork are registered; under heap_lock */

/* ---- fork: the lock is taken before and dropped after, so that the child finds the heap whole ---- */

/* The C library's lock of its open files: fork takes it behind our handler, and who holds it may be waiting for us, as its
 * stdio allocates here. So it is taken first. */
extern void _IO_list_lock(void) __attribute__((weak));
extern void _IO_list_unlock(void) __attribute__((weak));
extern void _IO_list_resetlock(void) __attribute__((weak));

/* From here to the end of fork this thread holds the lock and passes through it (base/lock.h): other handlers may allocate. */
static void fork_prepare(void)
{
    if (_IO_list_lock)
        _IO_list_lock();
    lock_fork_take(&heap_lock);
    __atomic_store_n(&lock_forking, thread_pointer(),
                     __ATOMIC_RELAXED); /* pairs with lock_is_forking, in this thread */
}

static void fork_parent(void)
{
    __atomic_store_n(&lock_forking, 0, __ATOMIC_RELAXED);
    lock_fork_drop(&heap_lock);
    if (_IO_list_unlock)
        _IO_list_unlock();
}

static void fork_child(void)
{
    __atomic_store_n(&lock_forking, 0, __ATOMIC_RELAXED);
    lock_fork_reset(&heap_lock);
    if (_IO_list_resetlock)
        _IO_list_resetlock();
}

/* At the first allocation of all, so that our handler is the last before fork and the first behind it. */
static COLD void fork_handle(void)
{
    pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* ---- the heap under its lock ---- */

static bool heap_open(void)
{
    struct loam_region_options options = {.kind = LOAM_REGION_BITMAP, .source = LOAM_SOURCE_BREAK};
    return heap != NULL || bitmap_open(source_break(), &options, &heap) == LOAM_OK;
}

static void *heap_allocate(size_t size, size_t alignment)
{
    int before = errno; /* a search that succeeds in the end may have been refused on the way */
    void *object = NULL;
    if (size <= REGION_SIZE_MAX && alignment <= REGION_SIZE_MAX) {
        lock_take(&heap_lock);
        bool first = !fork_handled;
        fork_handled = true;
        if (heap_open())
            object = bitmap_alloc(heap, size ? size : 1, alignment);
        lock_drop(&heap_lock);
        if (first)
            fork_handle();
    }
    errno = object ? before : ENOMEM;
    return object;
}

static COLD void pointer_is_bad(const char *call, const void *object, int error)
{
    const char *what = error == LOAM_ERROR_FREE       ? "it is free already"
                       : error == LOAM_ERROR_INTERIOR ? "it lies inside the heap, but no object begins there"
                                                      : "it is not from this heap";
    log_fatal("myalloc: %s(%p): %s\n", call, object, what);
}

/* The size that an object has, at least what was asked for. Ends the program if there is no such object. */
static size_t heap_size(const char *call, void *object)
{
    size_t size = 0;
    lock_take(&heap_lock);
    int error = heap ? bitmap_usable(heap, object, &size) : LOAM_ERROR_FOREIGN;
    lock_drop(&heap_lock);
    if (error != LOAM_OK)
        pointer_is_bad(call, object, error);
    return size;
}

static bool heap_resize(void *object, size_t size)
{
    lock_take(&heap_lock);
    bool done = bitmap_resize(heap, object, size) == LOAM_OK;
    lock_drop(&heap_lock);
    return done;
}

static void heap_free(const char *call, void *object)
{
    int before = errno; /* free leaves errno alone */
    lock_take(&heap_lock);
    int error = heap ? bitmap_free(heap, object) : LOAM_ERROR_FOREIGN;
    lock_drop(&heap_lock);
    if (error != LOAM_OK)
        pointer_is_bad(call, object, error);
    errno = before;
}

/* ---- the rules of the C library, for both families ---- */

/* Objects under the alignment cannot hold anything that needs it. */
static size_t object_alignment(size_t size, size_t alignment)
{
    return size < alignment ? ALIGNMENT_OF_MY : alignment;
}

static void *object_allocate(size_t size, size_t alignment)
{
    return heap_allocate(size, object_alignment(size, alignment));
}

static void *array_allocate(size_t nmemb, size_t size, size_t alignment)
{
    size_t total;
    if (__builtin_mul_overflow(nmemb, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *array = object_allocate(total, alignment);
    return array ? memset(array, 0, total) : NULL;
}

static void *object_resize(const char *call, void *object, size_t size, size_t alignment)
{
    if (object == NULL)
        return object_allocate(size, alignment);
    if (size == 0) {
        heap_free(call, object);
        return NULL;
    }
    size_t was = heap_size(call, object);
    bool aligned = (uintptr_t)object % object_alignment(size, alignment) == 0; /* an 8-aligned one may grow to 16 */
    if (size <= REGION_SIZE_MAX && (aligned || size <= was)) {
        int before = errno;
        if (heap_resize(object, size)) {
            errno = before;
            return object;
        }
    }
    void *moved = object_allocate(size, alignment);
    if (moved == NULL)
        return NULL;
    memcpy(moved, object, was < size ? was : size);
    heap_free(call, object);
    return moved;
}

static void object_free(const char *call, void *object)
{
    if (object != NULL)
        heap_free(call, object);
}

/* ---- the published four ---- */

#pragma GCC visibility push(default)

void *mymalloc(size_t size)
{
    return object_allocate(size, ALIGNMENT_OF_MY);
}
void *mycalloc(size_t nmemb, size_t size)
{
    return array_allocate(nmemb, size, ALIGNMENT_OF_MY);
}
void *myrealloc(void *ptr, size_t size)
{
    return object_resize("myrealloc", ptr, size, ALIGNMENT_OF_MY);
}
void myfree(void *ptr)
{
    object_free("myfree", ptr);
}

/* ---- the system's family: all of it, so that no pointer of the C library's malloc ever comes here ---- */

void *malloc(size_t size)
{
    return object_allocate(size, ALIGNMENT_OF_SYSTEM);
}
void *calloc(size_t nmemb, size_t size)
{
    return array_allocate(nmemb, size, ALIGNMENT_OF_SYSTEM);
}
void *realloc(void *ptr, size_t size)
{
    return object_resize("realloc", ptr, size, ALIGNMENT_OF_SYSTEM);
}
void free(void *ptr)
{
    object_free("free", ptr);
}

void *reallocarray(void *ptr, size_t nmemb, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(nmemb, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return object_resize("reallocarray", ptr, total, ALIGNMENT_OF_SYSTEM);
}

size_t malloc_usable_size(void *ptr)
{
    return ptr ? heap_size("malloc_usable_size", ptr) : 0;
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    if (!bits_is_power2(alignment) || alignment % sizeof(void *) != 0)
        return EINVAL;
    int before = errno;
    void *object = heap_allocate(size, alignment < ALIGNMENT_OF_SYSTEM ? ALIGNMENT_OF_SYSTEM : alignment);
    errno = before;
    if (object == NULL)
        return ENOMEM;
    *out = object;
    return 0;
}

/* As in the C library: an alignment that is no power of two is rounded up to one. */
void *memalign(size_t alignment, size_t size)
{
    if (alignment > REGION_SIZE_MAX) {
        errno = EINVAL;
        return NULL;
    }
    size_t power = ALIGNMENT_OF_SYSTEM;
    while (power < alignment)
        power *= 2;
    return heap_allocate(size, power);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

void *valloc(size_t size)
{
    return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > REGION_SIZE_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    return memalign(page, bits_up(size ? size : 1, page));
}

#pragma GCC visibility pop
