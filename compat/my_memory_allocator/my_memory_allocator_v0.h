/* Version 0: the C library's allocator under our names, so that the others have something to be measured against. */
#ifndef MY_MEMORY_ALLOCATOR_V0_H
#define MY_MEMORY_ALLOCATOR_V0_H

#include <stdlib.h>

void init_mem_pool(void)
{
}

void *my_malloc(size_t num_bytes)
{
    return malloc(num_bytes);
}

void my_free(void *pointer)
{
    free(pointer);
}

#endif
