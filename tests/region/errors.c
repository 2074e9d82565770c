/* Promise: arguments that make no sense are answered by a code and words, never by a crash, and change nothing. */
#include "region_test.h"

static char buffer[1 << 16];

static int create_with(struct loam_region_options options)
{
    loam_region *region = (loam_region *)buffer;
    int error = loam_region_create(&region, &options);
    CHECK((error == LOAM_OK) == (region != NULL));
    if (error == LOAM_OK)
        CHECK_CODE(loam_region_destroy(region), LOAM_OK);
    return error;
}

static void test_options(void)
{
    struct loam_region_options good = {.kind = LOAM_REGION_BITMAP, .source = LOAM_SOURCE_MAP};
    struct loam_region_options bad;
    CHECK_CODE(loam_region_create(NULL, &good), LOAM_ERROR_ARGUMENT);
    loam_region *region;
    CHECK_CODE(loam_region_create(&region, NULL), LOAM_ERROR_ARGUMENT);
    CHECK_CODE(create_with(good), LOAM_OK);
#define BAD(code, ...)                      \
    do {                                    \
        bad = good;                         \
        __VA_ARGS__;                        \
        CHECK_CODE(create_with(bad), code); \
    } while (0)
    BAD(LOAM_ERROR_ARGUMENT, bad.kind = (enum loam_region_kind)5);
    BAD(LOAM_ERROR_ARGUMENT, bad.kind = (enum loam_region_kind)77);
    BAD(LOAM_ERROR_ARGUMENT, bad.source = (enum loam_region_source)3);
    BAD(LOAM_ERROR_ARGUMENT, bad.flags = 16);
    BAD(LOAM_ERROR_ARGUMENT, bad.flags = LOAM_REGION_LOCKED | LOAM_REGION_SHARED);
    BAD(LOAM_ERROR_ARGUMENT, bad.buffer = buffer);
    BAD(LOAM_ERROR_ARGUMENT, bad.buffer_size = 1);
    BAD(LOAM_ERROR_ARGUMENT, bad.source = LOAM_SOURCE_BUFFER);
    BAD(LOAM_ERROR_ARGUMENT, bad.cell = 8);
    BAD(LOAM_ERROR_ARGUMENT, bad.kind = LOAM_REGION_CELLS);
    BAD(LOAM_ERROR_ARGUMENT, bad.least = 64);
    BAD(LOAM_ERROR_ARGUMENT, (bad.kind = LOAM_REGION_BUDDY, bad.least = 48));
    BAD(LOAM_ERROR_ARGUMENT, (bad.kind = LOAM_REGION_BUDDY, bad.least = 8));
    BAD(LOAM_ERROR_SIZE, bad.first = SIZE_MAX);
    BAD(LOAM_ERROR_SIZE, (bad.kind = LOAM_REGION_CELLS, bad.cell = SIZE_MAX));
    BAD(LOAM_ERROR_SIZE, (bad.source = LOAM_SOURCE_BUFFER, bad.buffer = buffer, bad.buffer_size = SIZE_MAX));
    BAD(LOAM_ERROR_SIZE, (bad.source = LOAM_SOURCE_BUFFER, bad.buffer = buffer, bad.buffer_size = 10));
    BAD(LOAM_ERROR_SIZE, bad.limit = 100);
    BAD(LOAM_ERROR_SPENT, (bad.kind = LOAM_REGION_CELLS, bad.cell = (size_t)1 << 60));
}

static void test_no_region(void)
{
    static char nothing[4096];
    loam_region *const none[] = {NULL, (loam_region *)nothing};
    for (int i = 0; i < 2; i++) {
        struct loam_region_stats stats;
        struct loam_region_mark mark = {0, 0, 0, 0};
        errno = 0;
        CHECK(loam_region_alloc(none[i], 8) == NULL && errno == EINVAL);
        CHECK(loam_region_alloc_aligned(none[i], 8, 8) == NULL);
        CHECK(loam_region_resize(none[i], NULL, 8) == NULL);
        CHECK_CODE(loam_region_free(none[i], nothing), LOAM_ERROR_REGION);
        CHECK_CODE(loam_region_resize_in_place(none[i], nothing, 8), LOAM_ERROR_REGION);
        CHECK_CODE(loam_region_stats(none[i], &stats), LOAM_ERROR_REGION);
        CHECK_CODE(loam_region_walk(none[i], NULL, NULL), LOAM_ERROR_REGION);
        CHECK_CODE(loam_region_reset(none[i]), LOAM_ERROR_REGION);
        CHECK_CODE(loam_region_destroy(none[i]), LOAM_ERROR_REGION);
        CHECK_CODE(loam_region_mark(none[i], &mark), LOAM_ERROR_REGION);
        CHECK_CODE(loam_region_rewind(none[i], &mark), LOAM_ERROR_REGION);
        CHECK_CODE(loam_region_error(none[i]), LOAM_ERROR_REGION);
        CHECK(loam_region_check(none[i]) != NULL);
        CHECK(!loam_region_owns(none[i], nothing));
        CHECK_EQ(loam_region_usable(none[i], nothing), 0);
    }
}

static void test_calls(enum loam_region_kind kind)
{
    struct loam_region_options options = {.kind = kind,
                                          .source = LOAM_SOURCE_BUFFER,
                                          .buffer = buffer,
                                          .buffer_size = sizeof buffer,
                                          .cell = kind == LOAM_REGION_CELLS ? 48 : 0};
    loam_region *region;
    struct loam_region_stats before, stats;
    CHECK_CODE(loam_region_create(&region, &options), LOAM_OK);
    CHECK_CODE(loam_region_error(region), LOAM_OK);
    char *block = loam_region_alloc(region, 40);
    CHECK(block != NULL);
    CHECK_CODE(loam_region_stats(region, &before), LOAM_OK);
    CHECK_CODE(loam_region_stats(region, NULL), LOAM_ERROR_ARGUMENT);
    CHECK_CODE(loam_region_walk(region, NULL, NULL), LOAM_ERROR_ARGUMENT);
    CHECK(loam_region_alloc(region, 0) == NULL && errno == EINVAL);
    CHECK_CODE(loam_region_error(region), LOAM_ERROR_SIZE);
    for (size_t huge = SIZE_MAX; huge > SIZE_MAX - 100; huge--)
        CHECK(loam_region_alloc(region, huge) == NULL && loam_region_alloc_aligned(region, 4096, huge) == NULL &&
              loam_region_resize(region, block, huge) == NULL);
    for (size_t shift = 20; shift < 64; shift++) {
        CHECK(loam_region_alloc(region, (size_t)1 << shift) == NULL);
        bool inside = ((uintptr_t)(buffer + sizeof buffer) - 1) >> shift != ((uintptr_t)buffer - 1) >> shift; /* by luck */
        CHECK(inside || loam_region_alloc_aligned(region, (size_t)1 << shift, 8) == NULL);
        CHECK(loam_region_resize(region, block, (size_t)1 << shift) == NULL);
    }
    CHECK(loam_region_alloc_aligned(region, 0, 8) == NULL && errno == EINVAL);
    CHECK_CODE(loam_region_error(region), LOAM_ERROR_ALIGNMENT);
    CHECK(loam_region_alloc_aligned(region, 12, 8) == NULL);
    CHECK(loam_region_resize(region, block, 0) == NULL);
    CHECK_CODE(loam_region_resize_in_place(region, block, 0), LOAM_ERROR_SIZE);
    CHECK_CODE(loam_region_resize_in_place(region, NULL, 8), LOAM_ERROR_ARGUMENT);
    CHECK_CODE(loam_region_free(region, NULL), LOAM_OK);
    CHECK_EQ(loam_region_usable(region, NULL), 0);
    char *freed = loam_region_alloc(region, 40); /* and one that is free again, in whatever list it may stand */
    CHECK(freed != NULL && loam_region_free(region, freed) == LOAM_OK);
    /* every address of the buffer but the block's own, and some far from it */
    for (uintptr_t p = (uintptr_t)buffer - 64; p < (uintptr_t)buffer + sizeof buffer + 64 && kind != LOAM_REGION_BUMP;
         p++)
        if (p != (uintptr_t)block && loam_region_free(region, (void *)p) == LOAM_OK)
            FAIL("freed 0x%zx, the only block is %p", (size_t)p, (void *)block);
    for (uintptr_t shift = 0; shift < 64; shift++)
        CHECK(loam_region_free(region, (void *)((uintptr_t)1 << shift)) != LOAM_OK);
    CHECK(loam_region_free(region, (void *)UINTPTR_MAX) != LOAM_OK);
    struct loam_region_mark mark;
    int marks = loam_region_mark(region, &mark);
    CHECK_CODE(marks, kind == LOAM_REGION_BUMP ? LOAM_OK : LOAM_ERROR_UNSUPPORTED);
    CHECK_CODE(loam_region_mark(region, NULL), LOAM_ERROR_ARGUMENT);
    CHECK_CODE(loam_region_stats(region, &stats), LOAM_OK);
    CHECK(memcmp(&before, &stats, sizeof stats) == 0);
    check_region(region);
    CHECK_CODE(loam_region_free(region, block), LOAM_OK);
    CHECK_CODE(loam_region_destroy(region), LOAM_OK);
    CHECK_CODE(loam_region_destroy(region), LOAM_ERROR_REGION);
    CHECK(loam_region_alloc(region, 8) == NULL);
}

static void test_marks(void)
{
    struct loam_region_options options = {.kind = LOAM_REGION_BUMP, .source = LOAM_SOURCE_MAP, .first = 4096};
    loam_region *region;
    struct loam_region_mark empty, middle, late, bad;
    struct loam_region_stats stats;
    CHECK_CODE(loam_region_create(&region, &options), LOAM_OK);
    CHECK_CODE(loam_region_mark(region, &empty), LOAM_OK);
    char *first = loam_region_alloc(region, 100);
    memset(first, 1, 100);
    CHECK_CODE(loam_region_mark(region, &middle), LOAM_OK);
    char *second = loam_region_alloc(region, 100);
    for (int i = 0; i < 1000; i++)
        CHECK(loam_region_alloc(region, 1000) != NULL); /* many pieces */
    CHECK_CODE(loam_region_mark(region, &late), LOAM_OK);
    CHECK_CODE(loam_region_rewind(region, &middle), LOAM_OK);
    check_region(region);
    CHECK(loam_region_alloc(region, 100) == second);
    CHECK_EQ(first[99], 1);
    CHECK_CODE(loam_region_rewind(region, &late), LOAM_ERROR_ARGUMENT); /* the region is not used as far as that now */
    bad = middle;
    bad.at = SIZE_MAX - 7;
    CHECK_CODE(loam_region_rewind(region, &bad), LOAM_ERROR_ARGUMENT);
    bad.at = 0;
    CHECK_CODE(loam_region_rewind(region, &bad), LOAM_ERROR_ARGUMENT);
    CHECK_CODE(loam_region_rewind(region, &empty), LOAM_OK);
    CHECK(loam_region_alloc(region, 100) == first);
    loam_region_reset(region);
    loam_region_stats(region, &stats);
    CHECK_EQ(stats.live, 0);
    size_t taken = stats.taken;
    for (int i = 0; i < 900; i++)
        CHECK(loam_region_alloc(region, 1000) != NULL);
    loam_region_stats(region, &stats);
    CHECK_EQ(stats.taken, taken); /* the pieces were kept, and served again */
    CHECK_CODE(loam_region_destroy(region), LOAM_OK);
}

static void test_words(void)
{
    for (int i = LOAM_OK; i <= LOAM_ERROR_CORRUPT; i++) {
        CHECK(loam_strerror(i) != NULL && strlen(loam_strerror(i)) > 5);
        for (int j = LOAM_OK; j < i; j++)
            CHECK(strcmp(loam_strerror(i), loam_strerror(j)) != 0);
    }
    CHECK(strcmp(loam_strerror(-1), "unknown error") == 0);
    CHECK(strcmp(loam_strerror(LOAM_ERROR_CORRUPT + 1), "unknown error") == 0);
    CHECK(strcmp(loam_strerror(1 << 30), "unknown error") == 0);
}

/* A limit is never passed, and what it leaves over can be had. */
static void test_limit(enum loam_region_kind kind, enum loam_region_source source)
{
    struct loam_region_options options = {
        .kind = kind, .source = source, .limit = 300000, .cell = kind == LOAM_REGION_CELLS ? 100 : 0};
    loam_region *region;
    struct loam_region_stats stats;
    size_t got = 0;
    fake_break_start((size_t)1 << 24, 0);
    CHECK_CODE(loam_region_create(&region, &options), LOAM_OK);
    while (loam_region_alloc(region, 100) != NULL)
        got += 100;
    CHECK_CODE(loam_region_error(region), LOAM_ERROR_SPENT);
    loam_region_stats(region, &stats);
    if (stats.taken > 300000 || got < 100000)
        FAIL("kind %d, source %d: %zu bytes taken with a limit of 300000, %zu handed out", kind, source, stats.taken,
             got);
    check_region(region);
    CHECK_CODE(loam_region_destroy(region), LOAM_OK);
}

int main(void)
{
    test_options();
    test_no_region();
    for (int kind = LOAM_REGION_BUMP; kind <= LOAM_REGION_BITMAP; kind++) {
        test_calls((enum loam_region_kind)kind);
        test_limit((enum loam_region_kind)kind, LOAM_SOURCE_MAP);
        test_limit((enum loam_region_kind)kind, LOAM_SOURCE_BREAK);
    }
    test_marks();
    test_words();
    return 0;
}
