/* One row of bounds under a stream of operations, against a byte for each granule. The first bytes say how long the row is
 * (from 1 to 40,000 granules: one level of numbers and two, narrow and wide), each four after that one operation. After each,
 * the answer, the length of the longest hole and (on short rows) the whole structure must be the model's. */
#include "bounds/bounds.h"
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 40000, CHECK_ALWAYS = 1024 };

/* 0: free; 1: a block starts here; 2: it goes on. */
static unsigned char model[MOST + 1];
static uint64_t memory[MOST];
static struct bounds row;

static _Noreturn void wrong(const char *what, uint32_t at)
{
    fprintf(stderr, "wrong: %s (granule %u of %u)\n", what, at, row.granules);
    abort();
}

static uint32_t block_length(uint32_t i)
{
    uint32_t n = 1;
    while (i + n < row.granules && model[i + n] == 2)
        n++;
    return n;
}

static uint32_t hole_length(uint32_t i)
{
    uint32_t n = 0;
    while (i + n < row.granules && model[i + n] == 0)
        n++;
    return n;
}

static uint32_t model_longest(void)
{
    uint32_t longest = 0;
    for (uint32_t i = 0; i < row.granules;) {
        uint32_t n = hole_length(i);
        longest = n > longest ? n : longest;
        i += n ? n : 1;
    }
    return longest;
}

static void fill(uint32_t at, uint32_t g)
{
    for (uint32_t i = 0; i < g; i++) {
        if (model[at + i] != 0)
            wrong("a place that is taken was given", at + i);
        model[at + i] = i == 0 ? 1 : 2;
    }
}

/* Where the lowest fit is; row.granules if there is none. */
static uint32_t lowest(uint32_t g, uint32_t align, uint32_t origin)
{
    for (uint32_t i = 0; i < row.granules;) {
        uint32_t n = hole_length(i);
        uint32_t a = (i + origin + align - 1) / align * align - origin;
        if (n > 0 && a <= i + n && i + n - a >= g)
            return a;
        i += n ? n : 1;
    }
    return row.granules;
}

/* The block that holds granule i, or the next one; row.granules if there is none. */
static uint32_t block_near(uint32_t i)
{
    while (i > 0 && model[i] == 2)
        i--;
    while (i < row.granules && model[i] != 1)
        i++;
    return i;
}

static void place(uint32_t g, uint32_t k)
{
    uint32_t start, expected = lowest(g, 1, 0), line = 1u << k % 4;
    uint32_t n = bounds_place_run(&row, g, k, line, &start);
    if (n >= 4 && start > expected && start - expected < line) { /* a row may begin where it is aligned, if it fits there too */
        if (start % line != 0 && start % (g & (0 - g)) != 0)
            wrong("a row begins later, and not aligned", start);
        expected = start;
    }
    if ((n == 0) != (expected == row.granules) || (n > 0 && start != expected))
        wrong("not the lowest place", expected);
    for (uint32_t i = 0; i < n; i++)
        fill(start + i * g, g);
    if (n > 0 && n < k && hole_length(start + n * g) >= g)
        wrong("fewer blocks than the hole holds", start);
}

static void place_aligned(uint32_t g, uint32_t align, uint32_t origin)
{
    uint32_t expected = lowest(g, align, origin), at = bounds_place_aligned(&row, g, align, origin);
    if (expected == row.granules ? at != BOUNDS_NONE : at != expected)
        wrong("not the lowest aligned place", expected);
    if (at != BOUNDS_NONE)
        fill(at, g);
}

static void place_at(uint32_t at, uint32_t g)
{
    if (at + g > row.granules)
        return;
    bool room = hole_length(at) >= g;
    if (bounds_place_at(&row, at, g) != room)
        wrong("place_at", at);
    if (room)
        fill(at, g);
}

static void release(uint32_t i)
{
    uint32_t g = block_length(i);
    memset(model + i, 0, g);
    struct bounds_segment hole = bounds_release(&row, i, g);
    uint32_t start = i;
    while (start > 0 && model[start - 1] == 0)
        start--;
    if (hole.occupied || hole.start != start || hole.length != hole_length(start))
        wrong("the hole that a release leaves", i);
}

/* Several at once, as a flush does: loosened, then merged. */
static void release_many(uint32_t i, uint32_t count)
{
    uint32_t first = row.granules, last = 0;
    for (; count > 0 && (i = block_near(i)) < row.granules; count--) {
        uint32_t g = block_length(i);
        bounds_loosen(&row, i, g);
        memset(model + i, 0, g);
        first = i < first ? i : first;
        last = i + g - 1;
        i += g;
        if (i < row.granules && count % 3 == 0 && (i = block_near(i)) < row.granules)
            i += block_length(i); /* leaves one out */
        if (i >= row.granules)
            break;
    }
    if (first == row.granules)
        return;
    uint32_t from = first / BITS_WORD, end = last / BITS_WORD + 1;
    if (end - from < BITS_WORD) {
        bounds_merge(&row, from, bits_mask(0, end - from));
        return;
    }
    bool more = false; /* too many for one call */
    for (uint32_t w = from; w < end; w++)
        more = bounds_merge_word(&row, w);
    for (uint32_t w = from; w < end + more; w++)
        bounds_renumber_word(&row, w, w > from);
}

static void resize(uint32_t i, uint32_t to)
{
    uint32_t g = block_length(i);
    if (to > g) {
        bool room = i + to <= row.granules && hole_length(i + g) >= to - g;
        if ((bounds_extend(&row, i, g, to) != 0) != room)
            wrong("extend", i);
        if (room)
            memset(model + i + g, 2, to - g);
    } else if (to < g && to > 0) {
        struct bounds_segment hole = bounds_shrink(&row, i, g, to);
        memset(model + i + to, 0, g - to);
        if (hole.start != i + to || hole.length != hole_length(i + to))
            wrong("the hole that a shrink leaves", i);
    }
}

static void look(uint32_t i)
{
    struct bounds_segment at = bounds_segment_of(&row, i);
    uint32_t start = i;
    while (start > 0 && (model[i] == 0 ? model[start - 1] == 0 : model[start] != 1))
        start--;
    if (at.start != start || at.occupied != (model[i] != 0) ||
        at.length != (model[i] ? block_length(start) : hole_length(start)))
        wrong("segment_of", i);
    if (bounds_is_block(&row, i) != (model[i] == 1))
        wrong("is_block", i);
    uint64_t window = bounds_window(row.boundary, i);
    for (uint32_t k = 0; k < 57 && i + k < row.granules; k++) {
        bool boundary = model[i + k] == 1 || (model[i + k] == 0 && (i + k == 0 || model[i + k - 1] != 0));
        if ((window >> k & 1) != boundary)
            wrong("window", i + k);
    }
}

static void operate(const uint8_t *bytes)
{
    uint32_t value = bytes[1] | (uint32_t)bytes[2] << 8, granule = (value * 7919u) % row.granules;
    uint32_t g = 1 + (bytes[3] < 200 ? bytes[3] : (bytes[3] - 199u) * row.granules / 40);
    g = g > row.granules ? row.granules : g;
    uint32_t near = block_near(granule);
    switch (bytes[0] % 8) {
    case 0:
        place(g, 1);
        break;
    case 1:
        place(1 + g % 20, 1 + value % 100);
        break;
    case 2:
        place_aligned(g, 1u << value % 12, (value >> 4) % (1u << value % 12));
        break;
    case 3:
        place_at(granule, g);
        break;
    case 4:
        if (near < row.granules)
            release(near);
        break;
    case 5:
        release_many(granule, 1 + bytes[3] % 64);
        break;
    case 6:
        if (near < row.granules)
            resize(near, g);
        break;
    default:
        look(granule);
        break;
    }
}

static void check(void)
{
    const char *said = bounds_check(&row);
    if (said)
        wrong(said, 0);
    if (bounds_longest(&row) != model_longest())
        wrong("the longest hole", bounds_longest(&row));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 7)
        return 0;
    uint32_t granules = 1 + (bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16) % (MOST - 1);
    if (bytes[0] & 1) /* short rows are where most borders meet */
        granules = 1 + granules % 600;
    bool wide = granules > NUMBERS_NARROW_MAX || bytes[2] & 1;
    if (bounds_size(granules, wide) + 8 > sizeof memory)
        wrong("the maps are larger than thought", granules);
    bounds_init(&row, memory, granules, wide);
    memset(model, 0, granules);
    if (granules > CHECK_ALWAYS && count > 803)
        count = 803; /* the model walks the whole row for each */
    for (bytes += 3, count -= 3; count >= 4; bytes += 4, count -= 4) {
        operate(bytes);
        if (granules <= CHECK_ALWAYS)
            check();
    }
    check();
    return 0;
}
