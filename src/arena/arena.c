/* Cutting batches from chunks, and giving them back to the bits. See arena.h for the promises.
 *
 * Measured, and why it is so: links are written after the unlock (a cut touches only descriptors, so holds stay short);
 * a refill looks into at most CARVE_CHUNKS chunks (best fit alone would visit one for each block in a fragmented heap);
 * one empty chunk stays with each arena, so that a program at the edge of a chunk does not go to span and back. */
#include "arena/arena.h"
#include "arena/inside.h"
#include "guard/hook.h"
#include "observe/hook.h"
#include "span/span.h"

enum {
    CARVE_CHUNKS = 8,
    CARVE_RUNS = 64,
    ONE_LOAD = 56,     /* granules whose bits one unaligned load is sure to show */
};

struct arena arenas[ARENA_MAX];
uint32_t arena_count = 1;
uint32_t arena_reached = 1;

static size_t occupied_peak, blocks_peak; /* atomic, relaxed */
static bool fast_path_allowed;            /* written before the first chunk */

void arena_allow_fast_path(bool allowed) { fast_path_allowed = allowed; }

static uint32_t wanted = 1, limit_set; /* atomic, relaxed */

static void arena_count_set(void)
{
    uint32_t count = __atomic_load_n(&wanted, __ATOMIC_RELAXED), limit = __atomic_load_n(&limit_set, __ATOMIC_RELAXED);
    count = limit && count > limit ? limit : count;
    count = count < 1 ? 1 : count > ARENA_MAX ? ARENA_MAX : count;
    uint32_t reached = __atomic_load_n(&arena_reached, __ATOMIC_RELAXED);
    while (count > reached &&
           !__atomic_compare_exchange_n(&arena_reached, &reached, count, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    __atomic_store_n(&arena_count, count, __ATOMIC_RELAXED);
}

void arena_use(uint32_t count)
{
    __atomic_store_n(&wanted, count, __ATOMIC_RELAXED);
    arena_count_set();
}

void arena_limit(uint32_t limit)
{
    __atomic_store_n(&limit_set, limit, __ATOMIC_RELAXED);
    arena_count_set();
}

static uint32_t arena_in_use(void) { return __atomic_load_n(&arena_count, __ATOMIC_RELAXED); }
static uint32_t arena_all(void) { return __atomic_load_n(&arena_reached, __ATOMIC_RELAXED); }

/* ---- chunks ---- */

void chunk_settle(struct arena *arena, struct chunk *chunk)
{
    uint32_t bin = bin_of(chunk->longest);
    if (bin == chunk->bin)
        return;
    bin_remove(arena, chunk);
    bin_insert(arena, chunk, bin, false);
}

NOINLINE struct chunk *chunk_new(struct arena *arena)
{
    struct area *area;
    void *descriptor;
    uint32_t clean;
    char *start = span_chunk_take(&area, &descriptor, &clean);
    if (!start)
        return NULL;
    struct chunk *chunk = descriptor;
    memset(chunk, 0, sizeof *chunk);
    chunk->owner = (struct owner){fast_path_allowed ? (uintptr_t)start : OWNER_NOT_A_CHUNK, OWNER_CHUNK};
    chunk->base = (uintptr_t)start;
    chunk->arena = arena;
    chunk->area = area;
    chunk->clean = clean;
    chunk->longest = CHUNK_GRANULES;
    chunk->numbers[0] = CHUNK_GRANULES;
    chunk->boundary[0] = 1;
    chunk->boundary[CHUNK_WORDS] = 1;
    map_change(start, SPAN_CHUNK, &chunk->owner);
    bin_insert(arena, chunk, bin_of(CHUNK_GRANULES), false);
    arena->chunks++;
    return chunk;
}

/* The chunk has no block. */
static void chunk_retire(struct arena *arena, struct chunk *chunk)
{
    bin_remove(arena, chunk);
    arena->chunks--;
    chunk->owner.fast_base = OWNER_NOT_A_CHUNK;
    span_chunk_give(chunk->area, (void *)chunk->base, chunk->clean);
}

/* After releases: where the chunk stands now. One that is empty goes, unless it is the arena's only empty one. */
static void chunk_released(struct arena *arena, struct chunk *chunk)
{
    chunk->stamp = span_tick_number();
    chunk->again = true;
    if (chunk->longest == CHUNK_GRANULES && chunk->bin != bin_of(CHUNK_GRANULES) && arena->bins[bin_of(CHUNK_GRANULES)])
        chunk_retire(arena, chunk);
    else
        chunk_settle(arena, chunk);
}

/* ---- cutting ---- */

struct cut {
    char *start;
    uint32_t count;
};

struct cuts {
    struct cut runs[CARVE_RUNS];
    uint32_t used;
    uint32_t blocks;
};

static void chunk_carve(struct arena *arena, struct chunk *chunk, uint32_t class, uint32_t g, uint32_t k, struct cuts *cuts)
{
    const struct bounds bounds = chunk_bounds(chunk);
    while (cuts->blocks < k && cuts->used < CARVE_RUNS) {
        uint32_t start;
        uint32_t n = bounds_place_run(&bounds, g, k - cuts->blocks, CACHE_LINE / GRANULE, &start);
        if (n == 0)
            break;
        if (g > SIZE_FINE)
            for (uint32_t i = 0; i < n; i++)
                chunk->large[(start + i * g) / BITS_WORD] = (uint8_t)class;
        chunk_touch(chunk, start, start + n * g);
        cuts->runs[cuts->used++] = (struct cut){chunk_address(chunk, start), n};
        cuts->blocks += n;
    }
    chunk->longest = (uint16_t)bounds_longest(&bounds);
    chunk_settle(arena, chunk);
}

static void peaks_raise(size_t *peak, size_t now)
{
    size_t was = __atomic_load_n(peak, __ATOMIC_RELAXED);
    while (now > was && !__atomic_compare_exchange_n(peak, &was, now, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

static void arena_carve(struct arena *arena, uint32_t class, uint32_t fresh, uint32_t k, struct cuts *cuts, bool grow)
{
    uint32_t g = size_granules(class);
    uint32_t before = cuts->blocks;
    for (uint32_t i = 0; i < CARVE_CHUNKS && cuts->blocks < k && cuts->used < CARVE_RUNS; i++) {
        struct chunk *chunk = bin_find(arena, bin_for(g));
        if (!chunk) {
            if (!grow || cuts->blocks > 0)
                break;
            chunk = chunk_new(arena);
            if (!chunk)
                break;
        }
        uint32_t most = chunk->again ? k : fresh;
        if (cuts->blocks >= most)
            break;
        chunk_carve(arena, chunk, class, g, most, cuts);
    }
    uint32_t cut = cuts->blocks - before;
    arena->carved[class] += cut;
    counter_add(&arena->blocks, cut);
    counter_add(&arena->occupied, (size_t)cut * g);
    observe_handed_out(&arena->handed, cut * size_bytes(class), size_bytes(class));
}

static struct list cuts_link(const struct cuts *cuts, size_t size)
{
    struct list list = {.count = cuts->blocks};
    struct block **tail = &list.head;
    for (uint32_t i = 0; i < cuts->used; i++) {
        char *at = cuts->runs[i].start;
        for (uint32_t n = cuts->runs[i].count; n > 0; n--, at += size) {
            struct block *block = (struct block *)(void *)at;
            *tail = block;
            tail = &block->next;
        }
    }
    *tail = NULL;
    return list;
}

NOINLINE struct arena *arena_lock_one(uint32_t *preferred)
{
    uint32_t count = arena_in_use();
    uint32_t first = *preferred < count ? *preferred : 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = first + i < count ? first + i : first + i - count;
        if (lock_try(&arenas[at].lock)) {
            *preferred = at;
            return &arenas[at];
        }
    }
    lock_take(&arenas[first].lock);
    return &arenas[first];
}

/* With `mine` locked: what the others have, if nobody holds them. */
static void arena_carve_others(const struct arena *mine, uint32_t class, uint32_t fresh, uint32_t k, struct cuts *cuts)
{
    uint32_t count = arena_all();
    for (uint32_t i = 0; i < count && cuts->blocks == 0; i++) {
        struct arena *other = &arenas[i];
        if (other == mine || !lock_try(&other->lock))
            continue;
        arena_carve(other, class, fresh, k, cuts, false);
        lock_drop(&other->lock);
    }
}

void arena_count_peak(void)
{
    size_t occupied = 0, blocks = 0;
    for (uint32_t i = 0; i < arena_all(); i++) { /* others' are read while they change: peaks are within their batches */
        occupied += counter_read(&arenas[i].occupied);
        blocks += counter_read(&arenas[i].blocks);
    }
    peaks_raise(&occupied_peak, occupied);
    peaks_raise(&blocks_peak, blocks);
}

void arena_peaks(size_t *granules, size_t *blocks)
{
    arena_count_peak();
    *granules = __atomic_load_n(&occupied_peak, __ATOMIC_RELAXED);
    *blocks = __atomic_load_n(&blocks_peak, __ATOMIC_RELAXED);
}

struct list arena_take(uint32_t *preferred, uint32_t class, uint32_t fresh, uint32_t k)
{
    struct cuts cuts;
    cuts.used = cuts.blocks = 0;
    struct arena *arena = arena_lock_one(preferred);
    arena_carve(arena, class, fresh, k, &cuts, false);
    if (unlikely(cuts.blocks == 0)) {
        if (arena_all() > 1)
            arena_carve_others(arena, class, fresh, k, &cuts);
        if (cuts.blocks == 0)
            arena_carve(arena, class, fresh, k, &cuts, true);
        arena_count_peak();
    }
    lock_drop(&arena->lock);
    return cuts_link(&cuts, size_bytes(class));
}

/* ---- giving back ---- */

/* Finds the chunk that a block in a list belongs to; anything else is a broken list. */
INLINE struct chunk *block_chunk(const struct block *block)
{
    struct owner *owner = map_owner(block);
    if (unlikely(owner->kind != OWNER_CHUNK || chunk_granule((struct chunk *)owner, block) >= CHUNK_GRANULES))
        guard_bad_block(block, "in a list of free blocks");
    return (struct chunk *)owner;
}

struct block *arena_list_next(const struct block *block)
{
    block_chunk(block);
    return block->next;
}

uint32_t arena_list_length(const struct block *block)
{
    enum { LONGEST = 1 << 20 }; /* far more than a list or a batch ever holds */
    uint32_t n = 0;
    for (; block; block = arena_list_next(block))
        if (++n > LONGEST)
            guard_bad_block(block, "in a list of free blocks, which runs in a circle,");
    return n;
}

/* A block's bits are cleared; the chunk's `loose` collects where. */
static NOINLINE void chunk_loosen_any(struct arena *arena, struct chunk *chunk, uint32_t i)
{
    const struct bounds bounds = chunk_bounds(chunk);
    if (unlikely(!bounds_is_block(&bounds, i)))
        guard_bad_block(chunk_address(chunk, i), "in a list of free blocks");
    uint32_t g = bounds_next(&bounds, i) - i;
    bounds_loosen(&bounds, i, g);
    chunk->loose |= bits_mask(i / BITS_WORD, (i + g - 1) / BITS_WORD - i / BITS_WORD + 1);
    counter_sub(&arena->blocks, 1);
    counter_sub(&arena->occupied, g);
}

/* A size whose blocks a batch is known to hold. */
struct small {
    uint32_t granules;  /* of each, at most ONE_LOAD; 0: any */
    uint32_t most;      /* so many side by side fit one load */
    uint64_t starts;    /* boundaries of blocks side by side */
};

static struct small small_of(uint32_t class)
{
    if (class == 0 || class > ONE_LOAD || LOAM_TSAN)
        return (struct small){0};
    uint64_t starts = 1;
    for (uint32_t step = class; step < BITS_WORD; step *= 2)
        starts |= starts << step;
    return (struct small){class, ONE_LOAD / class, starts};
}

/* The same for n blocks side by side of a known size: their boundary and occupied bits fit one unaligned load each. True if they are as
 * they should be. */
INLINE bool chunk_loosen_row(struct chunk *chunk, uint32_t i, const struct small *small, uint32_t n)
{
    uint32_t g = n * small->granules;
    uint64_t ends = bits_mask(0, g + 1);
    char *at = (char *)chunk->occupied + i / 8;
    uint64_t occupied = bits_load64(at), mask = bits_mask(0, g) << (i % 8);
    if (unlikely((bounds_window(chunk->boundary, i) & ends) != (small->starts & ends)) || unlikely((occupied & mask) != mask))
        return false;
    occupied &= ~mask;
    memcpy(at, &occupied, sizeof occupied);
    chunk->loose |= UINT64_C(1) << (i / BITS_WORD) | UINT64_C(1) << ((i + g - 1) / BITS_WORD);
    return true;
}

/* How many blocks of the list, from the one at granule *i on, lie side by side in the chunk, upwards or downwards. *next: the one after
 * them; *i: the lowest one's granule. */
INLINE uint32_t list_row(const struct chunk *chunk, const struct small *small, const struct block *block, struct block **next, uint32_t *i)
{
    uint32_t n = 1;
    intptr_t size = (intptr_t)small->granules << GRANULE_SHIFT, step = (intptr_t)*next - (intptr_t)block;
    if (step != size && step != -size)
        return 1;
    while (n < small->most && (intptr_t)*next - (intptr_t)block == step && chunk_granule(chunk, *next) < CHUNK_GRANULES) {
        block = *next;
        *next = block->next;
        n++;
    }
    if (step < 0)
        *i -= (n - 1) * small->granules;
    return n;
}

/* All blocks of the batch that lie in the chunk are loose: merge, and see where the chunk stands. */
static void chunk_merge(struct arena *arena, struct chunk *chunk)
{
    const struct bounds bounds = chunk_bounds(chunk);
    uint32_t seen = bounds_merge(&bounds, 0, chunk->loose), longest = chunk->longest;
    longest = seen > longest ? seen : longest;
    chunk->longest = (uint16_t)longest;
    chunk->loose = 0;
    chunk_released(arena, chunk);
}

/* Releases the blocks of one arena, whose lock is held; the others are put into *rest. Blocks that were handed out together
 * come back together: neighbours are loosened at once, and each chunk is merged once, however the batch jumps among chunks. */
static void arena_release(struct arena *arena, struct list list, const struct small *small, struct list *rest)
{
    struct chunk *open = NULL, *loosened = NULL;
    size_t count = 0;
    for (struct block *block = list.head, *next; block; block = next) {
        uintptr_t i = open ? chunk_granule(open, block) : CHUNK_GRANULES;
        if (unlikely(i >= CHUNK_GRANULES)) { /* another chunk's; found before it is read: its link may lead anywhere */
            struct chunk *chunk = block_chunk(block);
            if (__atomic_load_n(&chunk->arena, __ATOMIC_RELAXED) != arena) {
                next = block->next;
                list_push(rest, block);
                continue;
            }
            open = chunk;
            i = chunk_granule(chunk, block);
            if (chunk->loose == 0) {
                chunk->loose_next = loosened;
                loosened = chunk;
            }
        }
        next = block->next;
        __builtin_prefetch(next);
        if (unlikely(small->granules == 0)) {
            chunk_loosen_any(arena, open, (uint32_t)i);
            continue;
        }
        uint32_t first = (uint32_t)i;
        uint32_t n = list_row(open, small, block, &next, &first);
        if (likely(chunk_loosen_row(open, first, small, n)))
            count += n;
        else
            for (uint32_t k = 0; k < n; k++)
                chunk_loosen_any(arena, open, first + k * small->granules);
    }
    counter_sub(&arena->blocks, count);
    counter_sub(&arena->occupied, count * small->granules);
    for (struct chunk *next; loosened; loosened = next) {
        next = loosened->loose_next;
        chunk_merge(arena, loosened);
    }
}

void arena_give(struct list list, uint32_t class)
{
    const struct small small = small_of(class);
    while (list.head) {
        struct arena *arena = block_chunk(list.head)->arena;
        struct list rest = {0};
        lock_take(&arena->lock);
        arena_release(arena, list, &small, &rest);
        lock_drop(&arena->lock);
        list = rest;
    }
}

void arena_release_empty(void)
{
    for (uint32_t i = 0; i < arena_all(); i++) {
        struct arena *arena = &arenas[i];
        lock_take(&arena->lock);
        struct chunk *chunk;
        while ((chunk = arena->bins[bin_of(CHUNK_GRANULES)]))
            chunk_retire(arena, chunk);
        lock_drop(&arena->lock);
    }
}

struct bounds_segment arena_segment_of(struct chunk *chunk, uintptr_t address)
{
    const struct bounds bounds = chunk_bounds(chunk);
    struct arena *arena = chunk->arena;
    lock_take(&arena->lock);
    uint32_t i = (uint32_t)((address - chunk->base) >> GRANULE_SHIFT) % CHUNK_GRANULES;
    struct bounds_segment segment = bounds_segment_of(&bounds, i);
    lock_drop(&arena->lock);
    return segment;
}
