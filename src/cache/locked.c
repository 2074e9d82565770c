/* The same tables under a lock each: where the kernel gives no sequences, and with LOAM=rseq:off.
 *
 * A call works on the table of the processor it runs on, or on table 0 while the process has one thread; then the lock is
 * taken with plain stores, for nobody else can be there. A table that is held is not waited for at first: the next one does
 * as well. It is also the plainest statement of what the sequences do, and what ThreadSanitizer sees. */
#include "arena/arena.h"
#include "arena/transfer.h"
#include "cache/inside.h"
#include "guard/hook.h"
#include "os/cpu.h"
#include "span/span.h"

/* One thread: a held lock can only mean that a signal handler interrupted its own thread, or that the thread forks; false then. */
INLINE bool lock_alone_take(struct lock *lock)
{
    if (unlikely(lock->state != LOCK_FREE) || unlikely(__atomic_load_n(&lock_forking, __ATOMIC_RELAXED) != 0))
        return false;
    __atomic_store_n(&lock->state, LOCK_HELD, __ATOMIC_RELAXED);
    __atomic_store_n(&lock->owner, thread_pointer(), __ATOMIC_RELAXED);
    return true;
}

INLINE void lock_alone_drop(struct lock *lock)
{
    __atomic_store_n(&lock->owner, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&lock->state, LOCK_FREE, __ATOMIC_RELEASE);
}

/* Table 0 with its lock held, while there is one thread and nothing is unusual; else NULL. */
INLINE struct table *locked_table_alone(void)
{
    struct table *table = __atomic_load_n(&cache_made[0], __ATOMIC_ACQUIRE);
    return likely(os_is_single_threaded()) && likely(table) && likely(lock_alone_take(&table->lock)) ? table : NULL;
}

/* A table whose lock is held now. NULL: no memory for one. */
static struct table *locked_table(void)
{
    uint32_t count = cache_cpus() < TABLE_MAX ? cache_cpus() : TABLE_MAX;
    uint32_t id = os_is_single_threaded() ? 0 : os_cpu_current() % count;
    struct table *table = table_get(id);
    if (!table)
        return NULL;
    if (unlikely(!lock_try(&table->lock))) {
        struct table *next = count > 1 ? table_get(id + 1 < count ? id + 1 : 0) : NULL;
        if (next && next != table && lock_try(&next->lock))
            return next;
        lock_take(&table->lock);
    }
    return table;
}

/* The head is looked at without the lock, too (cache_has_at_head): relaxed. */
INLINE void list_set_head(struct table_list *list, struct block *head) { __atomic_store_n(&list->head, head, __ATOMIC_RELAXED); }

static struct block *locked_pop(struct table_list *list)
{
    struct block *block = list->head;
    if (block) {
        list_set_head(list, block->next);
        list->left++;
    }
    return block;
}

static void locked_refill(struct table *table, uint32_t class)
{
    struct table_list *active = &table->active[class], *spare = &table->spare[class];
    uint32_t cap = table_cap_grow(table, class);
    struct list list = {spare->head, spare->left};
    spare->head = NULL;
    spare->left = 0;
    if (list.head)
        table->spare_used[class] = 1;
    else
        list = transfer_take(class);
    if (!list.head)
        list = table_cut(table, class, cap);
    list_set_head(active, list.head);
    active->left = cap > list.count ? cap - list.count : 0;
}

static NOINLINE void *locked_alloc_slow(uint32_t class)
{
    struct table *table = locked_table();
    if (unlikely(!table)) {
        uint32_t arena = 0;
        return cache_alloc_past(class, &arena);
    }
    struct table_list *active = &table->active[class];
    struct block *block = locked_pop(active);
    if (likely(block)) {
        lock_drop(&table->lock);
        return block;
    }
    locked_refill(table, class);
    block = locked_pop(active);
    lock_drop(&table->lock);
    cache_tick();
    return block;
}

void *locked_alloc(uint32_t class)
{
    struct table *table = locked_table_alone();
    if (likely(table)) {
        struct block *block = locked_pop(&table->active[class]);
        lock_alone_drop(&table->lock);
        if (likely(block))
            return block;
    }
    return locked_alloc_slow(class);
}

struct block *locked_pop_only(uint32_t class)
{
    struct table *table = locked_table();
    if (unlikely(!table))
        return NULL;
    struct table_list *active = &table->active[class], *spare = &table->spare[class];
    if (!active->head && spare->head) {
        list_set_head(active, spare->head);
        active->left = active->cap > spare->left ? active->cap - spare->left : 0;
        spare->head = NULL;
        spare->left = 0;
    }
    struct block *block = locked_pop(active);
    lock_drop(&table->lock);
    return block;
}

static void locked_overflow(struct table *table, uint32_t class)
{
    struct table_list *active = &table->active[class], *spare = &table->spare[class];
    uint32_t count = active->cap - active->left;
    struct list list = {active->head, count};
    uint32_t cap = table_cap_grow(table, class);
    list_set_head(active, NULL);
    active->left = cap;
    if (!list.head)
        return;
    if (!spare->head) {
        spare->head = list.head;
        spare->left = list.count;
        table->spare_used[class] = 1;
    } else {
        cache_give_batch(class, list);
    }
}

INLINE void locked_push(struct table_list *list, struct block *block)
{
    block->next = list->head;
    list_set_head(list, block);
    list->left--;
}

static NOINLINE void locked_free_slow(struct block *block, uint32_t class)
{
    struct table *table = locked_table();
    if (unlikely(!table)) {
        cache_free_past(block);
        return;
    }
    struct table_list *active = &table->active[class];
    if (unlikely(active->head == block))
        guard_freed_twice("free", block);
    bool full = active->left == 0;
    if (full)
        locked_overflow(table, class);
    locked_push(active, block);
    lock_drop(&table->lock);
    if (full)
        cache_tick();
}

void locked_free(void *p, uint32_t class)
{
    struct block *block = p;
    struct table *table = locked_table_alone();
    if (likely(table)) {
        struct table_list *active = &table->active[class];
        bool usual = active->head != block && active->left != 0;
        if (likely(usual))
            locked_push(active, block);
        lock_alone_drop(&table->lock);
        if (likely(usual))
            return;
    }
    locked_free_slow(block, class);
}
