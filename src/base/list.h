/* A list of free blocks: each block's first word points to the next. How blocks travel between cache, transfer and arena. */
#ifndef LOAM_BASE_LIST_H
#define LOAM_BASE_LIST_H

#include "base/compiler.h"

struct block {
    struct block *next;
};

struct list {
    struct block *head;
    uint32_t count;
};

INLINE void list_push(struct list *list, struct block *block)
{
    block->next = list->head;
    list->head = block;
    list->count++;
}

INLINE struct block *list_pop(struct list *list)
{
    struct block *block = list->head;
    list->head = block->next;
    list->count--;
    return block;
}

#endif
