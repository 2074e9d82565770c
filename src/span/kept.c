/* Kept runs: freed blocks of 36 to 64 KiB (with pages of 4 KiB) stand ready, whole, for the next request for as many pages.
 *
 * A program that takes and frees such buffers by turns would merge each into its neighbours only to search for it and cut it out
 * again. A kept run is still a block in its area's bounds, so nobody else's; for everybody else it is free: it is counted among the
 * dirty bytes, `span_find` says that it is not in use, and to free it is a mistake. It stays for a tick at most, and all go into the
 * bounds when memory is short: before the heap grows, before a purge of what exceeds the bound, before a trim. Longer ones are not
 * kept: what is between them is what large buffers need (docs/decisions.md 27). */
#include "span/area.h"

enum {
    KEPT_EACH = 4,                  /* of one length */
    KEPT_PAGES = 16,                /* the longest, */
    KEPT_RUN_MAX = 64 << 10,        /* and in bytes */
    KEPT_MAX = 1 << 20,             /* bytes of all */
};

struct kept {
    struct area *area;
    uint32_t page;
};

/* All under span_lock. */
static struct kept kept[KEPT_PAGES][KEPT_EACH];
static uint8_t kept_count[KEPT_PAGES]; /* of the length index + 1; the last came last */
static size_t kept_all;                /* bytes */

static void kept_add(uint32_t pages, int sign)
{
    size_t bytes = (size_t)pages << os_page_shift;
    kept_count[pages - 1] = (uint8_t)(kept_count[pages - 1] + sign);
    if (sign > 0) {
        kept_all += bytes;
        counter_add(&span.numbers.dirty_bytes, bytes);
    } else {
        kept_all -= bytes;
        counter_sub(&span.numbers.dirty_bytes, bytes);
    }
}

size_t kept_bytes(void) { return kept_all; }

bool kept_holds(const struct area *area, uint32_t page, uint32_t pages)
{
    if (pages > KEPT_PAGES)
        return false;
    for (uint32_t i = 0; i < kept_count[pages - 1]; i++)
        if (kept[pages - 1][i].area == area && kept[pages - 1][i].page == page)
            return true;
    return false;
}

bool kept_put(struct area *area, uint32_t page, uint32_t pages)
{
    size_t bytes = (size_t)pages << os_page_shift;
    if (pages > KEPT_PAGES || bytes > KEPT_RUN_MAX || kept_all + bytes > KEPT_MAX || kept_count[pages - 1] == KEPT_EACH)
        return false;
    kept[pages - 1][kept_count[pages - 1]] = (struct kept){area, page};
    kept_add(pages, 1);
    return true;
}

int64_t kept_take(uint32_t pages, struct area **area)
{
    if (pages > KEPT_PAGES || kept_count[pages - 1] == 0)
        return -1;
    kept_add(pages, -1);
    struct kept *last = &kept[pages - 1][kept_count[pages - 1]];
    *area = last->area;
    return last->page;
}

bool kept_release(void)
{
    if (kept_all == 0)
        return false;
    for (uint32_t pages = 1; pages <= KEPT_PAGES; pages++)
        while (kept_count[pages - 1] > 0) {
            struct area *area;
            uint32_t page = (uint32_t)kept_take(pages, &area);
            area_mark_dirty(area, page, pages);
            area_give(area, page, pages);
        }
    return true;
}
