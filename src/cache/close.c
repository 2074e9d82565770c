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

/* Joins the two lists of a class into *all, which the caller gives to the arenas when no lock of a table is held any more. */
static void table_list_collect(struct table_list *list, uint32_t left, struct list *all)
{
    struct block *block = list->head;
    __atomic_store_n(&list->head, NULL, __ATOMIC_RELAXED); /* pairs with cache_has_at_head */
    list->left = left;
    while (block) {
        struct block *next = arena_list_next(block);
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

/* The lists of this processor that were not needed since the last tick; all of them, if asked, or if the heap has shrunk far below what
 * they may hold. By sequences: no barrier, which a sandbox may forbid, so idle processors' tables stay as they are until a trim. */
static void decay_own(struct table *table, bool all)
{
    all |= __atomic_load_n(&table->granted, __ATOMIC_RELAXED) > 2 * cache_grant_bound();
    for (uint32_t class = 1; class < SIZE_CLASSES; class++) {
        uint32_t first = table_cap_first(class);
        struct list list = {0};
        bool used = __atomic_exchange_n(&table->spare_used[class], 0, __ATOMIC_RELAXED);
        if ((all || !used) && __atomic_load_n(&table->spare[class].head, __ATOMIC_RELAXED) &&
            sequence_take(TABLE_SPARE + table_place(class), 0, &list.head, &list.count))
            arena_give(list, class);
        if (!all)
            continue;
        __atomic_store_n(&table->active[class].cap, first, __ATOMIC_RELAXED);
        if (sequence_take(table_place(class), first, &list.head, &list.count) && list.head)
            arena_give(list, class);
    }
    if (all)
        __atomic_store_n(&table->granted, 0, __ATOMIC_RELAXED);
}

/* Locked mode: the same for every table that nobody holds. */
static void decay_locked(struct table *table, bool whole, struct list *all)
{
    if (!lock_try(&table->lock))
        return;
    bool idle = __atomic_load_n(&table->misses, __ATOMIC_RELAXED) == table->misses_at_tick;
    if (whole || idle || table->granted > 2 * cache_grant_bound())
        table_collect(table, all);
    for (uint32_t class = 1; class < SIZE_CLASSES; class++) {
        if (!table->spare_used[class])
            table_list_collect(&table->spare[class], 0, all);
        table->spare_used[class] = 0;
    }
    table->misses_at_tick = __atomic_load_n(&table->misses, __ATOMIC_RELAXED);
    lock_drop(&table->lock);
}

void cache_decay(bool whole)
{
    struct list all = {0};
    if (!lock_try(&cache_lock))
        return;
    if (cache_mode() != CACHE_LOCKED) {
        uint32_t id = cache_index_now();
        if (id < cache_reached() && cache_made[id])
            decay_own(cache_made[id], whole);
    }
    for (uint32_t id = 0; cache_mode() == CACHE_LOCKED && id < cache_reached(); id++)
        if (cache_made[id])
            decay_locked(cache_made[id], whole, &all);
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

static uint32_t list_estimate(const struct table_list *list, bool spare)
{
    uint32_t left = __atomic_load_n(&list->left, __ATOMIC_RELAXED), cap = __atomic_load_n(&list->cap, __ATOMIC_RELAXED);
    if (!__atomic_load_n(&list->head, __ATOMIC_RELAXED))
        return 0;
    return spare ? left : left < cap ? cap - left : cap;
}

static void table_count(const struct table *table, bool ours, struct cache_numbers *numbers)
{
    numbers->tables++;
    numbers->misses += __atomic_load_n(&table->misses, __ATOMIC_RELAXED);
    for (uint32_t class = 1; class < SIZE_CLASSES; class++) {
        const struct table_list *active = &table->active[class], *spare = &table->spare[class];
        uint32_t n = ours ? arena_list_length(active->head) + arena_list_length(spare->head)
                          : list_estimate(active, false) + list_estimate(spare, true);
        numbers->class_blocks[class] += n;
        numbers->blocks += n;
        numbers->bytes += n * size_bytes(class);
    }
}

void cache_numbers(struct cache_numbers *numbers, bool exactly)
{
    *numbers = (struct cache_numbers){0};
    if (cache_mode() == CACHE_NOT_STARTED)
        return;
    exactly = exactly || cache_mode() == CACHE_LOCKED || os_is_single_threaded();
    lock_take(&cache_lock);
    bool ours = exactly && cache_close();
    numbers->exact = ours;
    numbers->lost_blocks = lost_blocks;
    for (uint32_t id = 0; id < cache_reached(); id++)
        if (cache_made[id])
            table_count(cache_made[id], ours, numbers);
    if (exactly)
        cache_open();
    lock_drop(&cache_lock);
}

static const char *list_check(const struct block *block, uint32_t class)
{
    enum { LONGEST = 1 << 20 }; /* far more than a list ever holds */
    for (uint32_t n = 0; block; block = block->next) {
        struct owner *owner = map_owner(block);
        struct chunk *chunk = (struct chunk *)owner;
        uintptr_t i = owner->kind == OWNER_CHUNK ? chunk_granule(chunk, block) : CHUNK_GRANULES;
        if (i >= CHUNK_GRANULES)
            return "a list holds what is no block";
        const struct bounds bounds = chunk_bounds(chunk);
        if (!bounds_is_block(&bounds, (uint32_t)i))
            return "a list holds what is no block";
        if (bounds_next(&bounds, (uint32_t)i) - i != size_granules(class))
            return "a list holds a block of another size";
        if (++n > LONGEST)
            return "a list runs in a circle";
    }
    return NULL;
}

const char *cache_check(void)
{
    const char *wrong = NULL;
    if (cache_mode() == CACHE_NOT_STARTED)
        return NULL;
    lock_take(&cache_lock);
    bool ours = cache_close();
    for (uint32_t id = 0; ours && id < cache_reached() && !wrong; id++) {
        const struct table *table = cache_made[id];
        for (uint32_t class = 1; table && class < SIZE_CLASSES && !wrong; class++) {
            wrong = list_check(table->active[class].head, class);
            if (!wrong)
                wrong = list_check(table->spare[class].head, class);
        }
    }
    cache_open();
    lock_drop(&cache_lock);
    return wrong;
}
