/* What the compilers call the same things, in one place.
 *
 * Only what the language lacks: branch hints, cold and hidden functions, and the few checks that depend on the build.
 * `LOAM_DEBUG` switches on debug_assert; what must always be checked goes to guard/hook.h. */
#ifndef LOAM_BASE_COMPILER_H
#define LOAM_BASE_COMPILER_H

#include <stdbool.h>
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define INLINE static inline __attribute__((always_inline))
#define COLD __attribute__((cold, noinline))
#define NOINLINE __attribute__((noinline))
#define PURE_CONST __attribute__((const))
#define EXPORT __attribute__((visibility("default")))
#define CACHE_LINE 64
#define CACHE_ALIGNED __attribute__((aligned(CACHE_LINE)))

/* Where a load is wide or racy by design (bounds), the sanitizers are given another, equivalent form. */
#if defined(__SANITIZE_THREAD__)
#define LOAM_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LOAM_TSAN 1
#endif
#endif
#ifndef LOAM_TSAN
#define LOAM_TSAN 0
#endif

/* Debug tier of assertions: compiled in with LOAM_DEBUG, and then as loud as corruption. */
#ifdef LOAM_DEBUG
void debug_failed(const char *what, const char *file, int line) __attribute__((noreturn, cold));
#define debug_assert(x) ((x) ? (void)0 : debug_failed(#x, __FILE__, __LINE__))
#else
#define debug_assert(x) ((void)sizeof(!(x)))
#endif

#endif
