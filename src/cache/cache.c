/* Starting, tables, and the way behind the lists when there are sequences. See cache.h. */
#include "cache/cache.h"
#include "arena/arena.h"
#include "arena/transfer.h"
#include "cache/inside.h"
#include "guard/hook.h"
#include "map/meta.h"
#include "os/cpu.h"
#include "span/span.h"
#include <sys/auxv.h>

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#endif

enum {
    RSEQ_CPU_ID = 4,
    RSEQ_MM_CID = 24,
    RSEQ_WITH_MM_CID = 28,   /* feature size from which the kernel writes mm_cid */
    GRANT_MIN = 1024 << 10,  /* bytes that one processor's lists may hold: an eighth of its share of the heap, within these; */
    GRANT_MAX = 8 << 20,
    GRANT_ALL = 8 << 20,     /* but where there are many, the least is their part of this, */
    GRANT_LEAST = 64 << 10,  /* or that */
};

/* The C library's registration (glibc 2.35 and later). */
extern const ptrdiff_t rseq_offset_glibc __asm__("__rseq_offset") __attribute__((weak));
extern const unsigned int rseq_size_glibc __asm__("__rseq_size") __attribute__((weak));

struct sequence sequence;
struct lock cache_lock;
struct table *cache_made[TABLE_MAX];
bool cache_closed;
bool cache_locked;

static enum cache_mode mode;     /* written once before the first block; relaxed */
static const char *why_locked;
static uint32_t tables_made;     /* under cache_lock; read relaxed */
static uint32_t cpus;            /* that the process may use; set once at the start */
static uint32_t reached;         /* under cache_lock; read with acquire */

/* ---- starting ---- */

static const char *sequences_missing(enum cache_wish wish)
{
    if (wish == CACHE_WISH_LOCKED)
        return "the option rseq:off asks for locks";
    if (!&rseq_offset_glibc || !&rseq_size_glibc)
        return "this C library registers no restartable sequences (glibc has since 2.35)";
    if (rseq_size_glibc == 0)
        return "the C library could not register restartable sequences (kernel, sandbox, emulator or tunable)";
    return NULL;
}

/* An area that looks as the kernel's does for a thread on processor 0; for CACHE_TRUSTED. */
static struct {
    uint32_t words[8];
} __attribute__((aligned(32))) trusted_area;

void cache_start(enum cache_wish wish)
{
    cpus = os_cpus_usable(); /* now: a sandbox may forbid it later */
    if (wish == CACHE_WISH_TRUSTED) {
        arena_allow_fast_path(true);
        sequence.area = (intptr_t)((uintptr_t)&trusted_area - thread_pointer());
        sequence.index = sequence.area + RSEQ_MM_CID;
        mode = CACHE_TRUSTED;
        why_locked = NULL;
        return;
    }
    why_locked = sequences_missing(wish);
    if (why_locked) {
        mode = CACHE_LOCKED;
        __atomic_store_n(&cache_locked, true, __ATOMIC_RELEASE); /* what stands above comes before it */
        return;
    }
    arena_allow_fast_path(true);
    bool compact = getauxval(AT_RSEQ_FEATURE_SIZE) >= RSEQ_WITH_MM_CID;
    sequence.index = rseq_offset_glibc + (compact ? RSEQ_MM_CID : RSEQ_CPU_ID);
    mode = CACHE_SEQUENCES;
    __atomic_store_n(&sequence.area, rseq_offset_glibc, __ATOMIC_RELEASE); /* last */
}

enum cache_mode cache_mode(void) { return mode; }
const char *cache_why_locked(void) { return why_locked; }

/* ---- tables ---- */

static struct table *table_make(uint32_t id)
{
    struct table *table = meta_alloc(sizeof *table);
    if (!table)
        return NULL;
    table->id = id;
    table->arena = id;
    for (uint32_t class = 1; class < SIZE_CLASSES; class++) {
        table->active[class].cap = table_cap_first(class);
        table->spare[class].cap = table_spare_first(class);
    }
    return table;
}

uint32_t cache_reached(void) { return __atomic_load_n(&reached, __ATOMIC_ACQUIRE); }

COLD struct table *table_get_new(uint32_t id)
{
    if (id >= TABLE_MAX)
        return NULL;
    lock_take(&cache_lock);
    struct table *table = cache_made[id];
    if (!table && (table = table_make(id))) {
        __atomic_store_n(&cache_made[id], table, __ATOMIC_RELEASE);
        __atomic_store_n(&tables_made, tables_made + 1, __ATOMIC_RELAXED);
        if (tables_made == 2)
            arena_use(cpus);
        if (id >= reached)
            __atomic_store_n(&reached, id + 1, __ATOMIC_RELEASE);
        if (!cache_closed)
            table_open(id);
    }
    lock_drop(&cache_lock);
    return table;
}

uint32_t cache_index_now(void)
{
    const char *tp = (const char *)thread_pointer();
    int32_t cpu = *(const volatile int32_t *)(const void *)(tp + sequence.area + RSEQ_CPU_ID);
    uint32_t index = *(const volatile uint32_t *)(const void *)(tp + sequence.index);
    return cpu < 0 ? UINT32_MAX : index;
}

/* What one processor's lists may hold: an eighth of its share of the heap, within bounds. */
size_t cache_grant_bound(void)
{
    uint32_t made = __atomic_load_n(&tables_made, __ATOMIC_RELAXED);
    made = made ? made : 1;
    size_t share = span_used_racy() / 8 / made, least = GRANT_ALL / made;
    least = least > GRANT_MIN ? GRANT_MIN : least < GRANT_LEAST ? GRANT_LEAST : least;
    return share < least ? least : share > GRANT_MAX ? GRANT_MAX : share;
}

uint32_t table_cap_grow(struct table *table, uint32_t class)
{
    enum { LOOK_AGAIN = 64 };
    uint32_t cap = __atomic_load_n(&table->active[class].cap, __ATOMIC_RELAXED);
    uint32_t most = table_cap_max(class);
    uint64_t misses = __atomic_load_n(&table->misses, __ATOMIC_RELAXED);
    __atomic_store_n(&table->misses, misses + 1, __ATOMIC_RELAXED); /* may lose one */
    if (misses % LOOK_AGAIN == 0)
        __atomic_store_n(&table->grant, cache_grant_bound(), __ATOMIC_RELAXED);
    if (cap >= most)
        return cap;
    uint32_t more = cap * 2 < most ? cap * 2 : most;
    size_t bytes = 2 * (size_t)(more - cap) * size_bytes(class);
    if (__atomic_load_n(&table->granted, __ATOMIC_RELAXED) + bytes > __atomic_load_n(&table->grant, __ATOMIC_RELAXED))
        return cap;
    __atomic_fetch_add(&table->granted, bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&table->active[class].cap, more, __ATOMIC_RELAXED);
    __atomic_store_n(&table->spare[class].cap, 1, __ATOMIC_RELAXED);
    return more;
}

/* What is cut together for one size is not cut for what the program allocates beside it: large batches of sizes that are seldom asked
 * for scatter its neighbours over more pages. Those of the size it asks for most bring neighbours together, and fewer calls. So a
 * class gets of each window of memory the part that it had of what was cut since its last batch, and not more than twice that batch.
 * Where blocks were given back before, neighbours are scattered already, and larger batches pay (docs/decisions.md 7, 17). */
enum {
    CUT_WINDOW = 64 << 10,  /* bytes */
    CUT_FIRST = 2 << 10,    /* the first batch of a class, */
    CUT_LEAST = 512,        /* and the bounds of those that follow; */
    CUT_MOST = 32 << 10,
    CUT_AGAIN = 8 << 10,    /* at least so much from chunks to which something was given back */
};

static uint32_t cut_bytes(const struct table *table, uint32_t class, uint32_t cut)
{
    uint32_t last = __atomic_load_n(&table->cut_last[class], __ATOMIC_RELAXED);
    if (last == 0)
        return CUT_FIRST;
    uint32_t since = cut - __atomic_load_n(&table->cut_at[class], __ATOMIC_RELAXED);
    uint64_t bytes = (uint64_t)last * CUT_WINDOW / (since | 1);
    bytes = bytes > 2 * last ? 2 * last : bytes;
    return bytes < CUT_LEAST ? CUT_LEAST : bytes > CUT_MOST ? CUT_MOST : (uint32_t)bytes;
}

struct list table_cut(struct table *table, uint32_t class, uint32_t cap)
{
    uint32_t arena = __atomic_load_n(&table->arena, __ATOMIC_RELAXED), was = arena;
    uint32_t cut = __atomic_load_n(&table->cut, __ATOMIC_RELAXED);
    uint32_t bytes = cut_bytes(table, class, cut), again = bytes > CUT_AGAIN ? bytes : CUT_AGAIN;
    struct list list = arena_take(&arena, class, table_refill(cap, class, bytes), table_refill(cap, class, again));
    uint32_t got = list.count * (uint32_t)size_bytes(class);
    if (arena != was)
        __atomic_store_n(&table->arena, arena, __ATOMIC_RELAXED);
    __atomic_store_n(&table->cut_at[class], cut, __ATOMIC_RELAXED);
    __atomic_store_n(&table->cut_last[class], got, __ATOMIC_RELAXED);
    __atomic_store_n(&table->cut, cut + got, __ATOMIC_RELAXED);
    return list;
}

/* The end of a miss: every eighth looks at the clock. */
static void miss_end(struct table *table)
{
    enum { SELDOM = 8 };
    if (unlikely(__atomic_load_n(&table->misses, __ATOMIC_RELAXED) % SELDOM == 0))
        cache_tick();
    else
        span_purge_excess();
}

/* ---- past the lists ---- */

void *cache_alloc_past(uint32_t class, uint32_t *arena) { return arena_take(arena, class, 1, 1).head; }

void cache_free_past(struct block *block)
{
    block->next = NULL;
    arena_give((struct list){block, 1}, 0);
}

void cache_give_batch(uint32_t class, struct list list)
{
    if (list.count < 2 || !transfer_put(class, list))
        arena_give(list, class);
}

void cache_tick(void)
{
    enum span_tick tick = span_tick();
    if (unlikely(tick == SPAN_TICK_DUE)) {
        cache_decay(false);
        transfer_decay();
        arena_purge(false);
    } else if (unlikely(tick == SPAN_TICK_IDLE)) {
        cache_decay(true);
        transfer_drain();
        arena_purge(true);
        span_trim();
    }
    span_purge_excess();
}

/* ---- refill and overflow, by sequences ---- */

/* Puts a batch where it fits: the active list, the spare, transfer, the arenas. */
static void batch_install(uint32_t class, struct list list, uint32_t cap)
{
    if (!list.head)
        return;
    if (sequence_install(table_place(class), list.head, cap > list.count ? cap - list.count : 0))
        return;
    if (sequence_install(TABLE_SPARE + table_place(class), list.head, list.count))
        return;
    cache_give_batch(class, list);
}

static struct list batch_ready(struct table *table, uint32_t class)
{
    struct list list = {0};
    if (__atomic_load_n(&table->spare[class].head, __ATOMIC_RELAXED) && /* racy: the sequence looks again */
        sequence_take(TABLE_SPARE + table_place(class), 0, &list.head, &list.count) && list.head)
        __atomic_store_n(&table->spare_used[class], 1, __ATOMIC_RELAXED);
    else
        list = transfer_take(class);
    if (list.head && list.count == 0)
        list.count = 1; /* lengths may drift (table.h) */
    return list;
}

struct block *cache_pop_ready(struct table *table, uint32_t class)
{
    struct list list = batch_ready(table, class);
    if (!list.head)
        return NULL;
    struct block *block = list_pop(&list);
    batch_install(class, list, __atomic_load_n(&table->active[class].cap, __ATOMIC_RELAXED));
    return block;
}

static void *refill(struct table *table, uint32_t class)
{
    uint32_t cap = table_cap_grow(table, class);
    struct list list = batch_ready(table, class);
    if (!list.head)
        list = table_cut(table, class, cap);
    if (!list.head)
        return NULL;
    struct block *block = list_pop(&list);
    batch_install(class, list, cap);
    miss_end(table);
    return block;
}

NOINLINE void *cache_alloc_slow(uint32_t class)
{
    if (mode == CACHE_LOCKED)
        return locked_alloc(class);
    struct table *table = table_get(cache_index_now());
    uint32_t arena = 0;
    if (unlikely(!table) || unlikely(__atomic_load_n(&cache_closed, __ATOMIC_RELAXED)))
        return cache_alloc_past(class, &arena);
    if (unlikely(__atomic_load_n(&table->active[class].head, __ATOMIC_RELAXED) != NULL)) { /* we were restarted, or moved */
        void *block = sequence_pop_again(table_place(class));
        if (block)
            return block;
    }
    return refill(table, class);
}

/* The list was full: it is taken away whole, and the block begins the next one. */
static bool overflow(struct table *table, struct block *block, uint32_t class)
{
    uint32_t was = __atomic_load_n(&table->active[class].cap, __ATOMIC_RELAXED);
    uint32_t cap = table_cap_grow(table, class);
    struct list list = {0};
    uint32_t left;
    if (!sequence_take(table_place(class), cap, &list.head, &left))
        return false;
    if (unlikely(list.head == block))
        guard_freed_twice("free", block);
    if (list.head) {
        list.count = left < was ? was - left : was;
        if (sequence_install(TABLE_SPARE + table_place(class), list.head, list.count))
            __atomic_store_n(&table->spare_used[class], 1, __ATOMIC_RELAXED);
        else
            cache_give_batch(class, list);
        miss_end(table);
    }
    return sequence_push_again(class, block) == SEQUENCE_DONE;
}

NOINLINE void cache_free_slow(void *block, uint32_t class)
{
    if (mode == CACHE_LOCKED) {
        locked_free(block, class);
        return;
    }
    struct table *table = table_get(cache_index_now());
    if (likely(table) && likely(!__atomic_load_n(&cache_closed, __ATOMIC_RELAXED))) {
        enum sequence_result result = SEQUENCE_SLOW;
        if ((int32_t)__atomic_load_n(&table->active[class].left, __ATOMIC_RELAXED) > 0) /* it was only restarted, or moved */
            result = sequence_push_again(class, block);
        if (unlikely(result == SEQUENCE_TWICE))
            guard_freed_twice("free", block);
        if (result == SEQUENCE_DONE || overflow(table, block, class))
            return;
    }
    __atomic_store_n(&sequence.closed.active[class].left, 0, __ATOMIC_RELAXED); /* pushes count it down: never to the other end */
    cache_free_past(block);
}

bool cache_has_at_head(const void *block, uint32_t class)
{
    uint32_t index = mode == CACHE_LOCKED ? (os_is_single_threaded() ? 0 : os_cpu_current()) : cache_index_now();
    struct table *table = index < TABLE_MAX ? __atomic_load_n(&cache_made[index], __ATOMIC_ACQUIRE) : NULL;
    return table && __atomic_load_n(&table->active[class].head, __ATOMIC_RELAXED) == block;
}

uint32_t cache_cpus(void) { return cpus; }
