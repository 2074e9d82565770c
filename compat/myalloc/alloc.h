/* alloc.h: malloc, calloc, realloc and free over the program break, with all metadata out of band.
 *
 * The four functions behave as the C library's do (a size of 0 gives a pointer that can be freed, myrealloc(p, 0) frees, a
 * failure is NULL with errno ENOMEM), but for alignment: theirs is 8, and the smallest object has 8 bytes. The library exports
 * the same allocator as malloc, calloc, realloc and free and the rest of that family, aligned as compilers expect it (16 from
 * 16 bytes up), so that it can be put under any program: LD_PRELOAD=./libmyalloc.so ls -al /
 *
 * All of them may be called by any thread, and after fork. A pointer of one family may be given to the other.
 *
 * Part of Loam, MIT licence. */
#ifndef ALLOC_H
#define ALLOC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `size` bytes, not initialised. */
void *mymalloc(size_t size);

/* An array of `nmemb` elements of `size` bytes, all zero. */
void *mycalloc(size_t nmemb, size_t size);

/* The object at `ptr`, made `size` bytes long: in place if it is not to grow, or can; else moved. */
void *myrealloc(void *ptr, size_t size);

/* Frees an object; NULL does nothing. What is no object's address is reported on stderr and ends the program. */
void myfree(void *ptr);

#ifdef __cplusplus
}
#endif

#endif
