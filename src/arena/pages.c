/* Free pages inside chunks in use: given back to the kernel where they lie, and the arenas' numbers and checks.
 *
 * A run of whole free pages is taken as if for a block while the kernel is asked, so that the lock need not be held. */
#include "arena/arena.h"
#include "arena/bins.h"
#include "os/pages.h"
#include "span/span.h"

enum { PURGE_BATCH = 32 };
static uint16_t purge_pass; /* under span_purge_lock */

struct page_run {
    struct chunk *chunk;
    uint32_t page, pages;
};

static uint32_t page_granules(void) { return 1u << (os_page_shift - GRANULE_SHIFT); }

/* Takes the free pages of one chunk that are not clean, as far as there is room in the batch. */
static uint32_t chunk_collect(struct arena *arena, struct chunk *chunk, struct page_run *runs, uint32_t room)
{
    const struct bounds bounds = chunk_bounds(chunk);
    const uint32_t per_page = page_granules(), pages = CHUNK_GRANULES / per_page;
    uint32_t used = 0;
    for (uint32_t page = 0; page < pages && used < room;) {
        uint32_t n = 0;
        while (page + n < pages && !(chunk->clean >> (page + n) & 1)) {
            struct bounds_segment at = bounds_segment_of(&bounds, (page + n) * per_page);
            if (at.occupied || at.start + at.length < (page + n + 1) * per_page)
                break;
            n++;
        }
        if (n == 0) {
            page++;
            continue;
        }
        if (bounds_place_at(&bounds, page * per_page, n * per_page)) {
            runs[used++] = (struct page_run){chunk, page, n};
            chunk->purging++;
            counter_add(&arena->occupied, n * per_page);
        }
        page += n;
    }
    if (used > 0)
        chunk->longest = (uint16_t)bounds_longest(&bounds);
    return used;
}

/* A batch of runs from bin *bin on. A pass goes through the bins upwards; who has been looked at goes to the end of its bin, so a
 * bin is done when its head has been. */
static uint32_t arena_collect(struct arena *arena, bool all, uint16_t pass, uint32_t *bin, struct page_run *runs)
{
    uint32_t used = 0, tick = span_tick_number();
    while (*bin < ARENA_BINS && used < PURGE_BATCH) {
        struct chunk *chunk = arena->bins[*bin];
        if (!chunk || chunk->looked == pass) {
            ++*bin;
            continue;
        }
        chunk->looked = pass;
        if (chunk->purging == 0 && (all || chunk->stamp != tick))
            used += chunk_collect(arena, chunk, runs + used, PURGE_BATCH - used);
        bin_remove(arena, chunk);
        bin_insert(arena, chunk, bin_of(chunk->longest), true);
    }
    return used;
}

static void run_give(struct arena *arena, const struct page_run *run, bool purged)
{
    struct chunk *chunk = run->chunk;
    const struct bounds bounds = chunk_bounds(chunk);
    uint32_t per_page = page_granules();
    struct bounds_segment hole = bounds_release(&bounds, run->page * per_page, run->pages * per_page);
    if (hole.length > chunk->longest)
        chunk->longest = (uint16_t)hole.length;
    if (purged)
        chunk->clean |= (uint32_t)bits_mask(run->page, run->pages);
    chunk->purging--;
    counter_sub(&arena->occupied, run->pages * per_page);
    bin_remove(arena, chunk);
    bin_insert(arena, chunk, bin_of(chunk->longest), true);
}

static size_t arena_purge_one(struct arena *arena, bool all)
{
    struct page_run runs[PURGE_BATCH];
    size_t given = 0;
    uint32_t bin = bin_for(page_granules());
    for (;;) {
        lock_take(&arena->lock);
        uint32_t used = arena_collect(arena, all, purge_pass, &bin, runs);
        lock_drop(&arena->lock);
        if (used == 0)
            return given;
        bool purged[PURGE_BATCH];
        for (uint32_t i = 0; i < used; i++) {
            char *start = chunk_address(runs[i].chunk, runs[i].page * page_granules());
            size_t bytes = (size_t)runs[i].pages << os_page_shift;
            purged[i] = os_purge(start, bytes);
            given += purged[i] ? bytes : 0;
        }
        lock_take(&arena->lock);
        bool failed = false;
        for (uint32_t i = 0; i < used; i++) {
            run_give(arena, &runs[i], purged[i]);
            failed |= !purged[i];
        }
        lock_drop(&arena->lock);
        if (failed)
            return given; /* the kernel refuses: asking again would not end */
    }
}

size_t arena_purge(bool all)
{
    size_t given = 0;
    if (os_page > MAP_GRANULE / 2)
        return 0;
    if (all)
        lock_take(&span_purge_lock);
    else if (!lock_try(&span_purge_lock))
        return 0;
    purge_pass = purge_pass == UINT16_MAX ? 1 : (uint16_t)(purge_pass + 1);
    for (uint32_t i = 0; i < __atomic_load_n(&arena_reached, __ATOMIC_RELAXED); i++)
        given += arena_purge_one(&arenas[i], all);
    lock_drop(&span_purge_lock);
    return given;
}

/* ---- numbers and checks ---- */

static void arena_each_chunk(struct arena *arena, void (*visit)(struct chunk *chunk, void *arg), void *arg)
{
    for (uint32_t bin = 0; bin < ARENA_BINS; bin++) {
        struct chunk *head = arena->bins[bin];
        struct chunk *chunk = head;
        if (chunk)
            do {
                visit(chunk, arg);
                chunk = chunk->next;
            } while (chunk != head);
    }
}

static void chunk_count_clean(struct chunk *chunk, void *arg)
{
    *(size_t *)arg += (size_t)bits_count(chunk->clean) << os_page_shift;
}

void arena_numbers(struct arena_numbers *numbers)
{
    arena_peaks(&numbers->occupied_peak, &numbers->blocks_peak);
    numbers->occupied_peak <<= GRANULE_SHIFT;
    numbers->chunks = numbers->occupied_bytes = numbers->blocks = numbers->clean_bytes = 0;
    numbers->lock_waits = 0;
    memset(numbers->carved, 0, sizeof numbers->carved);
    for (uint32_t i = 0; i < __atomic_load_n(&arena_reached, __ATOMIC_RELAXED); i++) {
        struct arena *arena = &arenas[i];
        lock_take(&arena->lock);
        numbers->chunks += arena->chunks;
        numbers->occupied_bytes += arena->occupied << GRANULE_SHIFT;
        numbers->blocks += arena->blocks;
        numbers->lock_waits += __atomic_load_n(&arena->lock.waits, __ATOMIC_RELAXED);
        for (uint32_t class = 0; class < SIZE_CLASSES; class++)
            numbers->carved[class] += arena->carved[class];
        arena_each_chunk(arena, chunk_count_clean, &numbers->clean_bytes);
        lock_drop(&arena->lock);
    }
}

struct class_count {
    size_t *blocks;
};

static void chunk_count_classes(struct chunk *chunk, void *arg)
{
    size_t *blocks = ((struct class_count *)arg)->blocks;
    const struct bounds bounds = chunk_bounds(chunk);
    for (uint32_t i = 0; i < CHUNK_GRANULES;) {
        uint32_t end = bounds_next(&bounds, i);
        if (!bounds_is_free(&bounds, i) && end - i <= SIZE_MAX_GRANULES)
            blocks[size_class_of(end - i)]++;
        i = end;
    }
}

void arena_class_blocks(size_t *blocks)
{
    struct class_count count = {blocks};
    for (uint32_t i = 0; i < __atomic_load_n(&arena_reached, __ATOMIC_RELAXED); i++) {
        lock_take(&arenas[i].lock);
        arena_each_chunk(&arenas[i], chunk_count_classes, &count);
        lock_drop(&arenas[i].lock);
    }
}

/* Those in use when it began: one that has never been used has nothing to guard, and its page would be copied for each child. */
static uint32_t forking_arenas;

void arena_lock_all(void)
{
    forking_arenas = __atomic_load_n(&arena_reached, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < forking_arenas; i++)
        lock_fork_take(&arenas[i].lock);
}

void arena_unlock_all(void)
{
    for (uint32_t i = 0; i < forking_arenas; i++)
        lock_fork_drop(&arenas[i].lock);
}

void arena_reset_locks(void)
{
    for (uint32_t i = 0; i < forking_arenas; i++)
        lock_fork_reset(&arenas[i].lock);
}

struct check {
    const char *wrong;
    size_t occupied, chunks;
};

static void chunk_check(struct chunk *chunk, void *arg)
{
    struct check *check = arg;
    const struct bounds bounds = chunk_bounds(chunk);
    const char *wrong = bounds_check(&bounds);
    for (uint32_t w = 0; w < CHUNK_WORDS; w++)
        check->occupied += bits_count(chunk->occupied[w]);
    check->chunks++;
    if (!wrong && chunk->longest != bounds_longest(&bounds))
        wrong = "a chunk's longest hole is not that of its bounds";
    if (!wrong && chunk->bin != bin_of(chunk->longest))
        wrong = "a chunk is in the wrong bin";
    if (!wrong && map_find((void *)chunk->base) != &chunk->owner)
        wrong = "the map does not lead to a chunk";
    uint32_t per_page = page_granules();
    for (uint32_t page = 0; !wrong && page < CHUNK_GRANULES / per_page; page++)
        if (chunk->clean >> page & 1) {
            struct bounds_segment at = bounds_segment_of(&bounds, page * per_page);
            if (at.occupied || at.start + at.length < (page + 1) * per_page)
                wrong = "a page in use is called clean";
        }
    if (!check->wrong)
        check->wrong = wrong;
}

const char *arena_check(void)
{
    for (uint32_t i = 0; i < __atomic_load_n(&arena_reached, __ATOMIC_RELAXED); i++) {
        struct arena *arena = &arenas[i];
        struct check check = {0};
        lock_take(&arena->lock);
        arena_each_chunk(arena, chunk_check, &check);
        if (!check.wrong && check.occupied != arena->occupied)
            check.wrong = "an arena's count of occupied granules is wrong";
        if (!check.wrong && check.chunks != arena->chunks)
            check.wrong = "an arena's count of chunks is wrong";
        lock_drop(&arena->lock);
        if (check.wrong)
            return check.wrong;
    }
    return NULL;
}
