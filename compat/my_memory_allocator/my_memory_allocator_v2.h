/* Version 2: one pool and a pointer that only moves forward (bump allocation).
 *
 * init_mem_pool maps 100,000 pages once; the kernel provides each page only when it is first touched. my_malloc gives out
 * the next bytes, in steps of 8: an addition and a comparison. my_free does nothing, so the pool is spent after
 * 409,600,000 bytes in all, however much of it has been freed; my_malloc then returns NULL.
 * The step is 8 and not 16 on purpose: 15 million objects of 24 bytes fit into the pool, the same rounded to 32 do not. */
#ifndef MY_MEMORY_ALLOCATOR_V2_H
#define MY_MEMORY_ALLOCATOR_V2_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#ifndef MAP_ANONYMOUS
#include <linux/mman.h> /* under -std=c11 the C library keeps this name to itself; the kernel's own header has it */
#endif

#define POOL_BYTES ((size_t)100000 * 4096)
#define POOL_STEP ((size_t)8)

static char *next_free_mem; /* where the next object will be */
static size_t pool_left; /* bytes from there to the end; 0 before init_mem_pool, so that my_malloc returns NULL */

void init_mem_pool(void)
{
    if (next_free_mem != NULL)
        return; /* a second call must not lose the objects of the first pool */
    void *pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pool == MAP_FAILED) {
        perror("my_memory_allocator: cannot map the pool");
        return;
    }
    next_free_mem = pool;
    pool_left = POOL_BYTES;
}

void *my_malloc(size_t num_bytes)
{
    if (num_bytes > pool_left) /* asked first: the rounding below could overflow */
        return NULL;
    size_t size = (num_bytes + POOL_STEP - 1) & ~(POOL_STEP - 1);
    if (size == 0)
        size = POOL_STEP; /* no two objects at the same address, also for 0 bytes */
    if (size > pool_left)
        return NULL;
    void *object = next_free_mem;
    next_free_mem += size;
    pool_left -= size;
    return object;
}

void my_free(void *pointer)
{
    (void)pointer;
}

#endif
