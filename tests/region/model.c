/* Promise: every strategy over every source gives out blocks that do not overlap, are aligned, keep their contents, and
 * are known to walk, usable and stats; bad pointers are refused and change nothing; the region's own check holds after
 * each step. Random operations against a model that remembers every live block. */
#include "region_test.h"

enum { BLOCKS_MAX = 200 };

struct model_block {
    unsigned char *start;
    size_t size; /* as asked for */
    size_t usable;
    unsigned char mark;
};

struct model {
    loam_region *region;
    struct loam_region_options options;
    struct random random;
    struct model_block block[BLOCKS_MAX];
    uint32_t count;
    size_t largest; /* of sizes to ask for */
};

static bool is(const struct model *m, enum loam_region_kind kind)
{
    return m->options.kind == kind;
}

static void fill(struct model_block *block)
{
    memset(block->start, block->mark, block->size);
}

static void verify(const struct model_block *block, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (block->start[i] != block->mark)
            FAIL("byte %zu of the block at %p (%zu bytes) is 0x%x, expected 0x%x", i, (void *)block->start, block->size,
                 block->start[i], block->mark);
}

static size_t default_alignment(const struct model *m)
{
    return is(m, LOAM_REGION_BLOCKS) ? 16 : 8;
}

static size_t random_size(struct model *m)
{
    if (is(m, LOAM_REGION_CELLS))
        return 1 + random_below(&m->random, (uint32_t)m->options.cell);
    size_t bound = (size_t)1 << random_below(&m->random, 12);
    size_t size = 1 + random_below(&m->random, (uint32_t)bound);
    if (random_below(&m->random, 50) == 0)
        size *= 32;
    return size > m->largest ? m->largest : size;
}

/* A live block of the model has just been given out or moved: nothing else may lie there. */
static void place(struct model *m, struct model_block *block)
{
    size_t usable = loam_region_usable(m->region, block->start);
    if (usable < block->size)
        FAIL("usable is %zu for a block of %zu", usable, block->size);
    if (!loam_region_owns(m->region, block->start) || !loam_region_owns(m->region, block->start + block->size - 1))
        FAIL("the region does not own the block at %p", (void *)block->start);
    block->usable = usable;
    for (uint32_t i = 0; i < m->count; i++) {
        struct model_block *other = &m->block[i];
        if (other != block && block->start < other->start + other->usable && other->start < block->start + usable)
            FAIL("the block at %p (%zu bytes) overlaps the one at %p (%zu)", (void *)block->start, usable,
                 (void *)other->start, other->usable);
    }
    block->mark = (unsigned char)random_next(&m->random);
    fill(block);
}

static void step_alloc(struct model *m)
{
    if (m->count == BLOCKS_MAX)
        return;
    size_t size = random_size(m);
    size_t alignment = default_alignment(m);
    void *start;
    if (random_below(&m->random, 4) == 0 && !is(m, LOAM_REGION_CELLS)) {
        alignment = (size_t)1 << random_below(&m->random, 10);
        start = loam_region_alloc_aligned(m->region, alignment, size);
    } else {
        start = loam_region_alloc(m->region, size);
    }
    if (start == NULL) {
        CHECK_CODE(loam_region_error(m->region), LOAM_ERROR_SPENT);
        CHECK_EQ(errno, ENOMEM);
        return;
    }
    if ((uintptr_t)start % alignment != 0)
        FAIL("%p is not aligned to %zu", start, alignment);
    struct model_block *block = &m->block[m->count++];
    *block = (struct model_block){start, size, size, 0};
    place(m, block);
}

static void step_free(struct model *m)
{
    if (m->count == 0)
        return;
    struct model_block *block = &m->block[random_below(&m->random, m->count)];
    if (is(m, LOAM_REGION_BUMP))
        block = &m->block[m->count - 1];
    verify(block, block->size);
    void *start = block->start;
    CHECK_CODE(loam_region_free(m->region, start), LOAM_OK);
    *block = m->block[--m->count];
    if (!is(m, LOAM_REGION_BUMP) && !(m->options.flags & LOAM_REGION_UNCHECKED)) {
        int again = loam_region_free(m->region, start);
        if (again != LOAM_ERROR_FREE && again != LOAM_ERROR_INTERIOR && again != LOAM_ERROR_FOREIGN)
            FAIL("the second free of %p said \"%s\"", start, loam_strerror(again));
        CHECK_EQ(loam_region_usable(m->region, start), 0);
    }
}

static void step_resize(struct model *m)
{
    if (m->count == 0)
        return;
    struct model_block *block = &m->block[random_below(&m->random, m->count)];
    if (is(m, LOAM_REGION_BUMP))
        block = &m->block[m->count - 1];
    size_t size = random_size(m);
    size_t same = size < block->size ? size : block->size;
    bool in_place = random_below(&m->random, 3) == 0;
    unsigned char *was = block->start;
    unsigned char *to = was;
    if (in_place) {
        int error = loam_region_resize_in_place(m->region, was, size);
        if (error == LOAM_ERROR_SPENT && (size > block->usable || is(m, LOAM_REGION_BUMP)))
            return;
        CHECK_CODE(error, LOAM_OK);
    } else {
        to = loam_region_resize(m->region, was, size);
        if (to == NULL) {
            CHECK_CODE(loam_region_error(m->region), LOAM_ERROR_SPENT);
            verify(block, block->size);
            return;
        }
    }
    if (size <= block->usable && to != was && !is(m, LOAM_REGION_BUMP)) /* bump knows only the last block's size */
        FAIL("resizing %zu usable bytes to %zu moved the block", block->usable, size);
    block->start = to;
    verify(block, same);
    block->size = size;
    place(m, block);
}

/* Pointers that are none: refused, and nothing changes (the check and the contents of all blocks would show it). */
static void step_misuse(struct model *m)
{
    static char stranger[64];
    int error = loam_region_free(m->region, stranger);
    CHECK_CODE(error, LOAM_ERROR_FOREIGN);
    CHECK(loam_region_resize(m->region, stranger, 8) == NULL && errno == EINVAL);
    CHECK_EQ(loam_region_usable(m->region, stranger), 0);
    CHECK(!loam_region_owns(m->region, stranger));
    if (m->count == 0 || is(m, LOAM_REGION_BUMP))
        return;
    const struct model_block *block = &m->block[random_below(&m->random, m->count)];
    if (block->usable < 2)
        return;
    size_t inside = 1 + random_below(&m->random, (uint32_t)block->usable - 1);
    CHECK_CODE(loam_region_free(m->region, block->start + inside), LOAM_ERROR_INTERIOR);
    CHECK_CODE(loam_region_resize_in_place(m->region, block->start + inside, 8), LOAM_ERROR_INTERIOR);
    CHECK_EQ(loam_region_usable(m->region, block->start + inside), 0);
    CHECK(loam_region_alloc(m->region, 0) == NULL && loam_region_error(m->region) == LOAM_ERROR_SIZE);
    CHECK(loam_region_alloc(m->region, SIZE_MAX) == NULL && errno == EINVAL);
    CHECK(loam_region_alloc_aligned(m->region, 24, 8) == NULL && loam_region_error(m->region) == LOAM_ERROR_ALIGNMENT);
}

/* ---- walk and stats against the model ---- */

struct walked {
    struct model *m;
    size_t live, live_blocks, free, largest;
    const char *end;
};

static bool walk_one(const struct loam_region_block *block, void *arg)
{
    struct walked *walked = arg;
    if (!block->live) {
        walked->free += block->size;
        walked->largest = block->size > walked->largest ? block->size : walked->largest;
        return true;
    }
    walked->live += block->size;
    walked->live_blocks++;
    for (uint32_t i = 0; i < walked->m->count; i++)
        if (walked->m->block[i].start == block->start) {
            CHECK_EQ(block->size, walked->m->block[i].usable);
            return true;
        }
    FAIL("walk shows a live block at %p, which the model does not know", block->start);
}

static void check_numbers(struct model *m)
{
    struct walked walked = {.m = m};
    struct loam_region_stats stats;
    CHECK_CODE(loam_region_stats(m->region, &stats), LOAM_OK);
    if (!is(m, LOAM_REGION_BUMP))
        CHECK_EQ(stats.live_blocks, m->count);
    CHECK_EQ(stats.taken, stats.live + stats.free + stats.slack);
    CHECK(stats.largest_free <= stats.free && stats.slack <= stats.taken);
    CHECK(stats.fragmentation >= 0 && stats.fragmentation <= 1);
    if (is(m, LOAM_REGION_BUMP))
        return;
    int error = loam_region_walk(m->region, walk_one, &walked);
    if (error == LOAM_ERROR_UNSUPPORTED && (m->options.flags & LOAM_REGION_UNCHECKED))
        return;
    CHECK_CODE(error, LOAM_OK);
    CHECK_EQ(walked.live_blocks, m->count);
    CHECK_EQ(walked.live, stats.live);
    CHECK_EQ(walked.free, stats.free);
    if (m->options.kind != LOAM_REGION_CELLS)
        CHECK_EQ(walked.largest, stats.largest_free);
}

/* "A request of this size would be served now", from what the region holds. */
static void check_largest(struct model *m)
{
    struct loam_region_stats stats, after;
    loam_region_stats(m->region, &stats);
    if (stats.largest_free == 0)
        return;
    void *block = loam_region_alloc(m->region, stats.largest_free);
    if (block == NULL)
        FAIL("the largest free piece has %zu bytes, but a block of that size was refused", stats.largest_free);
    loam_region_stats(m->region, &after);
    CHECK_EQ(after.taken, stats.taken);
    CHECK_CODE(loam_region_free(m->region, block), LOAM_OK);
}

static void step_rare(struct model *m)
{
    switch (random_below(&m->random, 8)) {
    case 0:
        CHECK_CODE(loam_region_reset(m->region), LOAM_OK);
        m->count = 0;
        break;
    case 1:
        while (m->count > 0)
            step_free(m);
        break;
    case 2:
        check_largest(m);
        break;
    default:
        check_numbers(m);
    }
}

static void run(struct model *m, int steps)
{
    int error = loam_region_create(&m->region, &m->options);
    CHECK_CODE(error, LOAM_OK);
    check_region(m->region);
    bool bits = (m->options.flags & LOAM_REGION_UNCHECKED) == 0;
    for (int step = 0; step < steps; step++) {
        uint32_t dice = random_below(&m->random, 100);
        bool ebb = step / 500 % 2 == 1; /* the region fills and empties in turns */
        if (dice < (ebb ? 30 : 55))
            step_alloc(m);
        else if (dice < 80)
            step_free(m);
        else if (dice < 92)
            step_resize(m);
        else if (dice < 98 && bits)
            step_misuse(m);
        else
            step_rare(m);
        check_region(m->region);
    }
    for (uint32_t i = 0; i < m->count; i++)
        verify(&m->block[i], m->block[i].size);
    CHECK_CODE(loam_region_destroy(m->region), LOAM_OK);
}

static const char *const kinds[] = {"bump", "cells", "blocks", "buddy", "bitmap"};
static const char *const sources[] = {"map", "break", "buffer"};
static char buffer[1 << 20];
static char what[128];

/* The same operations over each source. */
static void run_kind(enum loam_region_kind kind, unsigned flags, size_t cell, size_t least, int steps)
{
    for (int source = LOAM_SOURCE_MAP; source <= LOAM_SOURCE_BUFFER; source++) {
        static struct model m;
        memset(&m, 0, sizeof m);
        m.options = (struct loam_region_options){
            .kind = kind, .source = (enum loam_region_source)source, .flags = flags, .cell = cell, .least = least};
        m.largest = 100000;
        random_seed(&m.random, test_seed);
        snprintf(what, sizeof what, "%s over %s, flags %u, cell %zu, least %zu", kinds[kind], sources[source], flags,
                 cell, least);
        test_what = what;
        fake_break_start((size_t)1 << 24, 8 * (test_seed % 512));
        if (source == LOAM_SOURCE_BUFFER) {
            m.options.buffer = buffer + test_seed % 64;
            m.options.buffer_size = 4096 + (size_t)random_below(&m.random, sizeof buffer - 8192);
            memset(buffer, 0x5a, sizeof buffer);
        }
        run(&m, steps);
        if (source == LOAM_SOURCE_BREAK && fake_break.at > fake_break.start + 4096 + 15)
            FAIL("%zu bytes of the break were not given back", (size_t)(fake_break.at - fake_break.start));
    }
}

int main(void)
{
    unsigned long long seed = test_seed_read(1);
    int rounds = getenv("LOAM_TEST_SEED") != NULL ? 1 : 3;
    for (int round = 0; round < rounds; round++, test_seed = ++seed) {
        run_kind(LOAM_REGION_BITMAP, 0, 0, 0, 4000);
        run_kind(LOAM_REGION_BITMAP, LOAM_REGION_LOCKED, 0, 0, 2000);
        run_kind(LOAM_REGION_BITMAP, LOAM_REGION_FIXED, 0, 0, 2000);
        run_kind(LOAM_REGION_BLOCKS, 0, 0, 0, 4000);
        run_kind(LOAM_REGION_BLOCKS, LOAM_REGION_SHARED, 0, 0, 2000);
        run_kind(LOAM_REGION_BUMP, 0, 0, 0, 4000);
        run_kind(LOAM_REGION_CELLS, 0, 32, 0, 4000);
        run_kind(LOAM_REGION_CELLS, 0, 24, 0, 2000);
        run_kind(LOAM_REGION_CELLS, LOAM_REGION_UNCHECKED, 40, 0, 1000);
        run_kind(LOAM_REGION_BUDDY, 0, 0, 0, 4000);
        run_kind(LOAM_REGION_BUDDY, LOAM_REGION_LOCKED, 0, 16, 2000);
        run_kind(LOAM_REGION_BUDDY, 0, 0, 1024, 2000);
    }
    return 0;
}
