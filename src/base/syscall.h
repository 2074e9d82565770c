/* System calls without the C library: the kernel's answer as it is (a negative errno on failure), errno untouched.
 *
 * free() must keep errno, and the heap must work before the C library does; both follow from never passing through its
 * wrappers. Everything that Loam asks of the kernel goes through here. */
#ifndef LOAM_BASE_SYSCALL_H
#define LOAM_BASE_SYSCALL_H

#include "base/compiler.h"
#include <sys/syscall.h>

#if defined(__x86_64__)
INLINE long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
INLINE long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
#error "Loam runs on x86-64 and aarch64"
#endif

INLINE long sys_call3(long nr, long a, long b, long c) { return sys_call6(nr, a, b, c, 0, 0, 0); }
INLINE long sys_call4(long nr, long a, long b, long c, long d) { return sys_call6(nr, a, b, c, d, 0, 0); }

/* What the thread pointer register holds: a name of the calling thread that needs no storage of ours. */
INLINE uintptr_t thread_pointer(void)
{
    uintptr_t tp;
#if defined(__x86_64__)
    __asm__("mov %%fs:0, %0" : "=r"(tp));
#else
    __asm__("mrs %0, tpidr_el0" : "=r"(tp));
#endif
    return tp;
}

INLINE void cpu_relax(void)
{
#if defined(__x86_64__)
    __asm__ volatile("pause" ::: "memory");
#else
    __asm__ volatile("yield" ::: "memory");
#endif
}

#endif
