// TEST: sanitize=asan,ubsan
/* Promise: bounds does what the model says, for every operation in every state that a row of 8 to 12 granules can be
 * in, so for operation sequences of any length; and for rows of 13 to 16 granules for all sequences of place,
 * release, extend and shrink up to length 6 (LOAM_TEST_LONG=1: of any length). Inside a word, across the end of a
 * word, across the end of a group of numbers, and at the end of the row; narrow and wide numbers.
 *
 * A state is where blocks start and what is occupied; the numbers follow from it, and are checked each time. So
 * instead of walking all sequences, each state is visited once, and all operations tried from it. */
// TEST: timeout=600
#include "bounds_model.h"

enum { STATES_MAX = 1 << 24 };

static uint32_t *queue; /* states, two 16-bit halves: starts of blocks, occupied */
static unsigned char *depth;
static uint32_t queued;
static uint64_t *seen; /* one bit for each possible state */
static uint64_t operations;

static uint32_t state_now(void)
{
    uint32_t state = 0;
    for (uint32_t i = 0; i < model.n; i++)
        state |= (uint32_t)((model.at[i] & MODEL_START) != 0) << (16 + i) | (uint32_t)((model.at[i] & MODEL_USED) != 0)
                                                                                << i;
    return state;
}

static void state_put(uint32_t state, unsigned char steps)
{
    if (seen[state / 64] >> (state % 64) & 1)
        return;
    seen[state / 64] |= UINT64_C(1) << (state % 64);
    if (queued == STATES_MAX)
        exit(2);
    queue[queued] = state;
    depth[queued++] = steps;
}

/* The maps of the empty row, and of the state that operations are just tried from. */
static struct {
    void *empty, *state;
    unsigned char at[16];
    size_t size;
} maps;

/* Makes a state by place_at from an empty row. */
static void state_make(uint32_t state)
{
    memcpy(model.bounds.boundary, maps.empty, maps.size);
    memset(model.at, 0, model.n);
    for (uint32_t i = 0; i < model.n; i++)
        if (state >> (16 + i) & 1) {
            uint32_t end = i + 1;
            while (end < model.n && (state >> end & 1) && !(state >> (16 + end) & 1))
                end++;
            bounds_place_at(&model.bounds, model.base + i, end - i);
            model_put(i, end - i, true);
        }
    memcpy(maps.state, model.bounds.boundary, maps.size);
    memcpy(maps.at, model.at, model.n);
}

static void after(unsigned char steps, const char *what)
{
    operations++;
    if (memcmp(maps.at, model.at, model.n) == 0 && memcmp(maps.state, model.bounds.boundary, maps.size) == 0 &&
        model.store_wrong == NULL)
        return; /* it changed nothing, and was not to */
    model_compare(what);
    state_put(state_now(), (unsigned char)(steps + 1));
    memcpy(model.bounds.boundary, maps.state, maps.size);
    memcpy(model.at, maps.at, model.n);
}

static void try_many(unsigned char steps, uint32_t pattern)
{
    bool chosen[16];
    uint32_t order = 0;
    for (uint32_t i = 0; i < model.n; i++)
        chosen[i] = (model.at[i] & MODEL_START) && (pattern >> (order++ % 4) & 1);
    model_release_many(chosen);
    after(steps, "release_many");
}

static void try_block(unsigned char steps, uint32_t i)
{
    uint32_t g = model_length(i);
    model_release(i);
    after(steps, "release");
    for (uint32_t to = g + 1; to <= model.n - i + 1; to++) {
        model_extend(i, to);
        after(steps, "extend");
    }
    for (uint32_t to = 1; to < g; to++) {
        model_shrink(i, to);
        after(steps, "shrink");
    }
}

static bool plain; /* place, release, extend, shrink; no place_at, no alignment */

static void try_all(unsigned char steps)
{
    for (uint32_t g = 1; g <= model.n + 1; g++)
        for (uint32_t k = 1; k <= 4; k += k) {
            model_place_run(g, k, k);
            after(steps, "place_run");
        }
    for (uint32_t a = 0; a < model.n && !plain; a++)
        for (uint32_t g = 1; g <= model.n - a; g++) {
            model_place_at(a, g);
            after(steps, "place_at");
        }
    for (uint32_t align = 2; align <= 8 && !plain; align *= 2)
        for (uint32_t g = 1; g <= model.n; g = 2 * g + 1)
            for (uint32_t origin = 0; origin < align; origin += align / 2) {
                model_place_aligned(g, align, origin);
                after(steps, "place_aligned");
            }
    for (uint32_t i = 0; i < model.n; i++)
        if (model.at[i] & MODEL_START)
            try_block(steps, i);
    for (uint32_t pattern = 1; pattern < 16; pattern++)
        try_many(steps, pattern);
}

static void run(uint32_t granules, uint32_t base, uint32_t n, bool wide, int depth_max)
{
    model_open(granules, base, n, wide);
    maps.size = bounds_size(granules, wide);
    maps.empty = realloc(maps.empty, maps.size);
    maps.state = realloc(maps.state, maps.size);
    if (maps.empty == NULL || maps.state == NULL)
        exit(2);
    memcpy(maps.empty, model.bounds.boundary, maps.size);
    for (uint32_t i = 0; i < queued; i++)
        seen[queue[i] / 64] = 0;
    queued = 0;
    state_put(0, 0);
    uint32_t next = 0;
    for (; next < queued; next++) {
        if (depth[next] >= depth_max)
            continue;
        state_make(queue[next]);
        try_all(depth[next]);
    }
    if (getenv("LOAM_TEST_VERBOSE") != NULL)
        printf("row of %u: %u states\n", n, queued);
}

/* The watch on single stores must be able to see something: a writer that clears a word for a moment is found. */
static void control(void)
{
    model_open(128, 60, 8, false);
    model_place_at(0, 3);
    model_place_at(3, 3);
    uint64_t *word = model.bounds.boundary, was = *word;
    model_store(word, 0);
    model_store(word, was);
    if (model.store_wrong == NULL)
        MODEL_FAIL("the control: a boundary was missing for a moment, and nothing was noticed");
    model.store_wrong = NULL;
}

int main(void)
{
    enum { ALL = 255 };
    queue = malloc((size_t)STATES_MAX * sizeof *queue);
    depth = malloc(STATES_MAX);
    seen = calloc(((size_t)1 << 32) / 64, sizeof *seen); /* only touched where states are */
    if (queue == NULL || depth == NULL || seen == NULL) {
        puts("not enough memory for the states");
        return 2;
    }
    control();
    for (uint32_t n = 8; n <= 9; n++) {
        run(n, 0, n, false, ALL); /* a row of just these */
        run(128, 20, n, true, ALL); /* inside a word */
        run(64, 64 - n, n, false, ALL); /* up to the end of the row */
        run(128, 64 - n / 2, n, true, ALL); /* across a word */
        run(5000, 4096 - n / 2, n, false, 3); /* across a group of numbers: two levels */
    }
    run(128, 59, 10, false, ALL);
    run(70, 59, 11, true, ALL);
    run(128, 58, 12, false, ALL);
    plain = true;
    for (uint32_t n = 13; n <= 16; n++)
        run(128, 64 - n / 2, n, n % 2 == 0, getenv("LOAM_TEST_LONG") != NULL ? ALL : 6);
    printf("%llu operations, %llu single stores watched\n", (unsigned long long)operations,
           (unsigned long long)model.stores);
    return 0;
}
