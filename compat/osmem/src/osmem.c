/* osmem.c: os_malloc, os_calloc, os_realloc and os_free (osmem.h).
 *
 * Every block is a header of 32 bytes (block_meta.h) and its payload behind it. Small blocks lie side by side on a heap that
 * grows by moving the program break; the headers make one list in address order, and each search goes through all of it: as
 * simple as an allocator can be that splits, merges and picks the best fit. A large block is a mapping of its own.
 *
 * What the kernel sees is part of the interface:
 *   - first use of the heap: brk(0), brk(start + 128 KiB). Later: one brk each time that the heap grows. It never shrinks;
 *   - a large block: one mmap of header and payload, one munmap of the same length.
 * So is what the payload sees: a freed block keeps its contents until its space is used again.
 *
 * Cost: 32 bytes a block, and a search over all blocks for each request (linear: for thousands of blocks, not millions).
 * Easy to get wrong: the break is not ours alone. The C library's own malloc moves it too, so the heap is contiguous only as
 * long as the break still is where the last block ends; that is asked before the last block is extended.
 * The break is moved through the C library's brk and sbrk, because its malloc trusts the break that they remember.
 *
 * Part of Loam, MIT licence. This file is put together from the library's sources: each part says where it is from. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "osmem.h"
#include "block_meta.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The parts taken in offer more than this file uses. */
#pragma GCC diagnostic ignored "-Wunused-function"

#include "base/compiler.h"
#include "region/block_list.h"
#include "region/block_list.c"

#define ALIGNMENT ((size_t)8)
#define HEAP_FIRST ((size_t)128 * 1024) /* taken from the kernel at the first use of the heap */
#define MMAP_THRESHOLD ((size_t)128 * 1024)

static struct block_list
    heap; /* all blocks of the heap, in address order; empty until the heap is used for the first time */

static size_t align_up(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/* ---- the break ---- */

/* First use: one free block over the whole of the first 128 KiB. */
static bool heap_begin(void)
{
    if (brk(NULL) != 0) /* asks the kernel, where sbrk(0) may answer from what the C library remembers */
        return false;
    char *start = sbrk(0);
    char *end = start + HEAP_FIRST;
    if (brk(end) != 0)
        return false;
    struct block_meta *block = (struct block_meta *)align_up((uintptr_t)start);
    size_t size = (size_t)(end - block_payload(block)) & ~(ALIGNMENT - 1);
    block_list_insert(&heap, NULL, block, size, STATUS_FREE);
    return true;
}

/* Makes the last block `size` long, by as much of the break as that lacks. False if it does not lie at the break. */
static bool heap_extend_last(size_t size)
{
    struct block_meta *last = heap.last;
    if (sbrk(0) != (void *)(block_payload(last) + last->size) || sbrk((intptr_t)(size - last->size)) == (void *)-1)
        return false;
    last->size = size;
    return true;
}

/* A new block at the break. */
static struct block_meta *heap_append(size_t size)
{
    size_t padding = -(uintptr_t)sbrk(0) % ALIGNMENT; /* 0, unless somebody else has moved the break by an odd amount */
    char *start = sbrk((intptr_t)(padding + BLOCK_HEADER + size));
    if (start == (char *)-1)
        return NULL;
    return block_list_insert(&heap, heap.last, start + padding, size, STATUS_ALLOC);
}

static struct block_meta *heap_allocate(size_t size)
{
    if (!heap.first && !heap_begin())
        return NULL;
    block_list_coalesce(&heap);
    struct block_meta *block = block_list_best(&heap, size);
    if (block)
        block_split(&heap, block, size, ALIGNMENT);
    else if (heap.last->status == STATUS_FREE && heap_extend_last(size))
        block = heap.last;
    else
        block = heap_append(size);
    if (block)
        block->status = STATUS_ALLOC;
    return block;
}

/* ---- mappings ---- */

static struct block_meta *map_allocate(size_t size)
{
    struct block_meta *block =
        mmap(NULL, BLOCK_HEADER + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    *block = (struct block_meta){.size = size, .status = STATUS_MAPPED};
    return block;
}

/* A block for `size` > 0 bytes; mapped if it comes to `threshold` bytes with its header. */
static struct block_meta *block_allocate(size_t size, size_t threshold)
{
    struct block_meta *block = NULL;
    if (size <= PTRDIFF_MAX - BLOCK_HEADER - ALIGNMENT) { /* beyond that the sums would overflow */
        size = align_up(size);
        block = size + BLOCK_HEADER < threshold ? heap_allocate(size) : map_allocate(size);
    }
    if (!block)
        errno = ENOMEM;
    return block;
}

/* ---- the interface ---- */

void *os_malloc(size_t size)
{
    if (size == 0)
        return NULL;
    struct block_meta *block = block_allocate(size, MMAP_THRESHOLD);
    return block ? block_payload(block) : NULL;
}

void *os_calloc(size_t nmemb, size_t size)
{
    size_t total;
    if (nmemb == 0 || size == 0)
        return NULL;
    if (__builtin_mul_overflow(nmemb, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    struct block_meta *block = block_allocate(total, (size_t)sysconf(_SC_PAGESIZE));
    if (!block)
        return NULL;
    if (block->status != STATUS_MAPPED) /* fresh mappings are zero */
        memset(block_payload(block), 0, block->size);
    return block_payload(block);
}

/* Tries to make a heap block at least `size` long where it is. Free blocks taken in stay, also if they are not enough. */
static bool block_grow(struct block_meta *block, size_t size)
{
    while (block->size < size && block_adjoins(block) && block->next->status == STATUS_FREE)
        block_merge_next(&heap, block);
    if (block->size >= size) {
        block_split(&heap, block, size, ALIGNMENT);
        return true;
    }
    return block == heap.last && heap_extend_last(size);
}

void *os_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return os_malloc(size);
    if (size == 0) {
        os_free(ptr);
        return NULL;
    }
    struct block_meta *block = block_of(ptr);
    if (block->status == STATUS_FREE)
        return NULL;
    if (block->status == STATUS_ALLOC) {
        if (size <= block->size) {
            block_split(&heap, block, align_up(size), ALIGNMENT);
            return ptr;
        }
        bool stays_on_heap = size <= MMAP_THRESHOLD && align_up(size) + BLOCK_HEADER < MMAP_THRESHOLD;
        if (stays_on_heap && block_grow(block, align_up(size)))
            return ptr;
    }
    void *moved = os_malloc(size);
    if (!moved)
        return NULL;
    memcpy(moved, ptr, size < block->size ? size : block->size);
    os_free(ptr);
    return moved;
}

void os_free(void *ptr)
{
    if (!ptr)
        return;
    struct block_meta *block = block_of(ptr);
    if (block->status == STATUS_ALLOC)
        block->status = STATUS_FREE;
    else if (block->status == STATUS_MAPPED)
        munmap(block, BLOCK_HEADER + block->size);
}
