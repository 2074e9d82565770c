/* No two processors write to one cache line of ours: their tables, the closed table, the shared words that every call reads, and
 * the arenas lie on lines of their own. Addresses are looked at, not times.
 *
 * What two processors' tables must not share is what the fast path writes: a list's head and `left`. What stands beside the
 * closed table is read by every call (the area's offset, the tables' places), and the closed table's `left` is written by
 * pushes that find it full. */
#include "api/names.h"
#include "arena/arena.h"
#include "cache/inside.h"
#include "unit.h"

enum { TABLES = 64, PIECES = TABLES + ARENA_MAX + 4 };

struct piece {
    uintptr_t start, end;
    const char *what;
    uint32_t number;
};
static struct piece pieces[PIECES];
static uint32_t count;

static void piece_add(const void *start, size_t size, const char *what, uint32_t number)
{
    EXPECT(count < PIECES);
    pieces[count++] = (struct piece){(uintptr_t)start, (uintptr_t)start + size, what, number};
}

static int by_start(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

/* NULL, or the first piece whose last line the next one begins in. */
static const struct piece *line_shared(struct piece *from, uint32_t n)
{
    qsort(from, n, sizeof *from, by_start);
    for (uint32_t i = 0; i + 1 < n; i++)
        if ((from[i].end - 1) / CACHE_LINE >= from[i + 1].start / CACHE_LINE)
            return &from[i];
    return NULL;
}

static void pieces_expect_apart(void)
{
    const struct piece *shared = line_shared(pieces, count);
    if (shared)
        FAIL("%s %u ends at %#lx, in the cache line in which %s %u begins (%#lx)", shared->what, shared->number,
             (unsigned long)shared->end, shared[1].what, shared[1].number, (unsigned long)shared[1].start);
}

static void lines(void *arg)
{
    (void)arg;
    API(free)(API(malloc)(1));
    for (uint32_t id = 0; id < TABLES; id++) {
        const struct table *table = table_get(id);
        EXPECT(table != NULL);
        EXPECT_EQ((uintptr_t)table % CACHE_LINE, 0);
        piece_add(table, sizeof *table, "the table of processor", id);
        API(free)(API(malloc)(16 * (1 + id))); /* other descriptors come between, as in a program */
    }
    for (uint32_t i = 0; i < ARENA_MAX; i++)
        piece_add(&arenas[i], sizeof arenas[i], "arena", i);
    piece_add(&sequence.closed, sizeof sequence.closed, "the closed table", 0);
    piece_add(&sequence, offsetof(struct sequence, closed), "what every sequence reads", 0);
    piece_add(&sequence.tables, sizeof sequence.tables, "where the tables are", 0);
    pieces_expect_apart();
    printf("  %u pieces, each on lines of its own\n", count);
}

/* The search itself: two pieces of which the second begins in the line where the first ends are found, others are not. */
static void search(void)
{
    struct piece two[2] = {{4096, 4096 + CACHE_LINE + 8, "a", 0},
                           {4096 + CACHE_LINE + 8, 4096 + 2 * CACHE_LINE, "b", 0}};
    EXPECT(line_shared(two, 2) != NULL);
    two[0].end = two[1].start = 4096 + CACHE_LINE;
    EXPECT(line_shared(two, 2) == NULL);
}

int main(void)
{
    search();
    unit_each_mode(lines, NULL);
    return 0;
}
