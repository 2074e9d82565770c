/* Promise: the picture of `loam region-map` is true. It is read back: in each row live, free and slack cover the buffer
 * without gap or overlap, the sums beside it are theirs, what is live is what the operations left live, and where
 * neighbours were freed there is one free bar. Lines that make no sense are answered with words and status 2. */
#include "../../tools/loam/nearest.c"
#include "../../tools/loam/region_map.c"
#include "region_test.h"
#include <unistd.h>

enum { RECTS_MAX = 200000, ROWS_MAX = 700 };

struct rect {
    int class;
    size_t start, size;
    long from, to;
    char name[MAP_NAME];
};

static struct rect *rects;
static size_t rect_count;
static size_t sums[ROWS_MAX][3];
static long rows, refused[ROWS_MAX];
static int refused_count;

static int class_of(const char *name)
{
    for (int class = MAP_LIVE; class <= MAP_SLACK; class ++)
        if (strcmp(name, map_class_names[class]) == 0)
            return class;
    return -1;
}

static void read_picture(const char *path)
{
    static char line[1024];
    FILE *in = fopen(path, "r");
    CHECK(in != NULL);
    rect_count = 0;
    refused_count = 0;
    rows = -1;
    memset(sums, 0xff, sizeof sums);
    bool ended = false;
    while (fgets(line, sizeof line, in) != NULL) {
        struct rect *r = &rects[rect_count];
        char class[16];
        const char *head = strstr(line, "data-rows=\"");
        size_t sum;
        long row;
        memset(r, 0, sizeof *r);
        if (head != NULL)
            CHECK(sscanf(head, "data-rows=\"%ld\"", &rows) == 1 && rows <= ROWS_MAX);
        if (sscanf(line,
                   "<rect class=\"%15[a-z]\" data-start=\"%zu\" data-size=\"%zu\" data-from=\"%ld\" data-to=\"%ld\"",
                   class, &r->start, &r->size, &r->from, &r->to) == 5) {
            const char *title = strstr(line, "<title>live ");
            if (title != NULL)
                sscanf(title, "<title>live %31[^:]", r->name);
            r->class = class_of(class);
            CHECK(r->class >= 0 && ++rect_count < RECTS_MAX);
        } else if (sscanf(line, "<rect class=\"%15[a-z]\" data-row=\"%ld\" data-sum=\"%zu\"", class, &row, &sum) == 3) {
            CHECK(class_of(class) >= 0 && row >= 0 && row < rows);
            sums[row][class_of(class)] = sum;
        } else if (sscanf(line, "<rect class=\"refused\" data-line=\"%ld\"", &refused[refused_count]) == 1) {
            CHECK(++refused_count < ROWS_MAX);
        }
        ended = ended || strcmp(line, "</svg>\n") == 0;
    }
    fclose(in);
    CHECK(rows > 0 && rect_count > 0 && ended);
}

static int by_start(const void *a, const void *b)
{
    const struct rect *const *x = a, *const *y = b;
    return ((*x)->start > (*y)->start) - ((*x)->start < (*y)->start);
}

/* Row `row` covers `size` bytes exactly, and its sums are right. Returns the live bytes. */
static size_t check_row(long row, size_t size)
{
    static const struct rect *in_row[RECTS_MAX];
    size_t count = 0, at = 0, sum[3] = {0, 0, 0};
    for (size_t i = 0; i < rect_count; i++)
        if (rects[i].from <= row && row < rects[i].to)
            in_row[count++] = &rects[i];
    qsort(in_row, count, sizeof in_row[0], by_start);
    for (size_t i = 0; i < count; at += in_row[i++]->size) {
        if (in_row[i]->start != at)
            FAIL("row %ld: a bar starts at %zu, the one before it ends at %zu", row, in_row[i]->start, at);
        sum[in_row[i]->class] += in_row[i]->size;
    }
    CHECK_EQ(at, size);
    for (int class = MAP_LIVE; class <= MAP_SLACK; class ++)
        CHECK_EQ(sums[row][class], sum[class]);
    return sum[MAP_LIVE];
}

static const char ops_path[] = "region_map.ops", svg_path[] = "region_map.svg";

static int draw(const char *strategy, const char *size)
{
    char *argv[] = {(char[]){"region-map"},      (char[]){"--strategy"},      (char *)(uintptr_t)strategy,
                    (char[]){"--size"},          (char *)(uintptr_t)size,     (char[]){"-o"},
                    (char *)(uintptr_t)svg_path, (char *)(uintptr_t)ops_path, NULL};
    test_what = strategy;
    return command_region_map(8, argv);
}

static bool was_refused(long line)
{
    for (int i = 0; i < refused_count; i++)
        if (refused[i] == line)
            return true;
    return false;
}

/* Random operations; the live bytes of each row are counted here, too. */
static void test_random(const char *strategy)
{
    enum { STEPS = 500, NAMES = 30 };
    static size_t want[STEPS][NAMES]; /* what each operation asked: size of the name, 0 for a free */
    static int name[STEPS];
    struct random random;
    size_t live[NAMES] = {0};
    bool in_use[NAMES] = {false};
    random_seed(&random, test_seed);
    FILE *out = fopen(ops_path, "w");
    CHECK(out != NULL);
    memset(want, 0, sizeof want);
    for (int step = 0; step < STEPS; step++) {
        int n = name[step] = (int)random_below(&random, NAMES);
        size_t size = 1 + random_below(&random, strcmp(strategy, "cells") == 0 ? 64 : 600);
        uint32_t dice = random_below(&random, 3);
        if (!in_use[n] || dice == 0) {
            fprintf(out, in_use[n] ? "free n%d\n" : "alloc n%d %zu\n", n, size);
            want[step][n] = in_use[n] ? 0 : size;
            in_use[n] = !in_use[n];
        } else {
            fprintf(out, "resize n%d %zu\n", n, size);
            want[step][n] = size;
        }
    }
    fclose(out);
    /* After a refused alloc the name is not live, and alloc is no longer what the file should say: give enough room. */
    CHECK_EQ(draw(strategy, "400000"), 0);
    read_picture(svg_path);
    CHECK_EQ(rows, STEPS + 1);
    CHECK_EQ(refused_count, 0);
    CHECK_EQ(check_row(0, 400000), 0);
    for (int step = 0; step < STEPS; step++) {
        size_t sum = 0;
        live[name[step]] = want[step][name[step]];
        for (int n = 0; n < NAMES; n++)
            sum += live[n];
        CHECK_EQ(check_row(step + 1, 400000), sum);
    }
}

static void write_ops(const char *text)
{
    FILE *out = fopen(ops_path, "w");
    CHECK(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0);
}

static const struct rect *named(const char *name)
{
    for (size_t i = 0; i < rect_count; i++)
        if (strcmp(rects[i].name, name) == 0)
            return &rects[i];
    FAIL("there is no bar of %s", name);
}

/* b, d, then c go: afterwards one free bar lies over all three, and f, larger than each, is drawn in it. */
static void test_merging(const char *strategy)
{
    write_ops("alloc a 400\nalloc b 400\nalloc c 400\nalloc d 400\nalloc e 400\n"
              "free b\nfree d\nfree c\nalloc f 1100 # big\n");
    CHECK_EQ(draw(strategy, "8192"), 0);
    read_picture(svg_path);
    const struct rect *b = named("b"), *d = named("d"), *e = named("e"), *f = named("f"), *hole = NULL;
    CHECK_EQ(b->from, 2);
    CHECK_EQ(b->to, 6);
    CHECK(b->size == 400 && d->start > b->start && e->start > d->start);
    for (size_t i = 0; i < rect_count; i++)
        if (rects[i].class == MAP_FREE && rects[i].from == 8 && rects[i].start <= b->start &&
            rects[i].start + rects[i].size >= d->start + 400)
            hole = &rects[i];
    CHECK(hole != NULL && hole->start + hole->size <= e->start);
    CHECK(f->from == 9 && f->start >= b->start && f->start + 1100 <= e->start);
}

static void test_refused(void)
{
    write_ops("alloc a 1000\nalloc b 100000\nfree b\nresize b 5\nfree a\n\n# nothing\n");
    CHECK_EQ(draw("bitmap", "8192"), 0);
    read_picture(svg_path);
    CHECK_EQ(rows, 6);
    CHECK(refused_count == 3 && was_refused(2) && was_refused(3) && was_refused(4));
    static const char *const nonsense[] = {
        "alloc\n",     "alloc a\n", "alloc a b\n", "free\n", "steal a 5\n", "alloc a 5 8 9\n", "alloc a 5\nalloc a 6\n",
        "reset now\n", "free a 4\n"};
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        write_ops(nonsense[i]);
        if (draw("bitmap", "8192") != 2)
            FAIL("'%s' was not refused", nonsense[i]);
        CHECK(access(svg_path, F_OK) != 0);
    }
    write_ops("");
    CHECK_EQ(draw("bitmap", "10"), 1); /* too small for a region */
    CHECK_EQ(draw("heap", "8192"), 2); /* no such strategy */
    CHECK_EQ(draw("bitmap", "many"), 2);
    unlink(ops_path);
    CHECK_EQ(draw("bitmap", "8192"), 1); /* no such file */
}

int main(void)
{
    test_seed_read(1);
    rects = malloc(RECTS_MAX * sizeof *rects);
    CHECK(rects != NULL);
    for (int i = 0; map_strategies[i] != NULL; i++)
        test_random(map_strategies[i]);
    test_merging("blocks");
    test_merging("bitmap");
    test_refused();
    unlink(svg_path);
    free(rects);
    puts("(the messages above are those that were expected)");
    return 0;
}
