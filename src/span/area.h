/* Inside of span: areas, and the state that its files share. All under span_lock unless it says otherwise. */
#ifndef LOAM_SPAN_AREA_H
#define LOAM_SPAN_AREA_H

#include "base/counter.h"
#include "bounds/bounds.h"
#include "os/pages.h"
#include "span/span.h"

enum {
    AREA_MIN = 256 << 10,      /* bytes of the first area, and the least of any that is made for runs */
    AREA_MAX = 64 << 20,       /* bytes of the largest: 16,384 pages of 4 KiB */
    AREA_PAGES_MAX = 16384,
    AREA_POOL_PAGES_MIN = 64,  /* descriptors come in sizes for 64, 128, ... 16,384 pages */
    AREA_POOLS = 9,
    HUGE_PAGE = 2 << 20,
    HUGE_FROM = 1 << 30,       /* bytes mapped from which new areas ask for huge pages (docs/decisions.md) */
};

struct area {
    struct owner owner;
    void *pool_link;       /* meta's */
    char *start;           /* multiple of MAP_GRANULE; constant */
    struct bounds bounds;  /* a granule is a page */
    uint64_t *dirty;       /* bit a page: free, and may be resident */
    uint64_t *old;         /* bit a page: was dirty at the last tick; means something only together with dirty */
    char *descriptors;     /* SPAN_DESCRIPTOR bytes for each MAP_GRANULE of the area; constant */
    uint64_t *chunks;      /* bit a place: a chunk is there */
    uint64_t *described;   /* bit a place: its descriptor may be resident */
    uint32_t dirty_pages;  /* bits set in dirty */
    uint32_t used_pages;
    uint32_t pool;         /* which pool the descriptor came from; constant */
    bool huge;             /* huge pages asked for */
};

struct direct {
    struct owner owner;
    void *pool_link; /* meta's */
    char *start;     /* multiple of MAP_GRANULE */
    size_t size;     /* mapped bytes, whole pages */
    struct direct *next;
    struct direct *previous;
};

struct span_state {
    struct area **areas;      /* by address */
    uint16_t *longest;        /* of each: its longest hole in pages; searched, so that areas without room are not touched */
    uint32_t area_count;
    uint32_t area_room;       /* of the two arrays */
    struct direct *directs;   /* list of all */
    struct span_numbers numbers;
    size_t area_bytes;        /* mapped in areas */
    size_t peak_now;          /* most used bytes since the last tick */
    size_t peak_before;       /* in the tick before */
    size_t direct_threshold;  /* set by the user; 0 adaptive */
    size_t dirty_bound;       /* set by the user; 0 adaptive */
    bool excess;              /* more dirt than the bound when last counted; read without the lock, relaxed */
    bool purge_tried;         /* a first purge has been checked */
    bool purge_fails;         /* the kernel does not take pages back here: never asked again */
    uint32_t unmap_fails;     /* areas that could not be unmapped (too many mappings) */
};
extern struct span_state span;

INLINE uint32_t span_pages(size_t bytes, uint32_t shift) { return (uint32_t)((bytes + ((size_t)1 << shift) - 1) >> shift); }
INLINE uint32_t area_page(const struct area *area, const void *p)
{
    return (uint32_t)((size_t)((const char *)p - area->start) >> os_page_shift);
}
INLINE size_t span_used(void) { return span.numbers.chunk_bytes + span.numbers.large_bytes; }

/* Accounts for a change of what is handed out and keeps the peaks. */
void span_count_peak(void);

/* An area over [start, start+size), all free; clean or dirty. NULL: no memory for its descriptor. */
struct area *area_adopt(char *start, size_t size, bool dirty);
/* Takes `pages` at the lowest place that fits, `align` in pages. -1 if no area has room; else the page's index in *area. */
int64_t area_take(uint32_t pages, uint32_t align, struct area **area, uint32_t *dirty);
/* The same, mapping a new area where none has room. */
int64_t area_take_grow(uint32_t pages, uint32_t align, struct area **area, uint32_t *dirty);
void area_give(struct area *area, uint32_t page, uint32_t pages);
void area_mark_dirty(struct area *area, uint32_t page, uint32_t pages);
void area_update_longest(const struct area *area);
/* Bytes of the area's places for descriptors that are not resident. */
size_t area_undescribed(const struct area *area);
/* Purges descriptors of places that have no chunk, where they cover whole pages. Returns bytes. */
size_t area_purge_descriptors(struct area *area);
/* Unmaps an area that has no block. False if the kernel refuses. */
bool area_unmap(struct area *area);

/* kept.c. Whether the run was kept, instead of being given back to its area's bounds. */
bool kept_put(struct area *area, uint32_t page, uint32_t pages);
/* One of that length, which is dirty; -1 if none is kept. */
int64_t kept_take(uint32_t pages, struct area **area);
/* The run of `pages` from `page` on is kept: nobody's. */
bool kept_holds(const struct area *area, uint32_t page, uint32_t pages);
/* All are given back to their areas' bounds. False if there was none. */
bool kept_release(void);
size_t kept_bytes(void);

/* direct.c */
size_t direct_threshold(void);
void *direct_alloc(size_t size, size_t align);
void direct_free(struct direct *direct);
void *direct_resize(struct direct *direct, size_t size);

/* purge.c: with span_lock and span_purge_lock held; drops and retakes the former. */
size_t purge_bound(void);
size_t purge_down_to(size_t bytes, bool old_only);

#endif
