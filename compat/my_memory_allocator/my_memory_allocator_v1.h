/* Version 1: every object is a mapping of its own.
 *
 * my_malloc is one mmap, my_free one munmap: nothing is kept, every byte goes back to the kernel at once.
 * What it costs: a system call each way (about a microsecond) and a page fault at the first use; and at least one page of
 * 4 KiB for an object of 24 bytes. The kernel also limits how many mappings a process may have (65,530 by default, in
 * /proc/sys/vm/max_map_count; neighbouring mappings of one kind count as one).
 *
 * munmap must be told how long the mapping is, and my_free is told only where it is: so the length stands in front of the
 * object, in the first 16 bytes (16, not 8, so that the object is aligned for everything). */
#ifndef MY_MEMORY_ALLOCATOR_V1_H
#define MY_MEMORY_ALLOCATOR_V1_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#ifndef MAP_ANONYMOUS
#include <linux/mman.h> /* under -std=c11 the C library keeps this name to itself; the kernel's own header has it */
#endif

#define MAP_HEADER_BYTES 16

void init_mem_pool(void)
{
}

void *my_malloc(size_t num_bytes)
{
    if (num_bytes > SIZE_MAX - MAP_HEADER_BYTES)
        return NULL;
    size_t length = num_bytes + MAP_HEADER_BYTES; /* the kernel rounds up to whole pages */
    void *map = mmap(NULL, /* anywhere */
                     length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, /* memory, no file behind it */
                     -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    *(size_t *)map = length;
    return (char *)map + MAP_HEADER_BYTES;
}

void my_free(void *pointer)
{
    if (pointer == NULL)
        return;
    void *map = (char *)pointer - MAP_HEADER_BYTES;
    munmap(map, *(size_t *)map);
}

#endif
