/* What the region tests share: failing in words, seeds, and a program break of the test's own.
 *
 * The break: this program's sbrk and brk stand before the C library's, as those of a user who interposes them. They
 * move within a reserved range that starts full of garbage, can be limited, count their calls, and can be moved by
 * "others". */
#ifndef LOAM_TEST_REGION_TEST_H
#define LOAM_TEST_REGION_TEST_H

#include "base/random.h"
#include "loam/region.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const char *test_what = ""; /* which case is under test */
static unsigned long long test_seed;

#define FAIL(...)                                                                                       \
    do {                                                                                                \
        fprintf(stderr, "%s:%d: [%s, LOAM_TEST_SEED=%llu] ", __FILE__, __LINE__, test_what, test_seed); \
        fprintf(stderr, __VA_ARGS__);                                                                   \
        fputc('\n', stderr);                                                                            \
        exit(1);                                                                                        \
    } while (0)

#define CHECK(x)                     \
    do {                             \
        if (!(x))                    \
            FAIL("expected %s", #x); \
    } while (0)

/* CHECK_EQ(found, expected): both as numbers. */
#define CHECK_EQ(found, expected)                                                                            \
    do {                                                                                                     \
        unsigned long long found_ = (unsigned long long)(found), expected_ = (unsigned long long)(expected); \
        if (found_ != expected_)                                                                             \
            FAIL("%s is %llu (0x%llx), expected %s = %llu", #found, found_, found_, #expected, expected_);   \
    } while (0)

#define CHECK_CODE(found, expected)                                                                       \
    do {                                                                                                  \
        int found_ = (found), expected_ = (expected);                                                     \
        if (found_ != expected_)                                                                          \
            FAIL("%s: \"%s\", expected \"%s\"", #found, loam_strerror(found_), loam_strerror(expected_)); \
    } while (0)

static inline void check_region(loam_region *region)
{
    const char *wrong = loam_region_check(region);
    if (wrong != NULL)
        FAIL("loam_region_check: %s", wrong);
}

static inline unsigned long long test_seed_read(unsigned long long otherwise)
{
    const char *text = getenv("LOAM_TEST_SEED");
    test_seed = text != NULL ? strtoull(text, NULL, 0) : otherwise;
    return test_seed;
}

/* ---- the break ---- */

static struct {
    char *start, *at, *end;
    size_t moves; /* calls that moved it */
    char *highest;
} fake_break;

static inline void fake_break_fill(char *from, const char *to)
{
    for (; from < to; from++)
        *from = (char)(0xa5 ^ (uintptr_t)from >> 3);
}

/* A fresh break of at most `bytes`, `offset` bytes into a page. */
static inline void fake_break_start(size_t bytes, size_t offset)
{
    if (fake_break.start == NULL) {
        char *range =
            mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (range == MAP_FAILED) {
            perror("mmap");
            exit(1);
        }
        fake_break.start = range;
    }
    fake_break.at = fake_break.start + offset;
    fake_break.highest = fake_break.at;
    fake_break.end = fake_break.at + bytes;
    fake_break.moves = 0;
}

void *sbrk(intptr_t by)
{
    char *was = fake_break.at;
    if (fake_break.start == NULL || by > fake_break.end - was || by < fake_break.start - was) {
        errno = ENOMEM;
        return (void *)-1;
    }
    fake_break.moves += by != 0;
    fake_break.at += by;
    if (fake_break.at > was)
        fake_break_fill(was, fake_break.at); /* whatever comes back up holds garbage again */
    if (fake_break.at > fake_break.highest)
        fake_break.highest = fake_break.at;
    return was;
}

int brk(void *to)
{
    return sbrk((char *)to - fake_break.at) == (void *)-1 ? -1 : 0;
}

#endif
