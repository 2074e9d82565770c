/* Giving pages back: what is dirty, for how long, and how much of it may be.
 *
 * The kernel is asked without the lock: the run is taken as if for a block, so nobody else can have it, the lock is dropped,
 * the kernel called, the lock retaken, and the run given back clean. Ticks come from slow paths (no thread, no signal); an
 * idle process makes none, and then the bound that held when it last freed is what is promised. */
#include "base/bitmap.h"
#include "base/log.h"
#include "os/clock.h"
#include "os/pages.h"
#include "span/area.h"

enum {
    TICK_MS = 500,               /* dirt stays for one tick to two */
    IDLE_MS = 1000,              /* a tick that comes so late finds nothing young: nobody left the fast path for so long */
    BOUND_LIVE_EXTRA = 4 << 20,  /* measured: a quarter of what is used and 4 MiB, at most 32 MiB; */
    BOUND_LIVE_MAX = 32 << 20,   /* or the recent peak less what is used and 8 MiB, at most 64 MiB, */
    BOUND_PEAK_EXTRA = 8 << 20,  /* whichever is more */
    BOUND_PEAK_MAX = 64 << 20,
};

static uint64_t tick_due;    /* milliseconds; atomic, relaxed: who comes first makes the tick */
static uint32_t tick_number; /* atomic, relaxed */

uint32_t span_tick_number(void) { return __atomic_load_n(&tick_number, __ATOMIC_RELAXED); }

size_t purge_bound(void)
{
    if (span.dirty_bound)
        return span.dirty_bound;
    size_t used = span_used();
    size_t peak = span.peak_now > span.peak_before ? span.peak_now : span.peak_before;
    size_t by_live = used / 4 + BOUND_LIVE_EXTRA;
    size_t by_peak = peak - (used < peak ? used : peak) + BOUND_PEAK_EXTRA;
    by_live = by_live > BOUND_LIVE_MAX ? BOUND_LIVE_MAX : by_live;
    by_peak = by_peak > BOUND_PEAK_MAX ? BOUND_PEAK_MAX : by_peak;
    return by_live > by_peak ? by_live : by_peak;
}

/* Some systems accept the call and keep the page (emulators). The first purge of a process looks. */
static bool purge_checked(char *start, size_t size)
{
    if (span.purge_tried)
        return os_purge(start, size);
    span.purge_tried = true;
    volatile char *probe = start;
    *probe = 1;
    return os_purge(start, size) && *probe == 0;
}

/* Inside an area of huge pages nothing is purged until a quarter of it is free; then it is one of small pages, or the
 * kernel's own collector would fill the holes again. */
static bool area_may_purge(struct area *area)
{
    if (!area->huge)
        return true;
    if (area->used_pages > area->bounds.granules / 4 * 3)
        return false;
    os_advise_huge(area->start, (size_t)area->bounds.granules << os_page_shift, false);
    area->huge = false;
    return true;
}

/* The first run of dirty (and, if asked, old) pages at or after `from`, cut at `most`. */
static bool run_find(const struct area *area, uint32_t from, uint32_t most, bool old_only, uint32_t *at, uint32_t *pages)
{
    uint32_t end = area->bounds.granules;
    uint32_t i = bitmap_find(area->dirty, from, end, true);
    while (old_only && i < end && !bits_test(area->old, i)) {
        i = bitmap_find(area->old, i, end, true);
        i = bitmap_find(area->dirty, i, end, true);
    }
    if (i >= end)
        return false;
    uint32_t stop = bitmap_find(area->dirty, i, end, false);
    if (old_only) {
        uint32_t young = bitmap_find(area->old, i, stop, false);
        stop = young < stop ? young : stop;
    }
    *at = i;
    *pages = stop - i < most ? stop - i : most;
    return true;
}

static bool run_purge(struct area *area, uint32_t at, uint32_t pages)
{
    size_t bytes = (size_t)pages << os_page_shift;
    char *start = area->start + ((size_t)at << os_page_shift);
    if (!bounds_place_at(&area->bounds, at, pages))
        log_fatal("loam: dirty pages at %p are in use: the heap's own data is corrupt\n", (void *)start);
    area->dirty_pages -= bitmap_clear(area->dirty, at, at + pages);
    counter_sub(&span.numbers.dirty_bytes, bytes);
    area->used_pages += pages;
    area_update_longest(area);
    counter_add(&span.numbers.chunk_bytes, bytes); /* ours for the moment: keeps the sums true */
    lock_drop(&span_lock);
    bool purged = purge_checked(start, bytes);
    lock_take(&span_lock);
    counter_sub(&span.numbers.chunk_bytes, bytes);
    area_give(area, at, pages);
    if (purged) {
        span.numbers.purged_bytes += bytes;
    } else {
        area_mark_dirty(area, at, pages);
        span.purge_fails = true;
    }
    return purged;
}

/* Highest areas first: they are the ones to empty. An area may come or go while the lock is dropped, so each run begins with a
 * fresh look at the list. */
static bool purge_step(uint32_t *area_index, uint32_t *from, size_t excess, bool old_only)
{
    while (*area_index > 0) {
        if (*area_index > span.area_count)
            *area_index = span.area_count;
        if (*area_index == 0)
            return false;
        struct area *area = span.areas[*area_index - 1];
        uint32_t at, pages;
        uint32_t most = span_pages(excess, os_page_shift);
        if (area->dirty_pages > 0 && area_may_purge(area) && run_find(area, *from, most, old_only, &at, &pages)) {
            *from = at + pages;
            return run_purge(area, at, pages);
        }
        --*area_index;
        *from = 0;
    }
    return false;
}

size_t purge_down_to(size_t bytes, bool old_only)
{
    size_t before = span.numbers.purged_bytes;
    uint32_t area_index = span.area_count, from = 0;
    while (span.numbers.dirty_bytes > bytes && !span.purge_fails &&
           purge_step(&area_index, &from, span.numbers.dirty_bytes - bytes, old_only)) {
    }
    return span.numbers.purged_bytes - before;
}

void span_purge_excess(void)
{
    if (likely(!__atomic_load_n(&span.excess, __ATOMIC_RELAXED)) || !lock_try(&span_purge_lock))
        return;
    lock_take(&span_lock);
    kept_release();
    size_t bound = purge_bound();
    if (span.numbers.dirty_bytes > bound) {
        if (span.numbers.dirty_bytes - bound < bound / 4)
            bound -= bound / 4; /* not a system call for each free */
        purge_down_to(bound, true);
        purge_down_to(bound, false);
    }
    __atomic_store_n(&span.excess, false, __ATOMIC_RELAXED);
    lock_drop(&span_lock);
    lock_drop(&span_purge_lock);
}

enum span_tick span_tick(void)
{
    uint64_t now = os_milliseconds();
    uint64_t due = __atomic_load_n(&tick_due, __ATOMIC_RELAXED);
    if (likely(now < due))
        return SPAN_TICK_NONE;
    if (!__atomic_compare_exchange_n(&tick_due, &due, now + TICK_MS, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return SPAN_TICK_NONE;
    __atomic_fetch_add(&tick_number, 1, __ATOMIC_RELAXED);
    if (due == 0 || !lock_try(&span_purge_lock))
        return SPAN_TICK_NONE; /* the first one only starts the clock */
    bool idle = now - due >= IDLE_MS;
    lock_take(&span_lock);
    kept_release();
    purge_down_to(0, true);
    for (uint32_t i = 0; i < span.area_count; i++) {
        struct area *area = span.areas[i];
        memcpy(area->old, area->dirty, bounds_words(area->bounds.granules) * sizeof *area->old);
        area_purge_descriptors(area);
    }
    span.peak_before = span.peak_now;
    span.peak_now = span_used();
    lock_drop(&span_lock);
    lock_drop(&span_purge_lock);
    return idle ? SPAN_TICK_IDLE : SPAN_TICK_DUE;
}

size_t span_trim(void)
{
    lock_take(&span_purge_lock);
    lock_take(&span_lock);
    kept_release();
    size_t before = span.numbers.purged_bytes;
    span.peak_now = span.peak_before = span_used();
    for (uint32_t i = span.area_count; i > 0; i--) {
        struct area *area = i <= span.area_count ? span.areas[i - 1] : NULL;
        if (area && area->used_pages == 0)
            area_unmap(area);
        else if (area)
            area_purge_descriptors(area);
    }
    purge_down_to(0, false);
    size_t given = span.numbers.purged_bytes - before;
    lock_drop(&span_lock);
    lock_drop(&span_purge_lock);
    return given;
}
