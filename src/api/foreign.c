/* Blocks that are not ours but the C library's: it allocated before we were there, or a library that was opened with
 * RTLD_DEEPBIND calls it directly. They are passed on, if they look as its blocks do; a pointer that does not is reported.
 *
 * The C library's functions are found once, in a constructor, or when the first such block comes earlier. In a static
 * program there is no other malloc, and nothing is passed on. */
#define _GNU_SOURCE 1
#include "api/inside.h"
#include "os/pages.h"
#include <dlfcn.h>

/* Weak: a static program has no dynamic loader. */
extern void *dlsym(void *handle, const char *name) __attribute__((weak));

static struct {
    void (*free)(void *);
    void *(*realloc)(void *, size_t);
    size_t (*usable_size)(void *);
    bool resolved; /* set last; a second thread that resolves finds the same */
} libc_heap;

enum { SIZE_FLAGS = 7, MMAPPED = 2, PREVIOUS_IN_USE = 1, CHUNK_LEAST = 32 };

static void *libc_symbol(const char *name, uintptr_t ours)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found || (uintptr_t)found == ours) /* opened late: not in the program's list of libraries, which has the C library's */
        found = dlsym(RTLD_DEFAULT, name);
    return (uintptr_t)found == ours ? NULL : found;
}

COLD void foreign_start(void)
{
    if (__atomic_load_n(&libc_heap.resolved, __ATOMIC_ACQUIRE) || !dlsym)
        return;
    libc_heap.free = (void (*)(void *))(uintptr_t)libc_symbol("free", (uintptr_t)API(free));
    libc_heap.realloc = (void *(*)(void *, size_t))(uintptr_t)libc_symbol("realloc", (uintptr_t)API(realloc));
    libc_heap.usable_size =
        (size_t(*)(void *))(uintptr_t)libc_symbol("malloc_usable_size", (uintptr_t)API(malloc_usable_size));
    __atomic_store_n(&libc_heap.resolved, true, __ATOMIC_RELEASE);
}

#ifndef LOAM_NO_REPLACE
static __attribute__((constructor)) void foreign_at_load(void) { foreign_start(); }
#endif

/* Looks as a block of the C library's heap does: aligned, mapped, a size before it that leads to another such header or,
 * for a mapping of its own, to whole pages. */
static bool foreign_plausible(const void *p)
{
    uintptr_t address = (uintptr_t)p;
    if (address % 16 != 0 || address < os_page || !os_is_readable((const char *)p - 16))
        return false;
    const size_t *header = (const size_t *)p - 2;
    size_t flags = header[1] & SIZE_FLAGS, size = header[1] & ~(size_t)SIZE_FLAGS;
    if (size < CHUNK_LEAST || size % 16 != 0 || size > (size_t)1 << 46)
        return false;
    if (flags & MMAPPED)
        return (address - 16 - header[0]) % os_page == 0 && (size + header[0]) % os_page == 0;
    const size_t *next = (const size_t *)(const void *)((const char *)header + size);
    return os_is_readable(next + 1) && (next[1] & PREVIOUS_IN_USE) && (next[1] & ~(size_t)SIZE_FLAGS) >= 16;
}

static bool foreign_known(const void *p)
{
    foreign_start();
    return libc_heap.resolved && foreign_plausible(p);
}

bool foreign_free(void *p)
{
    if (!foreign_known(p) || !libc_heap.free)
        return false;
    libc_heap.free(p);
    return true;
}

bool foreign_realloc(void *p, size_t size, void **out)
{
    if (!foreign_known(p) || !libc_heap.realloc)
        return false;
    *out = libc_heap.realloc(p, size);
    return true;
}

bool foreign_usable_size(void *p, size_t *size)
{
    if (!foreign_known(p) || !libc_heap.usable_size)
        return false;
    *size = libc_heap.usable_size(p);
    return true;
}
