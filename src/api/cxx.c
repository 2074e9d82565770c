/* C++'s operators new and delete, by their mangled names, without a C++ compiler or library.
 *
 * Every form that the standard names: plain, array, sized, aligned, nothrow. When memory is out, the program's new handler is
 * called as long as there is one, then std::bad_alloc is thrown; both come from the C++ library by weak names, which a C program
 * does not have and does not need. Built with -fexceptions, so that the throw passes through. */
#ifndef LOAM_NO_REPLACE
#include "api/catch.h"
#include "api/inside.h"
#include "base/log.h"
#include "cache/cache.h"
#include <errno.h>
#include <stdlib.h>

typedef void (*new_handler)(void);
extern new_handler std_get_new_handler(void) __asm__("_ZSt15get_new_handlerv") __attribute__((weak));
extern _Noreturn void std_throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv") __attribute__((weak));

static COLD void *new_failed(size_t align, size_t size)
{
    for (;;) {
        void *p = align > GRANULE ? block_alloc_aligned(align, size) : block_alloc(size, NULL);
        if (p)
            return p;
        new_handler handler = std_get_new_handler ? std_get_new_handler() : NULL;
        if (!handler)
            break;
        handler(); /* frees memory, throws, or ends the program */
    }
    errno = ENOMEM;
    if (std_throw_bad_alloc)
        std_throw_bad_alloc();
    log_fatal("loam: operator new(%zu): out of memory, and no C++ library to throw std::bad_alloc\n", size);
}

INLINE void *new_small(size_t size)
{
    if (unlikely(size > SIZE_FINE_MAX))
        return NULL;
    return cache_pop((uint32_t)((size + GRANULE - 1) & ~(size_t)(GRANULE - 1)));
}

static NOINLINE void *new_slow(size_t size)
{
    void *p = block_alloc(size, NULL);
    return likely(p) ? p : new_failed(0, size);
}

#define CXX(name) __asm__(name) __attribute__((visibility("default")))

void *cxx_new(size_t size) CXX("_Znwm");
void *cxx_new_array(size_t size) CXX("_Znam");
void *cxx_new_nothrow(size_t size, const void *tag) CXX("_ZnwmRKSt9nothrow_t");
void *cxx_new_array_nothrow(size_t size, const void *tag) CXX("_ZnamRKSt9nothrow_t");
void *cxx_new_aligned(size_t size, size_t align) CXX("_ZnwmSt11align_val_t");
void *cxx_new_array_aligned(size_t size, size_t align) CXX("_ZnamSt11align_val_t");
void *cxx_new_aligned_nothrow(size_t size, size_t align, const void *tag) CXX("_ZnwmSt11align_val_tRKSt9nothrow_t");
void *cxx_new_array_aligned_nothrow(size_t size, size_t align, const void *tag) CXX("_ZnamSt11align_val_tRKSt9nothrow_t");
void cxx_delete(void *p) CXX("_ZdlPv");
void cxx_delete_array(void *p) CXX("_ZdaPv");
void cxx_delete_nothrow(void *p, const void *tag) CXX("_ZdlPvRKSt9nothrow_t");
void cxx_delete_array_nothrow(void *p, const void *tag) CXX("_ZdaPvRKSt9nothrow_t");
void cxx_delete_sized(void *p, size_t size) CXX("_ZdlPvm");
void cxx_delete_array_sized(void *p, size_t size) CXX("_ZdaPvm");
void cxx_delete_aligned(void *p, size_t align) CXX("_ZdlPvSt11align_val_t");
void cxx_delete_array_aligned(void *p, size_t align) CXX("_ZdaPvSt11align_val_t");
void cxx_delete_aligned_nothrow(void *p, size_t align, const void *tag) CXX("_ZdlPvSt11align_val_tRKSt9nothrow_t");
void cxx_delete_array_aligned_nothrow(void *p, size_t align, const void *tag) CXX("_ZdaPvSt11align_val_tRKSt9nothrow_t");
void cxx_delete_sized_aligned(void *p, size_t size, size_t align) CXX("_ZdlPvmSt11align_val_t");
void cxx_delete_array_sized_aligned(void *p, size_t size, size_t align) CXX("_ZdaPvmSt11align_val_t");

/* The standard says which form calls which, so that a program that replaces one of them has replaced them all: arrays call the
 * plain form, sized deletes the unsized one, nothrow the throwing one. These are the same names once more, as somebody else's:
 * else the compiler would take the short way to our own. */
extern void *program_new(size_t size) CXX("_Znwm");
extern void *program_new_array(size_t size) CXX("_Znam");
extern void *program_new_aligned(size_t size, size_t align) CXX("_ZnwmSt11align_val_t");
extern void *program_new_array_aligned(size_t size, size_t align) CXX("_ZnamSt11align_val_t");
extern void program_delete(void *p) CXX("_ZdlPv");
extern void program_delete_array(void *p) CXX("_ZdaPv");
extern void program_delete_aligned(void *p, size_t align) CXX("_ZdlPvSt11align_val_t");
extern void program_delete_array_aligned(void *p, size_t align) CXX("_ZdaPvSt11align_val_t");

void *cxx_new(size_t size)
{
    void *p = new_small(size);
    return likely(p) ? p : new_slow(size);
}

void *cxx_new_aligned(size_t size, size_t align)
{
    void *p = block_alloc_aligned(align, size);
    return likely(p) ? p : new_failed(align, size);
}

void cxx_delete(void *p) { API(free)(p); }

void cxx_delete_aligned(void *p, size_t align)
{
    (void)align;
    API(free)(p);
}

void *cxx_new_array(size_t size) { return program_new(size); }
void *cxx_new_array_aligned(size_t size, size_t align) { return program_new_aligned(size, align); }

void *cxx_new_nothrow(size_t size, const void *tag)
{
    (void)tag;
    return catch_new(size, 0, (void *(*)(size_t, size_t))(uintptr_t)program_new);
}

void *cxx_new_array_nothrow(size_t size, const void *tag)
{
    (void)tag;
    return catch_new(size, 0, (void *(*)(size_t, size_t))(uintptr_t)program_new_array);
}

void *cxx_new_aligned_nothrow(size_t size, size_t align, const void *tag)
{
    (void)tag;
    return catch_new(size, align, program_new_aligned);
}

void *cxx_new_array_aligned_nothrow(size_t size, size_t align, const void *tag)
{
    (void)tag;
    return catch_new(size, align, program_new_array_aligned);
}

void cxx_delete_array(void *p) { program_delete(p); }
void cxx_delete_array_aligned(void *p, size_t align) { program_delete_aligned(p, align); }

void cxx_delete_nothrow(void *p, const void *tag)
{
    (void)tag;
    program_delete(p);
}

void cxx_delete_array_nothrow(void *p, const void *tag)
{
    (void)tag;
    program_delete_array(p);
}

/* A wrong size is not looked for: programs that delete through a base class without a virtual destructor run on every
 * other allocator (the hardened build will report them). */
void cxx_delete_sized(void *p, size_t size)
{
    (void)size;
    program_delete(p);
}

void cxx_delete_array_sized(void *p, size_t size)
{
    (void)size;
    program_delete_array(p);
}

void cxx_delete_aligned_nothrow(void *p, size_t align, const void *tag)
{
    (void)tag;
    program_delete_aligned(p, align);
}

void cxx_delete_array_aligned_nothrow(void *p, size_t align, const void *tag)
{
    (void)tag;
    program_delete_array_aligned(p, align);
}

void cxx_delete_sized_aligned(void *p, size_t size, size_t align)
{
    (void)size;
    program_delete_aligned(p, align);
}

void cxx_delete_array_sized_aligned(void *p, size_t size, size_t align)
{
    (void)size;
    program_delete_array_aligned(p, align);
}
#endif
