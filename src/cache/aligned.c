/* Aligned blocks come from the same lists as all others: the first few blocks of the class are looked at, and only when none of
 * them is aligned are some cut that are. Those that the program frees come back to the list, so a program that asks for
 * aligned blocks again and again soon finds them there; callers round sizes so that like finds like (aligned_size in api).
 *
 * Cost: a pop, where the first one is aligned; each block that is not, a pop and a push. Nothing else in the lists knows
 * about alignment. */
#include "arena/arena.h"
#include "cache/inside.h"

enum {
    ALIGNED_LOOKS = 4,
    ALIGNED_BYTES = 2 << 10, /* that a batch of aligned blocks may have */
};

/* A block from the lists, or NULL: never from an arena. */
static struct block *lists_pop(struct table *table, uint32_t class)
{
    if (cache_mode() == CACHE_LOCKED)
        return locked_pop_only(class);
    struct block *block = sequence_pop_again(table_place(class));
    return likely(block) || !table ? block : cache_pop_ready(table, class);
}

static NOINLINE void *alloc_aligned_slow(struct table *table, uint32_t class, size_t align)
{
    uint32_t none = 0, *arena = table ? &table->arena : &none;
    uint32_t preferred = __atomic_load_n(arena, __ATOMIC_RELAXED), was = preferred;
    uint32_t k = table ? table_refill(__atomic_load_n(&table->active[class].cap, __ATOMIC_RELAXED), class, ALIGNED_BYTES) : 1;
    struct list list = arena_take_aligned(&preferred, class, align, k);
    if (preferred != was)
        __atomic_store_n(arena, preferred, __ATOMIC_RELAXED);
    if (!list.head)
        return NULL;
    struct block *block = list_pop(&list);
    while (list.head)
        cache_free_slow(list_pop(&list), class);
    cache_tick();
    return block;
}

void *cache_alloc_aligned(uint32_t class, size_t align, void *first)
{
    struct table *table = cache_mode() == CACHE_LOCKED ? NULL : table_get(cache_index_now());
    struct list aside = {0};
    struct block *block = first ? first : lists_pop(table, class);
    while (block && ((uintptr_t)block & (align - 1)) != 0) {
        list_push(&aside, block);
        block = aside.count < ALIGNED_LOOKS ? lists_pop(table, class) : NULL;
    }
    while (aside.head)
        cache_free_slow(list_pop(&aside), class);
    return block ? block : alloc_aligned_slow(table, class, align);
}
