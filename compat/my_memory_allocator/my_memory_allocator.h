/* my_memory_allocator.h: four small allocators behind one interface, picked by a number.
 *
 *     init_mem_pool();              once, before the first request
 *     void *p = my_malloc(24);      NULL when there is no memory left
 *     my_free(p);
 *
 * LAB_VERSION picks one of them:
 *     0  the C library's malloc and free, to compare with
 *     1  one mmap and one munmap for each object
 *     2  one pool, and a pointer that only moves forward (bump)
 *     3  one pool of 32-byte cells, and a list of the free ones
 * Edit the line below, or compile with -DLAB_VERSION=3. Each version is a header of its own, to be read alone.
 *
 * One source file of a program includes this header: it defines the functions, it does not only declare them. Threads are
 * not provided for: a pool belongs to one thread, or to a lock of the program's.
 *
 * Part of Loam, MIT licence. Standard C11, on any Linux. */
#ifndef MY_MEMORY_ALLOCATOR_H
#define MY_MEMORY_ALLOCATOR_H

#ifndef LAB_VERSION
#define LAB_VERSION 0
#endif

#include <stdio.h>
#include <stdlib.h>

/* For callers that can do nothing about a NULL: says so and ends the program. */
void out_of_mem(void)
{
    fprintf(stderr, "my_memory_allocator: version %d is out of memory\n", LAB_VERSION);
    exit(EXIT_FAILURE);
}

#if LAB_VERSION == 0
#include "my_memory_allocator_v0.h"
#elif LAB_VERSION == 1
#include "my_memory_allocator_v1.h"
#elif LAB_VERSION == 2
#include "my_memory_allocator_v2.h"
#elif LAB_VERSION == 3
#include "my_memory_allocator_v3.h"
#else
#error "LAB_VERSION is 0 (C library), 1 (a map for each object), 2 (bump pool) or 3 (cells)"
#endif

#endif
