/* loam region-map: a picture of a region's memory over time, for a file of operations. For seeing how a strategy splits,
 * merges, and where it wastes.
 *
 * The picture is SVG: to the right go addresses, downwards operations, a row each. A block is one rectangle from the row in
 * which it appeared to the row in which it went, so a life is a bar and a merge is where bars meet. Three classes: live
 * (what was asked for), free, slack (rounding, headers, the region's own data). Beside it stand the sums of each row.
 * Each rectangle carries its numbers (data-start, data-size, data-from, data-to), so a program can read the picture back.
 *
 * Operations, one a line; # begins a comment:
 *     alloc NAME SIZE [ALIGNMENT]      free NAME      resize NAME SIZE      reset
 * A refused one keeps its row (class refused) and is reported on stderr; a line that makes no sense ends it with status 2.
 *
 * The region stands over a buffer of its own. Walking a bitmap region merges all that is free, so its lists of recently
 * freed blocks are not seen at work here. Called by the command's main; tests/region/region_map.c takes this file in. */
#include "command.h"

#include <loam/region.h>

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAP_LEFT = 70,
    MAP_WIDTH = 900,
    MAP_SUMS = 160,
    MAP_TOP = 40,
    MAP_NAMES = 4096,
    MAP_NAME = 32,
    MAP_LINE = 4096,
    MAP_ROWS = 20000
};

enum map_class { MAP_LIVE, MAP_FREE, MAP_SLACK };
static const char *const map_class_names[] = {"live", "free", "slack"};
static const char *const map_strategies[] = {"bump", "cells", "blocks", "buddy", "bitmap", NULL};

struct map_block { /* what the file calls by a name */
    char name[MAP_NAME];
    char *start; /* NULL: not live */
    size_t size; /* as asked for */
};

struct map_span { /* a stretch of the buffer in a row */
    size_t start, size;
    enum map_class class;
    int block; /* index of the live block, or -1 */
    long from; /* the row in which it appeared */
};

struct map {
    loam_region *region;
    char *buffer;
    size_t size;
    FILE *out;
    double row_height;
    struct map_block blocks[MAP_NAMES];
    int block_count;
    struct map_span *now, *before; /* the spans of this row and of the last one */
    size_t now_count, before_count, room;
    size_t at; /* while walking: how far the row is covered */
    long row;
};

/* ---- writing ---- */

static double map_x(const struct map *m, size_t position)
{
    return MAP_LEFT + (double)position * MAP_WIDTH / (double)m->size;
}

static void map_write_head(const struct map *m, const char *strategy, long rows)
{
    double height = MAP_TOP + (double)rows * m->row_height + 30;
    fprintf(
        m->out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" data-strategy=\"%s\" data-size=\"%zu\" "
        "data-rows=\"%ld\">\n"
        "<style>text{font:11px sans-serif} rect{stroke:#fff;stroke-width:.4} .live{fill:#2f7ed8} .free{fill:#d9ead3} "
        ".slack{fill:#999} .refused{fill:#c00} .sums rect{stroke:none}</style>\n"
        "<text x=\"%d\" y=\"16\">%s, %zu bytes: addresses to the right, operations downwards; blue live, green free, grey "
        "slack</text>\n<g class=\"map\">\n",
        MAP_LEFT + MAP_WIDTH + MAP_SUMS + 40, height, strategy, m->size, rows, MAP_LEFT, strategy, m->size);
}

static void map_write_span(const struct map *m, const struct map_span *span)
{
    double x = map_x(m, span->start), y = MAP_TOP + (double)span->from * m->row_height;
    fprintf(
        m->out,
        "<rect class=\"%s\" data-start=\"%zu\" data-size=\"%zu\" data-from=\"%ld\" data-to=\"%ld\" x=\"%.2f\" y=\"%.2f\" "
        "width=\"%.2f\" height=\"%.2f\">",
        map_class_names[span->class], span->start, span->size, span->from, m->row, x, y,
        map_x(m, span->start + span->size) - x, (double)(m->row - span->from) * m->row_height);
    fprintf(m->out, "<title>%s%s%s: %zu bytes at %zu, rows %ld to %ld</title></rect>\n", map_class_names[span->class],
            span->block >= 0 ? " " : "", span->block >= 0 ? m->blocks[span->block].name : "", span->size, span->start,
            span->from, m->row - 1);
}

static void map_write_tail(const struct map *m, char *const *sums, long rows)
{
    fprintf(m->out, "</g>\n<g class=\"sums\">\n");
    for (long row = 0; row < rows; row++)
        fputs(sums[row], m->out);
    fprintf(m->out, "</g>\n</svg>\n");
}

/* The sums of the row as SVG text: three bars side by side. NULL: no memory. */
static char *map_sums(const struct map *m)
{
    size_t sum[3] = {0, 0, 0};
    char *text = malloc(640);
    for (size_t i = 0; i < m->now_count; i++)
        sum[m->now[i].class] += m->now[i].size;
    double x = MAP_LEFT + MAP_WIDTH + 20, y = MAP_TOP + (double)m->row * m->row_height;
    int length = 0;
    for (int class = MAP_LIVE; class <= MAP_SLACK && text != NULL; class ++) {
        double width = (double)sum[class] * MAP_SUMS / (double)m->size;
        length += snprintf(text + length, 640 - (size_t)length,
                           "<rect class=\"%s\" data-row=\"%ld\" data-sum=\"%zu\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
                           "height=\"%.2f\"/>\n",
                           map_class_names[class], m->row, sum[class], x, y, width, m->row_height);
        x += width;
    }
    return text;
}

/* ---- a row ---- */

static void map_add(struct map *m, size_t size, enum map_class class, int block)
{
    if (size == 0)
        return;
    if (m->now_count < m->room)
        m->now[m->now_count++] = (struct map_span){m->at, size, class, block, m->row};
    m->at += size;
}

static int map_block_at(const struct map *m, const char *start)
{
    for (int i = 0; i < m->block_count; i++)
        if (m->blocks[i].start == start)
            return i;
    return -1;
}

static bool map_visit(const struct loam_region_block *block, void *arg)
{
    struct map *m = arg;
    size_t start = (size_t)((char *)block->start - m->buffer);
    map_add(m, start - m->at, MAP_SLACK, -1); /* a header, or the region's own data */
    int name = block->live ? map_block_at(m, block->start) : -1;
    size_t asked = name >= 0 ? m->blocks[name].size : block->size;
    asked = asked < block->size ? asked : block->size;
    map_add(m, block->live ? asked : block->size, block->live ? MAP_LIVE : MAP_FREE, name);
    if (block->live)
        map_add(m, block->size - asked, MAP_SLACK, -1);
    return true;
}

/* Bump keeps no books of blocks: what it shows as one live stretch is what we know by names, and slack between. */
static bool map_visit_bump(const struct loam_region_block *block, void *arg)
{
    struct map *m = arg;
    if (!block->live)
        return map_visit(block, arg);
    char *end = (char *)block->start + block->size;
    for (;;) {
        int next = -1;
        for (int i = 0; i < m->block_count; i++)
            if (m->blocks[i].start >= m->buffer + m->at && m->blocks[i].start < end &&
                (next < 0 || m->blocks[i].start < m->blocks[next].start))
                next = i;
        if (next < 0)
            break;
        map_add(m, (size_t)(m->blocks[next].start - m->buffer) - m->at, MAP_SLACK, -1);
        map_add(m, m->blocks[next].size, MAP_LIVE, next);
    }
    map_add(m, (size_t)(end - m->buffer) - m->at, MAP_SLACK, -1);
    return true;
}

static bool map_same(const struct map_span *a, const struct map_span *b)
{
    return a->start == b->start && a->size == b->size && a->class == b->class && a->block == b->block;
}

/* Bars that go on keep the row in which they began; those that ended are written. */
static void map_compare(struct map *m)
{
    size_t i = 0;
    for (size_t j = 0; j < m->before_count; j++) {
        const struct map_span *was = &m->before[j];
        while (i < m->now_count && m->now[i].start < was->start)
            i++;
        if (i < m->now_count && map_same(&m->now[i], was))
            m->now[i].from = was->from;
        else
            map_write_span(m, was);
    }
}

static char *map_row(struct map *m, bool bump)
{
    m->now_count = 0;
    m->at = 0;
    loam_region_walk(m->region, bump ? map_visit_bump : map_visit, m);
    map_add(m, m->size - m->at, MAP_SLACK, -1);
    map_compare(m);
    char *sums = map_sums(m);
    struct map_span *spans = m->before;
    m->before = m->now;
    m->before_count = m->now_count;
    m->now = spans;
    m->row++;
    return sums;
}

/* ---- operations ---- */

static struct map_block *map_block_named(struct map *m, const char *name)
{
    for (int i = 0; i < m->block_count; i++)
        if (strcmp(m->blocks[i].name, name) == 0)
            return &m->blocks[i];
    if (m->block_count == MAP_NAMES)
        return NULL;
    struct map_block *block = &m->blocks[m->block_count++];
    snprintf(block->name, sizeof block->name, "%s", name);
    return block;
}

static int map_refused(const struct map *m, long line, const char *text, const char *why)
{
    fprintf(m->out, "<rect class=\"refused\" data-line=\"%ld\" x=\"%d\" y=\"%.2f\" width=\"8\" height=\"%.2f\"/>\n",
            line, MAP_LEFT - 12, MAP_TOP + (double)m->row * m->row_height, m->row_height);
    fprintf(stderr, "loam region-map: line %ld: %s: %s\n", line, text,
            why != NULL ? why : loam_strerror(loam_region_error(m->region)));
    return 1;
}

static int map_nonsense(long line, const char *text)
{
    fprintf(stderr, "loam region-map: line %ld: '%s' is no operation here; 'loam region-map --help' lists them\n", line,
            text);
    return -1;
}

/* One line. 1: a row; 0: nothing to do; -1: makes no sense. */
static int map_operate(struct map *m, long line, const char *text)
{
    char verb[16] = "", name[MAP_NAME] = "", extra[2] = "";
    uint64_t size = 0, alignment = 8;
    int words = sscanf(text, "%15s %31s %" SCNu64 " %" SCNu64 " %1s", verb, name, &size, &alignment, extra);
    if (words <= 0)
        return 0;
    if (strcmp(verb, "reset") == 0 && words == 1) {
        for (int i = 0; i < m->block_count; i++)
            m->blocks[i].start = NULL;
        return loam_region_reset(m->region) == LOAM_OK ? 1 : map_refused(m, line, text, NULL);
    }
    struct map_block *block = words >= 2 ? map_block_named(m, name) : NULL;
    if (block == NULL)
        return map_nonsense(line, text);
    if (strcmp(verb, "alloc") == 0 && (words == 3 || words == 4) && block->start == NULL) {
        block->start = loam_region_alloc_aligned(m->region, alignment, size);
        block->size = size;
        return block->start != NULL ? 1 : map_refused(m, line, text, NULL);
    }
    bool frees = strcmp(verb, "free") == 0 && words == 2, resizes = strcmp(verb, "resize") == 0 && words == 3;
    if ((frees || resizes) && block->start == NULL)
        return map_refused(m, line, text, "there is no such block now");
    if (frees) {
        if (loam_region_free(m->region, block->start) != LOAM_OK)
            return map_refused(m, line, text, NULL);
        block->start = NULL;
        return 1;
    }
    if (resizes) {
        char *to = loam_region_resize(m->region, block->start, size);
        if (to == NULL)
            return map_refused(m, line, text, NULL);
        block->start = to;
        block->size = size;
        return 1;
    }
    return map_nonsense(line, text);
}

static void map_strip(char *line)
{
    line[strcspn(line, "#\r\n")] = '\0';
}

/* Lines that will be rows: the picture's height must be known first. */
static long map_count_rows(FILE *in)
{
    char line[MAP_LINE];
    long rows = 1;
    while (fgets(line, sizeof line, in) != NULL) {
        map_strip(line);
        rows += line[strspn(line, " \t")] != '\0';
    }
    return rows;
}

static int map_draw(struct map *m, FILE *in, const char *strategy, long rows)
{
    char line[MAP_LINE];
    bool bump = strcmp(strategy, "bump") == 0;
    int status = 0;
    char **sums = calloc((size_t)rows, sizeof *sums);
    if (sums == NULL)
        return 1;
    map_write_head(m, strategy, rows);
    sums[0] = map_row(m, bump); /* row 0: before the first operation */
    for (long number = 1; status == 0 && fgets(line, sizeof line, in) != NULL; number++) {
        map_strip(line);
        int did = map_operate(m, number, line);
        if (did < 0)
            status = 2;
        if (did > 0) {
            char *row = map_row(m, bump); /* which counts m->row up */
            sums[m->row - 1] = row;
        }
    }
    for (size_t i = 0; i < m->before_count; i++)
        map_write_span(m, &m->before[i]);
    for (long row = 0; row < rows && status == 0; row++)
        status = sums[row] == NULL;
    if (status == 0)
        map_write_tail(m, sums, rows);
    for (long row = 0; row < rows; row++)
        free(sums[row]);
    free(sums);
    return status;
}

/* ---- the command line ---- */

struct map_arguments {
    struct loam_region_options options;
    const char *in, *out;
};

static const char map_help[] =
    "usage: loam region-map [OPTION...] OPERATIONS\n\n"
    "  --strategy NAME   bump, cells, blocks, buddy or bitmap (the default)\n"
    "  --size BYTES      of the region's memory; 16384 where nothing is said\n"
    "  --cell BYTES      of a cell, for cells; 64\n"
    "  --least BYTES     of the smallest block, for buddy; 64\n"
    "  -o FILE           where the picture (SVG) goes; stdout\n\n"
    "OPERATIONS is a file, each line one of: alloc NAME SIZE [ALIGNMENT], free NAME, resize NAME SIZE, reset;\n"
    "# begins a comment.\n";

static int map_usage(const char *why, const char *word)
{
    fprintf(stderr, "loam region-map: %s%s; 'loam region-map --help' tells what it takes\n", why, word);
    return STATUS_USAGE;
}

/* Where a word stands among names that a NULL ends; -1: nowhere. */
static int map_index(const char *const *names, const char *word)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], word) == 0)
            return i;
    return -1;
}

/* A number of bytes. False: it is none, or 0, or more than any picture shows. */
static bool map_number(const char *text, size_t *number)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    *number = value;
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && value > 0 && value <= UINT32_MAX;
}

/* An option with its value (NULL: there is none). */
static int map_option(struct map_arguments *a, const char *option, const char *value)
{
    static const char *const options[] = {"--size", "--cell", "--least", "--strategy", "-o", NULL};
    size_t *const numbers[] = {&a->options.buffer_size, &a->options.cell, &a->options.least};
    int which = map_index(options, option);
    if (which < 0)
        return usage_unknown("option of loam region-map", option, options);
    if (value == NULL)
        return map_usage("nothing stands behind ", option);
    if (which < 3)
        return map_number(value, numbers[which]) ? 0 : map_usage("a number of bytes is expected, found ", value);
    if (strcmp(option, "-o") == 0) {
        a->out = value;
        return 0;
    }
    int strategy = map_index(map_strategies, value);
    if (strategy < 0)
        return usage_unknown("strategy", value, map_strategies);
    a->options.kind = (enum loam_region_kind)strategy;
    return 0;
}

static int map_arguments(struct map_arguments *a, int argc, char **argv)
{
    *a = (struct map_arguments){
        .options = {.kind = LOAM_REGION_BITMAP, .source = LOAM_SOURCE_BUFFER, .buffer_size = 16384}};
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-') {
            int status = map_option(a, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
            if (status != 0)
                return status;
            i++;
        } else if (a->in != NULL) {
            return map_usage("one file of operations, not two: ", argv[i]);
        } else {
            a->in = argv[i];
        }
    }
    if (a->options.kind == LOAM_REGION_CELLS && a->options.cell == 0)
        a->options.cell = 64;
    return a->in != NULL ? 0 : map_usage("no file of operations", "");
}

static int map_run(struct map *m, const struct map_arguments *a, FILE *in)
{
    struct loam_region_options options = a->options;
    long rows = map_count_rows(in);
    if (rows > MAP_ROWS) {
        fprintf(stderr, "loam region-map: %ld operations; a picture of more than %d cannot be read\n", rows - 1,
                MAP_ROWS);
        return 1;
    }
    if (fseek(in, 0, SEEK_SET) != 0) { /* a pipe */
        perror(a->in);
        return 1;
    }
    m->size = options.buffer_size;
    m->room = m->size / 4 + 16; /* spans are at least a header or 8 bytes long; rounding may be shorter */
    m->buffer = aligned_alloc(4096, (m->size + 4095) / 4096 * 4096);
    m->now = malloc(m->room * sizeof *m->now);
    m->before = malloc(m->room * sizeof *m->before);
    m->row_height = rows <= 60 ? 12 : rows <= 600 ? 720.0 / (double)rows : 1.2;
    options.buffer = m->buffer;
    bool room = m->buffer != NULL && m->now != NULL && m->before != NULL;
    int error = room ? loam_region_create(&m->region, &options) : LOAM_ERROR_SPENT;
    if (error != LOAM_OK) {
        fprintf(stderr, "loam region-map: a region of %zu bytes: %s\n", m->size, loam_strerror(error));
        return 1;
    }
    m->out = a->out != NULL ? fopen(a->out, "w") : stdout;
    if (m->out == NULL) {
        perror(a->out);
        return 1;
    }
    int status = map_draw(m, in, map_strategies[options.kind], rows);
    if (fflush(m->out) != 0 || ferror(m->out)) {
        perror("loam region-map: writing");
        status = 1;
    }
    if (m->out != stdout) {
        fclose(m->out);
        if (status != 0)
            remove(a->out); /* half a picture is none */
    }
    loam_region_destroy(m->region);
    return status;
}

int command_region_map(int argc, char **argv)
{
    struct map_arguments arguments;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(map_help, stdout);
        return 0;
    }
    int status = map_arguments(&arguments, argc, argv);
    if (status != 0)
        return status;
    FILE *in = fopen(arguments.in, "r");
    struct map *m = calloc(1, sizeof *m);
    if (in == NULL || m == NULL) {
        perror(arguments.in);
        status = 1;
    } else {
        status = map_run(m, &arguments, in);
        free(m->buffer);
        free(m->now);
        free(m->before);
    }
    if (in != NULL)
        fclose(in);
    free(m);
    return status;
}
