/* alloc.h: a memory manager for one page of 4096 bytes.
 *
 *     if (init() != 0) ...            one page from the kernel
 *     char *name = alloc(64);         a multiple of 8 bytes, or NULL
 *     dealloc(name);
 *     cleanup();                      the page goes back
 *
 * All 4096 bytes of the page can be in use at once: what the manager must remember lies outside it (in alloc.c). Nothing is
 * allocated or freed through the C library. Not for several threads at once: put a lock of yours around the calls.
 *
 * Part of Loam, MIT licence. */
#ifndef ALLOC_H
#define ALLOC_H

#define PAGESIZE 4096 /* bytes that the manager hands out in all */
#define MINALLOC 8 /* sizes are multiples of this */

/* Takes a page from the kernel. 0: done. Not 0: the kernel has none, or the manager is in use already (cleanup() first). */
int init(void);

/* Gives the page back to the kernel, whatever is still allocated in it. 0: done. Not 0: there was none. */
int cleanup(void);

/* `size` bytes within the page, aligned to 8; what they hold is undefined. NULL if size is not a multiple of 8 or not over
 * 0, if no free chunk is long enough, or before init(). The lowest chunk that fits is taken, and its rest stays free. */
char *alloc(int size);

/* Frees the whole chunk at `chunk`, which then forms one chunk with its free neighbours. NULL, and any pointer that alloc()
 * did not return or that is free already, is refused: nothing changes. */
void dealloc(char *chunk);

#endif
