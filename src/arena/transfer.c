#include "arena/transfer.h"
#include "arena/arena.h"
#include "span/span.h"

enum {
    COUNT_SHIFT = 48,
    ALL_MIN = 1024 << 10,    /* bytes in all: a 16th of what is used, within these, */
    ALL_MID = 2 << 20,       /* and a 64th of a large heap */
    CLASS_PART = 2,          /* of that for one class */
};

struct batch {
    struct batch *next;      /* of its blocks; really a struct block */
    uint64_t next_batch;     /* address of the next batch, its length above */
};

/* One class; under its lock. */
struct transfer {
    struct lock lock;
    struct batch *top;
    uint32_t top_count;      /* length of the first batch */
    uint32_t batches;
    uint32_t unused;         /* the fewest batches there were since the last tick */
    uint32_t blocks;         /* by the batches' lengths as they were told, which may drift (cache/table.h): for the bound only */
};

static struct transfer transfers[SIZE_CLASSES];
static size_t transfer_bytes; /* atomic, relaxed: a bound, not a balance */

static size_t transfer_bound(void)
{
    size_t used = span_used_racy();
    size_t small = used / 16 < ALL_MIN ? ALL_MIN : used / 16 > ALL_MID ? ALL_MID : used / 16;
    return used / 64 > small ? used / 64 : small;
}

/* Under the lock; those who only look whether there is something read it without. */
static void transfer_set_top(struct transfer *t, struct batch *batch) { __atomic_store_n(&t->top, batch, __ATOMIC_RELAXED); }

bool transfer_put(uint32_t class, struct list list)
{
    struct transfer *t = &transfers[class];
    size_t bytes = size_bytes(class) * list.count;
    size_t bound = transfer_bound();
    if (list.count > UINT16_MAX || __atomic_load_n(&transfer_bytes, __ATOMIC_RELAXED) + bytes > bound)
        return false;
    lock_take(&t->lock);
    bool fits = t->blocks * size_bytes(class) + bytes <= bound / CLASS_PART;
    if (fits) {
        struct batch *batch = (struct batch *)list.head;
        batch->next_batch = (uint64_t)(uintptr_t)t->top | (uint64_t)t->top_count << COUNT_SHIFT;
        transfer_set_top(t, batch);
        t->top_count = list.count;
        t->batches++;
        t->blocks += list.count;
        __atomic_fetch_add(&transfer_bytes, bytes, __ATOMIC_RELAXED);
    }
    lock_drop(&t->lock);
    return fits;
}

static struct batch *batch_after(const struct batch *batch)
{
    return (struct batch *)(uintptr_t)(batch->next_batch & ((UINT64_C(1) << COUNT_SHIFT) - 1));
}

static struct list transfer_pop(struct transfer *t, uint32_t class)
{
    struct batch *batch = t->top;
    struct list list = {(struct block *)batch, t->top_count};
    transfer_set_top(t, batch_after(batch));
    t->top_count = (uint32_t)(batch->next_batch >> COUNT_SHIFT);
    t->batches--;
    t->blocks -= list.count;
    __atomic_fetch_sub(&transfer_bytes, size_bytes(class) * list.count, __ATOMIC_RELAXED);
    if (t->batches < t->unused)
        t->unused = t->batches;
    return list;
}

struct list transfer_take(uint32_t class)
{
    struct transfer *t = &transfers[class];
    struct list list = {0};
    if (!__atomic_load_n(&t->top, __ATOMIC_RELAXED)) /* a racy look: a batch missed is one cut from an arena */
        return list;
    lock_take(&t->lock);
    if (t->top)
        list = transfer_pop(t, class);
    lock_drop(&t->lock);
    return list;
}

static void transfer_flush(struct transfer *t, uint32_t class, uint32_t keep)
{
    for (;;) {
        struct list list = {0};
        lock_take(&t->lock);
        if (t->batches > keep)
            list = transfer_pop(t, class);
        lock_drop(&t->lock);
        if (!list.head)
            return;
        arena_give(list, class);
    }
}

void transfer_decay(void)
{
    for (uint32_t class = 1; class < SIZE_CLASSES; class++) {
        struct transfer *t = &transfers[class];
        if (!__atomic_load_n(&t->top, __ATOMIC_RELAXED))
            continue;
        lock_take(&t->lock);
        uint32_t keep = t->batches - t->unused;
        t->unused = keep;
        lock_drop(&t->lock);
        transfer_flush(t, class, keep);
    }
}

void transfer_drain(void)
{
    for (uint32_t class = 1; class < SIZE_CLASSES; class++)
        transfer_flush(&transfers[class], class, 0);
}

void transfer_numbers(size_t *blocks, size_t *bytes)
{
    *blocks = *bytes = 0;
    for (uint32_t class = 1; class < SIZE_CLASSES; class++) {
        size_t n = transfer_class_blocks(class);
        *blocks += n;
        *bytes += n * size_bytes(class);
    }
}

/* Counted block by block: lengths may have drifted. */
size_t transfer_class_blocks(uint32_t class)
{
    size_t blocks = 0;
    lock_take(&transfers[class].lock);
    for (const struct batch *batch = transfers[class].top; batch; batch = batch_after(batch))
        blocks += arena_list_length((const struct block *)batch);
    lock_drop(&transfers[class].lock);
    return blocks;
}

void transfer_lock_all(void)
{
    for (uint32_t class = 0; class < SIZE_CLASSES; class++)
        lock_fork_take(&transfers[class].lock);
}

void transfer_unlock_all(void)
{
    for (uint32_t class = 0; class < SIZE_CLASSES; class++)
        lock_fork_drop(&transfers[class].lock);
}

void transfer_reset_locks(void)
{
    for (uint32_t class = 0; class < SIZE_CLASSES; class++)
        lock_fork_reset(&transfers[class].lock);
}
