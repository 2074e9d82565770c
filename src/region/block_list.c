/* The list of blocks in the order of addresses: insert, split, merge, best fit (block_list.h). */
#include "region/block_list.h"

REGION_API struct block_meta *block_list_insert(struct block_list *list, struct block_meta *after, void *memory,
                                                size_t size, int status)
{
    struct block_meta *block = memory;
    struct block_meta *next = after != NULL ? after->next : list->first;
    *block = (struct block_meta){.size = size, .status = status, .prev = after, .next = next};
    if (after != NULL)
        after->next = block;
    else
        list->first = block;
    if (next != NULL)
        next->prev = block;
    else
        list->last = block;
    return block;
}

REGION_API void block_list_remove(struct block_list *list, struct block_meta *block)
{
    if (block->prev != NULL)
        block->prev->next = block->next;
    else
        list->first = block->next;
    if (block->next != NULL)
        block->next->prev = block->prev;
    else
        list->last = block->prev;
}

REGION_API void block_merge_next(struct block_list *list, struct block_meta *block)
{
    struct block_meta *next = block->next;
    block_list_remove(list, next);
    block->size += BLOCK_HEADER + next->size;
}

REGION_API struct block_meta *block_split(struct block_list *list, struct block_meta *block, size_t size, size_t least)
{
    if (block->size < size + BLOCK_HEADER + least)
        return NULL;
    size_t rest = block->size - size - BLOCK_HEADER;
    block->size = size;
    return block_list_insert(list, block, block_payload(block) + size, rest, STATUS_FREE);
}

REGION_API void block_list_coalesce(struct block_list *list)
{
    for (struct block_meta *block = list->first; block != NULL; block = block->next)
        while (block->status == STATUS_FREE && block_adjoins(block) && block->next->status == STATUS_FREE)
            block_merge_next(list, block);
}

REGION_API struct block_meta *block_list_best(const struct block_list *list, size_t size)
{
    struct block_meta *best = NULL;
    for (struct block_meta *block = list->first; block != NULL; block = block->next)
        if (block->status == STATUS_FREE && block->size >= size && (best == NULL || block->size < best->size))
            best = block;
    return best;
}
