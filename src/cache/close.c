/* Taking tables over: for fork, trim, decay and exact numbers.
 *
 * In sequence mode a table is nobody's to look into but its processor's. To take it over, its entry is set to the closed table
 * and the kernel is asked for a barrier (membarrier, RSEQ flavour): when that returns, no sequence that loaded the entry before
 * is still running, so the real table is ours until it is put back. Where the barrier is refused, remote tables are left alone.
 * In locked mode taking over is taking the lock.
 *
 * The invariant: between cache_close and cache_open, no processor reads or writes a real table. The negative control in
 * the tests closes without the barrier, and must lose blocks. */
#include "arena/arena.h"
#include "arena/transfer.h"
#include "base/counter.h"
#include "cache/inside.h"
#include "os/cpu.h"

static size_t lost_blocks; /* under cache_lock */

/* With cache_lock held: all tables are ours if it returns true; else nothing has changed. */
static bool cache_close(void)
{
    if (cache_mode() == CACHE_LOCKED) {
        for (uint32_t id = 0; id < cache_reached(); id++)
            if (cache_made[id])
                lock_take(&cache_made[id]->lock);
        return true;
    }
    __atomic_store_n(&cache_closed, true, __ATOMIC_RELAXED);
    for (uint32_t id = 0; id < cache_reached(); id++)
        table_close(id);
    return cache_mode() == CACHE_TRUSTED || os_is_single_threaded() || os_fence_sequences();
}

/* release: what was done to the tables comes before their return; pairs with the load inside the sequences. */
static void cache_open(void)
{
    if (cache_mode() == CACHE_LOCKED) {
        for (uint32_t id = cache_reached(); id-- > 0;)
            if (cache_made[id])
                lock_drop(&cache_made[id]->lock);
        return;
    }
    for (uint32_t id = 0; id < cache_reached(); id++)
        if (cache_made[id])
            table_open(id);
    __atomic_store_n(&cache_closed, false, __ATOMIC_RELAXED);
}

/* ---- what is done with tables that are ours ---- */

static uint32_t list_length(const struct block *block)
{
    uint32_t n = 0;
    for (; block; block = block->next)
        n++;
    return n;
}

/* Joins the two lists of a class into *all, which the caller gives to the arenas when no lock of a table is held any more. */
static void table_list_collect(struct table_list *list, uint32_t left, struct list *all)
{
    struct block *block = list->head;
    list->head = NULL;
    list->left = left;
    while (block) {
        struct block *next = block->next;
        list_push(all, block);
        block = next;
    }
}

static void table_collect(struct table *table, struct list *all)
{
    for (uint32_t class = 1; class < SIZE_CLASSES; class++) {
        uint32_t first = table_cap_first(class);
        table_list_collect(&table->active[class], first, all);
        table_list_collect(&table->spare[class], 0, all);
        __atomic_store_n(&table->active[class].cap, first, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&table->granted, 0, __ATOMIC_RELAXED);
}

bool cache_drain(void)
{
    struct list all = {0};
    if (cache_mode() == CACHE_NOT_STARTED)
        return true;
    lock_take(&cache_lock);
    bool ours = cache_close();
    if (ours)
        for (uint32_t id = 0; id < cache_reached(); id++)
            if (cache_made[id])
                table_collect(cache_made[id], &all);
    cache_open();
    lock_drop(&cache_lock);
    arena_give(all, 0);
    return ours;
}

/* ---- decay ---- */

static bool table_is_idle(const struct table *table)
{
    return __atomic_load_n(&table->misses, __ATOMIC_RELAXED) == table->misses_at_tick;
}

/* No thread has missed in it since the last tick, or the heap has shrunk far below what its lists may hold. */
static bool table_is_due(const struct table *table)
{
    if (!table || table->granted == 0)
        return false;
    return table_is_idle(table) ||
           __atomic_load_n(&table->granted, __ATOMIC_RELAXED) > 2 * cache_grant_bound();
}

/* Tables that are due are emptied; one barrier serves them all. */
static void decay_tables(struct list *all)
{
    bool due = false;
    for (uint32_t id = 0; id < cache_reached() && !due; id++)
        due = table_is_due(cache_made[id]);
    if (!due)
        return;
    bool ours = cache_close();
    for (uint32_t id = 0; ours && id < cache_reached(); id++)
        if (table_is_due(cache_made[id]))
            table_collect(cache_made[id], all);
    cache_open();
}

/* The spares of this processor that were not needed since the last tick. */
static void decay_spares(struct table *table)
{
    for (uint32_t class = 1; class < SIZE_CLASSES; class++) {
        if (__atomic_exchange_n(&table->spare_used[class], 0, __ATOMIC_RELAXED))
            continue;
        struct list list = {0};
        if (__atomic_load_n(&table->spare[class].head, __ATOMIC_RELAXED) &&
            sequence_take(TABLE_SPARE + table_offset(class), 0, &list.head, &list.count))
            arena_give(list, class);
    }
}

void cache_decay(void)
{
    struct list all = {0};
    if (!lock_try(&cache_lock))
        return;
    if (cache_mode() != CACHE_LOCKED) {
        uint32_t id = cache_index_now();
        if (id < cache_reached() && cache_made[id])
            decay_spares(cache_made[id]);
    }
    decay_tables(&all);
    for (uint32_t id = 0; id < cache_reached(); id++)
        if (cache_made[id])
            cache_made[id]->misses_at_tick = __atomic_load_n(&cache_made[id]->misses, __ATOMIC_RELAXED);
    lock_drop(&cache_lock);
    arena_give(all, 0);
}

/* ---- fork ---- */

bool cache_fork_close(void)
{
    if (cache_mode() != CACHE_LOCKED)
        return cache_close(); /* cache_lock is held: cache_lock_all */
    for (uint32_t id = 0; id < cache_reached(); id++)
        if (cache_made[id])
            lock_fork_take(&cache_made[id]->lock);
    return true;
}

void cache_fork_open(void)
{
    if (cache_mode() != CACHE_LOCKED) {
        cache_open();
        return;
    }
    for (uint32_t id = cache_reached(); id-- > 0;)
        if (cache_made[id])
            lock_fork_drop(&cache_made[id]->lock);
}

void cache_fork_forget(void)
{
    for (uint32_t id = 0; id < cache_reached(); id++) {
        struct table *table = cache_made[id];
        if (!table)
            continue;
        for (uint32_t class = 1; class < SIZE_CLASSES; class++) {
            lost_blocks += table->active[class].cap - table->active[class].left;
            lost_blocks += table->spare[class].left;
            table->active[class].head = table->spare[class].head = NULL;
            table->active[class].left = table->active[class].cap;
            table->spare[class].left = 0;
        }
    }
}

void cache_lock_all(void) { lock_fork_take(&cache_lock); }

void cache_unlock_all(void) { lock_fork_drop(&cache_lock); }

void cache_reset_locks(void)
{
    lock_fork_reset(&cache_lock);
    for (uint32_t id = 0; id < cache_reached(); id++)
        if (cache_made[id])
            lock_fork_reset(&cache_made[id]->lock);
}

/* ---- numbers and checks ---- */

void cache_numbers(struct cache_numbers *numbers)
{
    *numbers = (struct cache_numbers){0};
    if (cache_mode() == CACHE_NOT_STARTED)
        return;
    lock_take(&cache_lock);
    numbers->exact = cache_close();
    numbers->lost_blocks = lost_blocks;
    for (uint32_t id = 0; id < cache_reached(); id++) {
        struct table *table = cache_made[id];
        if (!table)
            continue;
        numbers->tables++;
        numbers->misses += __atomic_load_n(&table->misses, __ATOMIC_RELAXED);
        for (uint32_t class = 1; numbers->exact && class < SIZE_CLASSES; class++) {
            uint32_t n = list_length(table->active[class].head) + list_length(table->spare[class].head);
            numbers->class_blocks[class] += n;
            numbers->blocks += n;
            numbers->bytes += n * size_bytes(class);
        }
    }
    cache_open();
    lock_drop(&cache_lock);
}

const char *cache_check(void)
{
    const char *wrong = NULL;
    if (cache_mode() == CACHE_NOT_STARTED)
        return NULL;
    lock_take(&cache_lock);
    bool ours = cache_close();
    for (uint32_t id = 0; ours && id < cache_reached() && !wrong; id++) {
        struct table *table = cache_made[id];
        for (uint32_t class = 1; table && class < SIZE_CLASSES && !wrong; class++) {
            for (int spare = 0; spare < 2 && !wrong; spare++) {
                struct block *block = spare ? table->spare[class].head : table->active[class].head;
                for (; block && !wrong; block = block->next) {
                    struct owner *owner = map_find(block);
                    uintptr_t i = owner && owner->kind == OWNER_CHUNK ? chunk_granule((struct chunk *)owner, block) : CHUNK_GRANULES;
                    if (i >= CHUNK_GRANULES || !bits_test(((struct chunk *)owner)->occupied, (uint32_t)i))
                        wrong = "a list holds what is no block";
                    else if (bounds_next(&(struct bounds){.boundary = ((struct chunk *)owner)->boundary}, (uint32_t)i) - i !=
                             size_granules(class))
                        wrong = "a list holds a block of another size";
                }
            }
        }
    }
    cache_open();
    lock_drop(&cache_lock);
    return wrong;
}
