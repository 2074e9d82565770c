/* The heap behind the pools: best fit over all free blocks, over the break while the process has one thread, else over
 * mappings. All of it under heap_lock. A mapped heap in which nothing is left is given back whole. */
#include "parts/state.h"

/* A region over the break must leave it alone from the moment on that there are threads: it is told that somebody else has
 * moved it. */
static void break_heap_hold(void)
{
    struct source *source = &break_heap->source;
    if (source->fixed == !__libc_single_threaded)
        return;
    source->fixed = !source->fixed;
    char *end = source->end;
    source->end = source->fixed ? NULL : break_end;
    break_end = end;
}

static void *map_heap_take(size_t size)
{
    struct loam_region_options options = {
        .kind = LOAM_REGION_BLOCKS, .source = LOAM_SOURCE_MAP, .first = 4 * MMAP_THRESHOLD};
    if (map_heap == NULL && blocks_open(source_map(), &options, &map_heap) != LOAM_OK)
        return NULL;
    return blocks_alloc(map_heap, size, sizeof(struct mark));
}

/* `size` bytes of the heap; says in *owner which one. Under heap_lock. */
static void *heap_take(size_t size, uint32_t *owner)
{
    void *memory = NULL;
    if (break_heap != NULL) {
        break_heap_hold();
        memory = blocks_alloc(break_heap, size, sizeof(struct mark));
    }
    *owner = memory != NULL ? OWNER_BREAK_HEAP : OWNER_MAP_HEAP;
    return memory != NULL ? memory : map_heap_take(size);
}

static int heap_give(void *memory, uint32_t owner)
{
    struct loam_region *heap = owner == OWNER_BREAK_HEAP ? break_heap : map_heap;
    if (heap == NULL)
        return LOAM_ERROR_FREE;
    if (heap == break_heap)
        break_heap_hold();
    int error = blocks_free(heap, memory);
    if (error == LOAM_OK && heap == map_heap && heap->live_blocks == 0) {
        map_heap = NULL;
        blocks_destroy(heap);
    }
    return error;
}

static void *heap_object(size_t size)
{
    uint32_t owner;
    size_t usable = 0;
    lock_take(&heap_lock);
    void *memory = heap_take(size + sizeof(struct mark), &owner);
    if (memory != NULL)
        blocks_usable(owner == OWNER_BREAK_HEAP ? break_heap : map_heap, memory, &usable);
    lock_drop(&heap_lock);
    return memory != NULL ? mark_put(memory, owner, 0, usable - sizeof(struct mark)) : NULL;
}
