// Allocators that go wrong on purpose, to show that ./bench says so: built with one of CRASH, HANG, MISALIGN, and without
// any as a right one. They stand in front of the C library's own functions.
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void __libc_free(void *p);

static atomic_long calls;

void *malloc(size_t size)
{
    long call = atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    (void)call;
#ifdef CRASH
    if (call == 5000)
        __builtin_trap();
#endif
#ifdef HANG
    while (call >= 5000)
        pause();
#endif
    return __libc_malloc(size);
}

void free(void *p)
{
    __libc_free(p);
}

#ifdef MISALIGN
int posix_memalign(void **out, size_t alignment, size_t size)
{
    (void)alignment;
    *out = __libc_malloc(size);
    return *out == NULL ? 12 : 0;
}
#endif
