/* malloc.h: puts mymalloc.c in the place of malloc for the sources that include it.
 *
 *     #include "malloc.h"          (or <malloc.h>, compiled with -I. : then this file is found, not the system's)
 *
 * From here on malloc, calloc, realloc and free mean mymalloc, mycalloc, myrealloc and myfree. Sources that do not include it,
 * and the C library, go on with the C library's malloc; a pointer of theirs (from strdup, getline, ...) may be given to free
 * and realloc here, and is passed on. The other way round is not possible: what is allocated here is freed here.
 *
 * Part of Loam, MIT licence. */
#ifndef MYMALLOC_MALLOC_H
#define MYMALLOC_MALLOC_H

#include <stddef.h>
#include <stdlib.h> /* before the names below change their meaning */

#ifdef __cplusplus
extern "C" {
#endif

/* As in the C library: aligned to 16; 0 bytes give a pointer that can be freed; a failure is NULL with errno ENOMEM. Any
 * thread may call them, on any pointer, and after fork. */
void *mymalloc(size_t size);
void *mycalloc(size_t count, size_t size);
void *myrealloc(void *pointer, size_t size);
void myfree(void *pointer);

/* Writes to stderr what each list has done so far, a line for each: its pools, requests, frees, and how often its lock was
 * found held. */
void mymalloc_print(void);

#ifdef __cplusplus
}
#endif

#define malloc mymalloc
#define calloc mycalloc
#define realloc myrealloc
#define free myfree

#endif
