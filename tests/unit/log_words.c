/* Words without stdio: each conversion as printf has it, what does not fit cut off and never overrun, the extremes of numbers. */
#include "base/log.h"
#include "unit.h"
#include <limits.h>

static char text[64];

static const char *format(size_t room, const char *words, ...)
{
    va_list args;
    struct log_text into = {text, text + room};
    memset(text, '~', sizeof text);
    va_start(args, words);
    log_vformat(&into, words, args);
    va_end(args);
    EXPECT(into.at >= text && into.at <= text + room);
    for (size_t i = (size_t)(into.at - text); i < sizeof text; i++)
        if (text[i] != '~')
            FAIL("byte %zu behind the end of \"%s\" was written", i, words);
    *into.at = 0;
    return text;
}

#define SAME(words, ...)                                                        \
    do {                                                                        \
        char expected[64];                                                      \
        snprintf(expected, sizeof expected, words, __VA_ARGS__);                \
        const char *got = format(sizeof text - 1, words, __VA_ARGS__);          \
        if (strcmp(got, expected) != 0)                                         \
            FAIL("\"%s\" gives \"%s\", expected \"%s\"", words, got, expected); \
    } while (0)

static void conversions(void)
{
    SAME("%s|%s", "a", "");
    SAME("%c%c", 'x', '%');
    SAME("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
    SAME("%ld %ld", LONG_MAX, LONG_MIN);
    SAME("%u %u", 0u, UINT_MAX);
    SAME("%lu", ULONG_MAX);
    SAME("%zu %zu", (size_t)0, SIZE_MAX);
    SAME("%x %x %lx", 0u, 0xdeadbeefu, 0xdeadbeefcafef00dul);
    SAME("%p", (void *)0x7f0012345678);
    SAME("%%%s%%", "between");
    SAME("%8zu|%8d|%8s|%-8s|", (size_t)42, -42, "right", "left");
    SAME("%2zu|%1s|%-3s|", (size_t)123456, "longer", "longer");
    SAME("%8x|%8lu", 255u, 12345678901ul);
    EXPECT(strcmp(format(20, "%p", (void *)0), "0x0") == 0);
    EXPECT(strcmp(format(20, "ends with %"), "ends with ") == 0);
}

static void cut_off(void)
{
    char all[64];
    snprintf(all, sizeof all, "%s %zu %8s %p", "words", SIZE_MAX, "x", (void *)0x1234567890);
    for (size_t room = 0; room < sizeof text; room++) {
        const char *got = format(room, "%s %zu %8s %p", "words", SIZE_MAX, "x", (void *)0x1234567890);
        size_t expected = strlen(all) < room ? strlen(all) : room;
        EXPECT_EQ(strlen(got), expected);
        EXPECT(memcmp(got, all, expected) == 0);
    }
}

/* A message longer than a line, or into a descriptor that takes nothing, does no harm. */
static void written(void)
{
    char long_word[2000], back[4000];
    int ends[2];
    memset(long_word, 'w', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = 0;
    EXPECT(pipe(ends) == 0);
    log_print(ends[1], "%s %d\n", long_word, 1);
    EXPECT_EQ(read(ends[0], back, sizeof back), LOG_LINE);
    errno = 77;
    log_print(ends[1], "%zu bytes\n", (size_t)5);
    log_print(-1, "nobody reads this\n");
    EXPECT_EQ(errno, 77);
    ssize_t n = read(ends[0], back, sizeof back);
    EXPECT(n == 8 && memcmp(back, "5 bytes\n", 8) == 0);
    close(ends[0]);
    close(ends[1]);
}

static void fatal(void *arg)
{
    log_fatal("loam: the end of %s\n", (const char *)arg);
}

int main(void)
{
    conversions();
    cut_off();
    written();
    EXPECT_ABORT(fatal, "a test", "loam: the end of a test\n");
    return 0;
}
