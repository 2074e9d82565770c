/* The names that the api gives to the C library's functions. With LOAM_NO_REPLACE (unit tests, sanitizers) malloc becomes
 * loam_test_malloc and so on, so that the process keeps its own malloc beside ours. A macro because C has no other way to
 * make a name. */
#ifndef LOAM_API_NAMES_H
#define LOAM_API_NAMES_H

#include "base/compiler.h"

#ifdef LOAM_NO_REPLACE
#define API(name) loam_test_##name
#else
#define API(name) name
#endif

EXPORT void *API(malloc)(size_t size);
EXPORT void *API(calloc)(size_t count, size_t size);
EXPORT void *API(realloc)(void *p, size_t size);
EXPORT void API(free)(void *p);
EXPORT void *API(reallocarray)(void *p, size_t count, size_t size);
EXPORT int API(posix_memalign)(void **out, size_t align, size_t size);
EXPORT void *API(aligned_alloc)(size_t align, size_t size);
EXPORT void *API(memalign)(size_t align, size_t size);
EXPORT void *API(valloc)(size_t size);
EXPORT void *API(pvalloc)(size_t size);
EXPORT size_t API(malloc_usable_size)(void *p);
EXPORT void API(free_sized)(void *p, size_t size);
EXPORT void API(free_aligned_sized)(void *p, size_t align, size_t size);

#endif
