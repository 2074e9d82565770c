/* alloc.c: the memory manager of alloc.h. Compiles on its own: gcc -c alloc.c
 *
 * The page is a row of 512 steps of 8 bytes. Which of them are occupied, and where chunks begin, is kept in two bitmaps
 * outside the page: the structure called bounds below, the same on which Loam's malloc stands. From it follows the rest:
 *   - nothing lies in the page but what the user put there, so all of it can be handed out;
 *   - a chunk is split by marking where it ends, and freed neighbours have merged as soon as the mark between them is gone;
 *   - a pointer that is no allocated chunk's first byte is recognised, and refused.
 * To find room is a comparison of 64 numbers (the longest hole that begins in each 64 steps; only 8 of them are in use here)
 * and a look at one word. The bitmaps and numbers take 264 bytes.
 *
 * Part of Loam, MIT licence. This file is put together from the library's sources: each part says where it is from. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* MAP_ANONYMOUS, also under -std=c99 */
#endif
#include "alloc.h"

/* The parts taken in offer more than this file uses. */
#pragma GCC diagnostic ignored "-Wunused-function"

#include "bounds/bounds.h"
#include "bounds/bounds.c"

#include <stdint.h>
#include <sys/mman.h>

enum { STEPS = PAGESIZE / MINALLOC, BOUNDS_WORDS = 40 };

static char *page; /* NULL: not in use */
static struct bounds row;
static uint64_t row_maps[BOUNDS_WORDS]; /* bitmaps and numbers of the row */

int init(void)
{
    if (page != NULL || bounds_size(STEPS, false) > sizeof row_maps)
        return -1;
    void *map = mmap(NULL, PAGESIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return -1;
    page = map;
    bounds_init(&row, row_maps, STEPS, false);
    return 0;
}

int cleanup(void)
{
    if (page == NULL || munmap(page, PAGESIZE) != 0)
        return -1;
    page = NULL;
    return 0;
}

char *alloc(int size)
{
    if (page == NULL || size <= 0 || size > PAGESIZE || size % MINALLOC != 0)
        return NULL;
    uint32_t step = bounds_place(&row, (uint32_t)size / MINALLOC);
    return step == BOUNDS_NONE ? NULL : page + (size_t)step * MINALLOC;
}

void dealloc(char *chunk)
{
    uintptr_t offset = (uintptr_t)chunk - (uintptr_t)page;
    if (page == NULL || offset >= PAGESIZE || offset % MINALLOC != 0)
        return; /* not in our page, or not where a chunk can begin */
    uint32_t step = (uint32_t)(offset / MINALLOC);
    if (bounds_is_block(&row, step)) /* else free already, or inside a chunk */
        bounds_release(&row, step, bounds_next(&row, step) - step);
}
