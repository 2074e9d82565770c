/* bounds against a model: one byte for each granule, and rules that a child could check by hand.
 *
 * A driver owns a stretch of `n` granules at `base` of a real row; what lies before and behind is occupied by two
 * blocks that never change. So a short stretch can stand across the end of a word, or of a group of numbers, where
 * mistakes live.
 *
 * Each single store into the boundary map passes through `model_store` (a macro stands before the compiler's
 * __atomic_store_n): after it, the window of every live block must read as before. That is the invariant that lets
 * free() read without a lock. */
#ifndef LOAM_TEST_BOUNDS_MODEL_H
#define LOAM_TEST_BOUNDS_MODEL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void model_store(uint64_t *word, uint64_t value);
#define __atomic_store_n(word, value, order) model_store(word, value)
#include "bounds/bounds.h"
#undef __atomic_store_n

enum { MODEL_FREE = 0, MODEL_USED = 1, MODEL_START = 2 }; /* a granule: USED or not, and whether a block starts there */

static struct {
    struct bounds bounds;
    uint32_t base, n;
    unsigned char *at; /* n granules */
    bool watch; /* look at the windows after each store */
    bool *exempt; /* blocks that are just being changed by their owner, by start */
    uint64_t stores;
    const char *store_wrong;
} model;

#define MODEL_FAIL(...)                                                                                        \
    do {                                                                                                       \
        fprintf(stderr, "%s:%d: row of %u at %u of %u, %s numbers: ", __FILE__, __LINE__, model.n, model.base, \
                model.bounds.granules, model.bounds.numbers.wide ? "wide" : "narrow");                         \
        fprintf(stderr, __VA_ARGS__);                                                                          \
        model_show();                                                                                          \
        exit(1);                                                                                               \
    } while (0)

static void model_show(void)
{
    fputs("\n  model  ", stderr);
    for (uint32_t i = 0; i < model.n && i < 200; i++)
        fputc(model.at[i] & MODEL_START ? '[' : model.at[i] & MODEL_USED ? '#' : '.', stderr);
    fputs("\n  bounds ", stderr);
    for (uint32_t i = 0; i < model.n && i < 200; i++) {
        uint32_t g = model.base + i;
        bool start = bits_test(model.bounds.boundary, g), used = bits_test(model.bounds.occupied, g);
        fputc(start ? (used ? '[' : '(') : used ? '#' : '.', stderr);
    }
    fputc('\n', stderr);
}

static uint32_t model_length(uint32_t i)
{
    uint32_t end = i + 1;
    while (end < model.n && model.at[end] == MODEL_USED)
        end++;
    return end - i;
}

/* The window of a live block: a start, and its end where it is; up to the 56 granules that one load tells. */
static bool model_window_is_right(uint32_t i)
{
    uint32_t g = model_length(i);
    uint64_t window = bounds_window(model.bounds.boundary, model.base + i);
    uint32_t told = g < 56 ? g : 56;
    uint64_t expected = g <= 56 ? 1 | UINT64_C(1) << g : 1;
    return (window & bits_mask(0, told + 1)) == (expected & bits_mask(0, told + 1));
}

static void model_store(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
    model.stores++;
    if (!model.watch)
        return;
    uint32_t lowest = (uint32_t)(word - model.bounds.boundary) * BITS_WORD;
    uint32_t from = lowest > model.base + 64 ? lowest - model.base - 64 : 0; /* only blocks near the word can see it */
    for (uint32_t i = from; i < model.n && model.base + i < lowest + 64; i++)
        if ((model.at[i] & MODEL_START) && !model.exempt[i] && !model_window_is_right(i))
            model.store_wrong = "a store changed the window of a live block";
}

/* ---- the row ---- */

static void model_open(uint32_t granules, uint32_t base, uint32_t n, bool wide)
{
    void *memory = NULL;
    size_t size = bounds_size(granules, wide);
    free(model.bounds.boundary);
    free(model.at);
    free(model.exempt);
    memory = malloc(size);
    model.at = calloc(n, 1);
    model.exempt = calloc(n, sizeof *model.exempt);
    if (memory == NULL || model.at == NULL || model.exempt == NULL)
        exit(2);
    memset(memory, 0xee, size); /* garbage must not matter */
    model.watch = false;
    bounds_init(&model.bounds, memory, granules, wide);
    model.base = base;
    model.n = n;
    if (base > 0 && !bounds_place_at(&model.bounds, 0, base))
        MODEL_FAIL("could not fill the front");
    if (base + n < granules && !bounds_place_at(&model.bounds, base + n, granules - base - n))
        MODEL_FAIL("could not fill the end");
    model.watch = true;
}

static void model_put(uint32_t i, uint32_t g, bool used)
{
    memset(model.at + i, used ? MODEL_USED : MODEL_FREE, g);
    if (used)
        model.at[i] |= MODEL_START;
}

static uint32_t model_hole_end(uint32_t i)
{
    while (i < model.n && model.at[i] == MODEL_FREE)
        i++;
    return i;
}

/* The lowest place for g granules at a multiple of align; n if there is none. */
static uint32_t model_find(uint32_t g, uint32_t align, uint32_t origin)
{
    for (uint32_t i = 0, end; i < model.n; i = end + 1) {
        end = model_hole_end(i);
        for (uint32_t a = i; a + g <= end; a++)
            if ((model.base + a + origin) % align == 0)
                return a;
    }
    return model.n;
}

static uint32_t model_longest(void)
{
    uint32_t longest = 0;
    for (uint32_t i = 0; i < model.n; i++) {
        uint32_t end = model_hole_end(i);
        longest = end - i > longest ? end - i : longest;
        i = end;
    }
    return longest;
}

/* Everything that can be asked, against the model. */
static void model_compare(const char *what)
{
    const char *wrong = bounds_check(&model.bounds);
    if (wrong == NULL)
        wrong = model.store_wrong;
    if (wrong != NULL)
        MODEL_FAIL("after %s: %s", what, wrong);
    if (bounds_longest(&model.bounds) != model_longest())
        MODEL_FAIL("after %s: longest is %u, expected %u", what, bounds_longest(&model.bounds), model_longest());
    for (uint32_t i = 0; i < model.n; i++) {
        uint32_t g = model.base + i;
        bool used = (model.at[i] & MODEL_USED) != 0, start = (model.at[i] & MODEL_START) != 0;
        if (bounds_is_free(&model.bounds, g) == used || bounds_is_block(&model.bounds, g) != start)
            MODEL_FAIL("after %s: granule %u is wrong", what, i);
        if (start && (bounds_next(&model.bounds, g) - g != model_length(i) || !model_window_is_right(i)))
            MODEL_FAIL("after %s: the block at %u has the wrong length", what, i);
        bool first = !used && (i == 0 || (model.at[i - 1] & MODEL_USED));
        if (first && (bounds_hole_start(&model.bounds, g) != g ||
                      bounds_hole_end(&model.bounds, g) != model.base + model_hole_end(i)))
            MODEL_FAIL("after %s: the hole at %u has the wrong end", what, i);
        if (!used && i > 0 && model.at[i - 1] == MODEL_FREE &&
            bounds_hole_start(&model.bounds, g) != bounds_hole_start(&model.bounds, g - 1))
            MODEL_FAIL("after %s: granule %u does not know the start of its hole", what, i);
    }
}

/* ---- the operations: each does the same to both, and compares what they answer ---- */

static void model_place_run(uint32_t g, uint32_t k, uint32_t line)
{
    uint32_t expected = model_find(g, 1, 0), start = 0;
    uint32_t count = expected == model.n ? 0 : (model_hole_end(expected) - expected) / g;
    count = count < k ? count : k;
    uint32_t found = bounds_place_run(&model.bounds, g, k, line, &start);
    uint32_t divides = 1;
    while (g % (2 * divides) == 0 && line % (2 * divides) == 0)
        divides *= 2;
    for (uint32_t a = expected; count >= 4 && a + count * g <= model_hole_end(expected); a++)
        if ((model.base + a) % divides == 0) { /* the first place where all of the row is aligned */
            expected = a;
            break;
        }
    if (found != count || (count > 0 && start != model.base + expected))
        MODEL_FAIL("place_run(%u, %u, %u) is %u at %u, expected %u at %u", g, k, line, found, start - model.base, count,
                   expected);
    for (uint32_t i = 0; i < count; i++)
        model_put(expected + i * g, g, true);
}

static void model_place_aligned(uint32_t g, uint32_t align, uint32_t origin)
{
    uint32_t expected = model_find(g, align, origin);
    uint32_t start = bounds_place_aligned(&model.bounds, g, align, origin);
    if (start != (expected == model.n ? BOUNDS_NONE : model.base + expected))
        MODEL_FAIL("place_aligned(%u, %u, %u) is %d, expected %u", g, align, origin, (int)(start - model.base),
                   expected);
    if (expected < model.n)
        model_put(expected, g, true);
}

static void model_place_at(uint32_t a, uint32_t g)
{
    bool expected = model.at[a] == MODEL_FREE && model_hole_end(a) - a >= g;
    if (bounds_place_at(&model.bounds, model.base + a, g) != expected)
        MODEL_FAIL("place_at(%u, %u) is not %d", a, g, expected);
    if (expected)
        model_put(a, g, true);
}

static void model_hole_is(const char *what, struct bounds_segment hole, uint32_t i)
{
    while (i > 0 && model.at[i - 1] == MODEL_FREE)
        i--;
    if (hole.start != model.base + i || hole.length != model_hole_end(i) - i || hole.occupied)
        MODEL_FAIL("%s returns hole %u+%u, expected %u+%u", what, hole.start - model.base, hole.length, i,
                   model_hole_end(i) - i);
}

static void model_release(uint32_t i)
{
    uint32_t g = model_length(i);
    model.exempt[i] = true;
    struct bounds_segment hole = bounds_release(&model.bounds, model.base + i, g);
    model.exempt[i] = false;
    model_put(i, g, false);
    model_hole_is("release", hole, i);
}

static void model_extend(uint32_t i, uint32_t to)
{
    uint32_t g = model_length(i);
    bool expected = i + to <= model.n && model_hole_end(i + g) >= i + to;
    model.exempt[i] = true;
    if ((bounds_extend(&model.bounds, model.base + i, g, to) != 0) != expected)
        MODEL_FAIL("extend(%u, %u, %u) is not %d", i, g, to, expected);
    model.exempt[i] = false;
    if (expected)
        model_put(i, to, true);
}

static void model_shrink(uint32_t i, uint32_t to)
{
    uint32_t g = model_length(i);
    model.exempt[i] = true;
    struct bounds_segment hole = bounds_shrink(&model.bounds, model.base + i, g, to);
    model.exempt[i] = false;
    model_put(i + to, g - to, false);
    model_hole_is("shrink", hole, i + to);
}

/* Many blocks at once, as the arena does it: loosen each, merge the words, then put the numbers right. `chosen` says
 * of each start whether it goes. Rows of up to 64 words at a time. */
static void model_release_many(const bool *chosen)
{
    uint64_t words = 0;
    uint32_t first = model.base / BITS_WORD;
    for (uint32_t i = 0; i < model.n; i++) {
        if (!(model.at[i] & MODEL_START) || !chosen[i])
            continue;
        uint32_t g = model_length(i), at = model.base + i - first * BITS_WORD;
        model.exempt[i] = true;
        bounds_loosen(&model.bounds, model.base + i, g);
        words |= bits_mask(at / BITS_WORD, (at + g - 1) / BITS_WORD - at / BITS_WORD + 1);
    }
    uint32_t longest = bounds_merge(&model.bounds, first, words);
    for (uint32_t i = 0; i < model.n; i++) {
        uint32_t g = model_length(i);
        if (model.exempt[i])
            model_put(i, g, false);
        model.exempt[i] = false;
    }
    if (words != 0 && longest > model_longest())
        MODEL_FAIL("release_many met a hole of %u, but the longest has %u", longest, model_longest());
}

#endif
