#define _GNU_SOURCE 1
#include "os/pages.h"
#include "base/bits.h"
#include "base/syscall.h"
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
enum { MINUS_EINTR = -4, MINUS_EAGAIN = -11, MINUS_EINVAL = -22 };

size_t os_page = 4096;
uint32_t os_page_shift = 12;

static char *map_hint; /* under the lock of os_map_aligned's callers */

static bool sys_failed(long result) { return (unsigned long)result > -4096UL; }

void os_start(void)
{
    size_t page = getauxval(AT_PAGESZ);
    if (bits_is_power2(page)) {
        os_page = page;
        os_page_shift = bits_log2(page);
    }
}

void *os_map(void *hint, size_t size)
{
    long p = sys_call6(SYS_mmap, (long)hint, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return sys_failed(p) ? NULL : (void *)p;
}

bool os_unmap(void *start, size_t size) { return sys_call3(SYS_munmap, (long)start, (long)size, 0) == 0; }

/* Maps more and cuts both ends off. An end that the kernel does not take back stays mapped and untouched: address space
 * only. */
static void *map_trimmed(size_t size, size_t align)
{
    size_t slack = align - os_page;
    if (size + slack < size)
        return NULL;
    char *p = os_map(NULL, size + slack);
    if (!p)
        return NULL;
    char *start = (char *)bits_up((uintptr_t)p, align);
    if (start > p)
        os_unmap(p, (size_t)(start - p));
    if (p + slack > start)
        os_unmap(start + size, (size_t)(p + slack - start));
    return start;
}

void *os_map_aligned(size_t size, size_t align)
{
    char *p = NULL;
    if (map_hint && (uintptr_t)map_hint > size) {
        p = os_map((char *)bits_down((uintptr_t)map_hint - size, align), size);
        if (p && ((uintptr_t)p & (align - 1)) != 0) {
            os_unmap(p, size);
            p = NULL;
        }
    }
    if (!p)
        p = map_trimmed(size, align);
    if (p)
        map_hint = p;
    return p;
}

bool os_resize(void *start, size_t from, size_t to)
{
    return !sys_failed(sys_call4(SYS_mremap, (long)start, (long)from, (long)to, 0));
}

bool os_move(void *start, size_t from, size_t to, void *target)
{
    return !sys_failed(
        sys_call6(SYS_mremap, (long)start, (long)from, (long)to, MREMAP_MAYMOVE | MREMAP_FIXED, (long)target, 0));
}

bool os_purge(void *start, size_t size)
{
    long result = sys_call3(SYS_madvise, (long)start, (long)size, MADV_DONTNEED);
    if (result == MINUS_EINVAL)
        result = sys_call3(SYS_madvise, (long)start, (long)size, MADV_DONTNEED_LOCKED);
    return result == 0;
}

void os_advise_huge(void *start, size_t size, bool wanted)
{
    sys_call3(SYS_madvise, (long)start, (long)size, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

/* The first bytes of a small file, as a string; an empty one if it cannot be read. */
static void file_read(const char *path, char *text, size_t size)
{
    text[0] = 0;
    long fd = sys_call4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (sys_failed(fd))
        return;
    long n = sys_call3(SYS_read, fd, (long)text, (long)size - 1);
    text[n > 0 ? n : 0] = 0;
    sys_call3(SYS_close, fd, 0, 0);
}

size_t os_resident(void)
{
    char text[128];
    file_read("/proc/self/statm", text, sizeof text);
    const char *at = strchr(text, ' ');
    size_t pages = 0;
    for (at = at ? at + 1 : ""; *at >= '0' && *at <= '9'; at++)
        pages = pages * 10 + (size_t)(*at - '0');
    return pages * os_page;
}

bool os_is_readable(const void *at)
{
    unsigned char here;
    long page = (long)bits_down((uintptr_t)at, os_page);
    long result;
    do {
        result = sys_call3(SYS_madvise, page, (long)os_page, MADV_POPULATE_READ);
    } while (result == MINUS_EINTR || result == MINUS_EAGAIN);
    if (result == 0)
        return true;
    /* EINVAL says either that the page may not be read or that this kernel does not know the advice: a page of our own tells. */
    if (result != MINUS_EINVAL ||
        sys_call3(SYS_madvise, (long)bits_down((uintptr_t)&here, os_page), (long)os_page, MADV_POPULATE_READ) == 0)
        return false;
    return sys_call3(SYS_mincore, page, (long)os_page, (long)&here) == 0;
}
