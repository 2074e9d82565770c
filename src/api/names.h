/* The names of the api's functions, three for each.
 *
 * `API(malloc)` is heap_malloc: hidden, and what our own code calls, so that a call inside the library stays inside it whatever
 * the program or another library calls malloc. `API_EXPORT(malloc)`, behind the definition, gives it its public name: malloc, or
 * loam_test_malloc with LOAM_NO_REPLACE (unit tests, sanitizers), where the process keeps its own malloc beside ours. Macros
 * because C has no other way to make a name. */
#ifndef LOAM_API_NAMES_H
#define LOAM_API_NAMES_H

#include "base/compiler.h"

#define API(name) heap_##name
#ifdef LOAM_NO_REPLACE
#define API_PUBLIC(name) loam_test_##name
#else
#define API_PUBLIC(name) name
#endif
#define API_EXPORT(name)                                                                                               \
    extern __typeof__(API(name)) API_PUBLIC(name) __attribute__((alias("heap_" #name), visibility("default")))

void *API(malloc)(size_t size);
void *API(calloc)(size_t count, size_t size);
void *API(realloc)(void *p, size_t size);
void API(free)(void *p);
void *API(reallocarray)(void *p, size_t count, size_t size);
int API(posix_memalign)(void **out, size_t align, size_t size);
void *API(aligned_alloc)(size_t align, size_t size);
void *API(memalign)(size_t align, size_t size);
void *API(valloc)(size_t size);
void *API(pvalloc)(size_t size);
size_t API(malloc_usable_size)(void *p);
void API(free_sized)(void *p, size_t size);
void API(free_aligned_sized)(void *p, size_t align, size_t size);

#ifdef LOAM_NO_REPLACE
void *API_PUBLIC(malloc)(size_t size);
void *API_PUBLIC(calloc)(size_t count, size_t size);
void *API_PUBLIC(realloc)(void *p, size_t size);
void API_PUBLIC(free)(void *p);
void *API_PUBLIC(reallocarray)(void *p, size_t count, size_t size);
int API_PUBLIC(posix_memalign)(void **out, size_t align, size_t size);
void *API_PUBLIC(aligned_alloc)(size_t align, size_t size);
void *API_PUBLIC(memalign)(size_t align, size_t size);
void *API_PUBLIC(valloc)(size_t size);
void *API_PUBLIC(pvalloc)(size_t size);
size_t API_PUBLIC(malloc_usable_size)(void *p);
void API_PUBLIC(free_sized)(void *p, size_t size);
void API_PUBLIC(free_aligned_sized)(void *p, size_t align, size_t size);
#endif

#endif
