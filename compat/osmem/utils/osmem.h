/* osmem.h: malloc, calloc, realloc and free over brk and mmap, with a block header that its users may read.
 *
 * All payloads are aligned to 8 bytes. What is small comes from one heap, grown by brk; what is large is a mapping of its own.
 * A failure is NULL with errno ENOMEM. One thread, or a lock of yours around the calls.
 *
 * Part of Loam, MIT licence. */
#ifndef OSMEM_H
#define OSMEM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `size` bytes, not initialised; 0 gives NULL. Mapped from a size of 128 KiB on, header included. */
void *os_malloc(size_t size);

/* An array of `nmemb` elements of `size` bytes, all zero; 0 of either, or a product that overflows, gives NULL. Mapped from a
 * page on, header included. */
void *os_calloc(size_t nmemb, size_t size);

/* Changes the size of a block. On the heap it stays where it is if it shrinks, if the free blocks behind it are enough, or if
 * it is the last one; else, and always when it is mapped, its contents move to a new block. NULL acts as os_malloc, a size of 0
 * as os_free (and gives NULL); a block that is free gives NULL. When there is no memory the block stays as it was. */
void *os_realloc(void *ptr, size_t size);

/* Frees a block: on the heap it is marked free, its contents stay; a mapping goes back to the kernel. NULL does nothing. */
void os_free(void *ptr);

#ifdef __cplusplus
}
#endif

#endif
