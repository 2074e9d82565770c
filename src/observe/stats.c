#include "observe/stats.h"
#include "arena/arena.h"
#include "arena/transfer.h"
#include "cache/cache.h"
#include "map/meta.h"
#include "os/pages.h"
#include "span/span.h"
#include <errno.h>
#include <string.h>

enum { BUSIEST = 5 };
struct lock stats_lock;
static_assert((int)LOAM_STATS_CLASSES == (int)SIZE_CLASSES, "the public numbers have a place for each class");

static void stats_fill_small(struct loam_stats *stats, const struct arena_numbers *arena, const struct cache_numbers *cache)
{
    size_t batch_blocks, batch_bytes;
    transfer_numbers(&batch_blocks, &batch_bytes);
    stats->tables = cache->tables;
    stats->exact = cache->exact;
    stats->list_misses = cache->misses;
    stats->lost_blocks = cache->lost_blocks;
    stats->lock_waits = arena->lock_waits;
    stats->cached_blocks = cache->blocks + batch_blocks;
    stats->cached_bytes = cache->bytes + batch_bytes;
    stats->chunks = arena->chunks;
    stats->peak_bytes = arena->occupied_peak;
    stats->peak_blocks = arena->blocks_peak;
    stats->live_blocks = arena->blocks > stats->cached_blocks ? arena->blocks - stats->cached_blocks : 0;
    stats->live_bytes = arena->occupied_bytes > stats->cached_bytes ? arena->occupied_bytes - stats->cached_bytes : 0;
    size_t free_bytes = arena->chunks * SPAN_CHUNK - arena->occupied_bytes;
    stats->untouched_bytes = arena->clean_bytes < free_bytes ? arena->clean_bytes : free_bytes;
    stats->free_in_chunks = free_bytes - stats->untouched_bytes;
}

void stats_collect(struct loam_stats *stats, bool quietly)
{
    static struct arena_numbers arena; /* 1.2 KiB each: too much for small stacks; under stats_lock */
    static struct cache_numbers cache;
    int error = errno;
    memset(stats, 0, sizeof *stats);
    lock_take(&stats_lock);
    cache_numbers(&cache, !quietly);
    arena_numbers(&arena);
    struct span_numbers span = span_numbers();
    struct meta_numbers meta = meta_numbers();
    stats_fill_small(stats, &arena, &cache);
    for (uint32_t class = 1; class < SIZE_CLASSES; class++) {
        stats->class_bytes[class] = size_bytes(class);
        stats->class_carved[class] = arena.carved[class];
    }
    arena_class_blocks(stats->class_live);
    for (uint32_t class = 1; class < SIZE_CLASSES; class++) {
        size_t held = cache.class_blocks[class] + transfer_class_blocks(class);
        stats->class_live[class] -= held < stats->class_live[class] ? held : stats->class_live[class];
    }
    lock_drop(&stats_lock);
    stats->large_blocks = span.large_blocks;
    stats->large_bytes = span.large_bytes;
    stats->direct_blocks = span.direct_blocks;
    stats->direct_bytes = span.direct_bytes;
    stats->live_blocks += span.large_blocks;
    stats->live_bytes += span.large_bytes;
    stats->peak_bytes = span.used_peak < stats->peak_bytes + span.large_peak ? span.used_peak : stats->peak_bytes + span.large_peak;
    stats->peak_blocks += span.large_blocks_peak;
    stats->dirty_bytes = span.dirty_bytes;
    stats->mapped_bytes = span.mapped;
    stats->mapped_peak = span.mapped_peak;
    stats->untouched_bytes += span.mapped - span.chunk_bytes - span.large_bytes - span.dirty_bytes;
    stats->areas = span.areas;
    stats->returned_bytes = span.purged_bytes;
    stats->metadata_bytes = meta.used - span.undescribed;
    stats->resident_bytes = quietly ? 0 : os_resident();
    size_t ours = stats->mapped_bytes - stats->untouched_bytes + stats->metadata_bytes;
    stats->not_ours_bytes = stats->resident_bytes > ours ? stats->resident_bytes - ours : 0;
    errno = error;
}

void loam_stats_get(struct loam_stats *stats) { stats_collect(stats, false); }

/* 1,536 -> "1.5 KiB", in a buffer of the caller's. */
struct amount {
    char text[24];
};
static struct amount amount(size_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    struct amount a;
    struct log_text text = {a.text, a.text + sizeof a.text - 1};
    size_t tenths = bytes, unit = 0;
    for (bool first = true; (first ? tenths : tenths / 10) >= 1024 && unit < 4; unit++) {
        tenths = first ? tenths * 10 / 1024 : tenths / 1024;
        first = false;
    }
    if (unit == 0)
        log_format(&text, "%zu B", bytes);
    else
        log_format(&text, "%zu.%zu %s", tenths / 10, tenths % 10, units[unit]);
    *text.at = 0;
    return a;
}

static void words_sizes(const struct loam_stats *stats, int fd)
{
    bool shown[LOAM_STATS_CLASSES] = {false};
    for (int n = 0; n < BUSIEST; n++) {
        uint32_t best = 0;
        for (uint32_t class = 1; class < LOAM_STATS_CLASSES; class++)
            if (!shown[class] && stats->class_carved[class] > stats->class_carved[best])
                best = class;
        if (best == 0)
            return;
        shown[best] = true;
        log_print(fd, "loam:   %8zu bytes: %zu blocks live, %lu cut from chunks\n", stats->class_bytes[best],
                  stats->class_live[best], (unsigned long)stats->class_carved[best]);
    }
}

void stats_words(const struct loam_stats *s, int fd)
{
    log_print(fd, "loam: live now    %s in %zu blocks (%zu of them over 32 KiB)\n", amount(s->live_bytes).text, s->live_blocks,
              s->large_blocks);
    log_print(fd, "loam: live peak   %s in %zu blocks, lists included\n", amount(s->peak_bytes).text, s->peak_blocks);
    log_print(fd, "loam: resident    %s, of which %s are not the heap's\n", amount(s->resident_bytes).text,
              amount(s->not_ours_bytes).text);
    log_print(fd, "loam: mapped      %s (peak %s): %zu areas, %zu chunks, %zu direct mappings\n", amount(s->mapped_bytes).text,
              amount(s->mapped_peak).text, s->areas, s->chunks, s->direct_blocks);
    log_print(fd, "loam: free        %s in chunks, %s dirty, %s not resident, %s given back so far\n",
              amount(s->free_in_chunks).text, amount(s->dirty_bytes).text, amount(s->untouched_bytes).text,
              amount(s->returned_bytes).text);
    log_print(fd, "loam: cached      %s in %zu blocks%s\n", amount(s->cached_bytes).text, s->cached_blocks,
              s->exact ? "" : " (other processors' lists not counted)");
    log_print(fd, "loam: metadata    %s; %u processors' tables (%s), %lu list misses, %lu lock waits\n",
              amount(s->metadata_bytes).text, s->tables, loam_mode(), (unsigned long)s->list_misses,
              (unsigned long)s->lock_waits);
    log_print(fd, "loam: busiest sizes\n");
    words_sizes(s, fd);
}

void loam_stats_print(int fd)
{
    struct loam_stats stats;
    loam_stats_get(&stats);
    stats_words(&stats, fd);
}
