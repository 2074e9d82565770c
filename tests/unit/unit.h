/* What the unit tests share: expecting, seeds, modes, children whose words are read, contents that can be checked.
 *
 * A test is a program; the first thing that is wrong ends it with one line that says where. Random tests print their seed and
 * take it from LOAM_TEST_SEED. The heap under test is not the process's own malloc (api/names.h), and starts at its first
 * call: so a test may choose the mode in a child, before that call. Under ThreadSanitizer there is only the locked mode, because
 * it cannot see into sequences. */
#ifndef LOAM_TESTS_UNIT_H
#define LOAM_TESTS_UNIT_H

#include "base/compiler.h"
#include "base/random.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { UNIT_SKIP = 77 };

#if defined(__SANITIZE_ADDRESS__)
#define UNIT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNIT_ASAN 1
#endif
#endif
#ifndef UNIT_ASAN
#define UNIT_ASAN 0
#endif
/* Under a sanitizer everything is some ten times slower. */
#define UNIT_SLOW (UNIT_ASAN || LOAM_TSAN)

static inline _Noreturn __attribute__((format(printf, 3, 4))) void unit_fail(const char *file, int line,
                                                                             const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    _exit(1);
}

#define FAIL(...) unit_fail(__FILE__, __LINE__, __VA_ARGS__)
#define EXPECT(x) ((x) ? (void)0 : FAIL("expected: %s", #x))
#define EXPECT_EQ(a, b)                                                                                             \
    do {                                                                                                            \
        unsigned long long unit_a = (unsigned long long)(a), unit_b = (unsigned long long)(b);                      \
        if (unit_a != unit_b)                                                                                       \
            FAIL("%s is %llu (%#llx), expected %s, which is %llu (%#llx)", #a, unit_a, unit_a, #b, unit_b, unit_b); \
    } while (0)
/* For the _check() functions: NULL, or what is wrong. */
#define EXPECT_SOUND(x)                          \
    do {                                         \
        const char *unit_wrong = (x);            \
        if (unit_wrong)                          \
            FAIL("%s says: %s", #x, unit_wrong); \
    } while (0)

static inline uint64_t unit_seed(void)
{
    const char *given = getenv("LOAM_TEST_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 32;
    printf("LOAM_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

static inline double unit_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- children ---- */

struct unit_end {
    int status; /* as of waitpid */
    char text[4096]; /* what it wrote to stderr, cut off */
};

/* Runs f(arg) in a child; it exits 0 when f returns. */
static inline struct unit_end unit_child(void (*f)(void *), void *arg)
{
    struct unit_end end = {0};
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0)
        FAIL("pipe: %s", strerror(errno));
    fflush(stdout);
    fflush(stderr);
    pid_t child = fork();
    if (child < 0)
        FAIL("fork: %s", strerror(errno));
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(pipe_ends[1], 2);
        close(pipe_ends[0]);
        close(pipe_ends[1]);
        f(arg);
        fflush(stdout);
        _exit(0);
    }
    close(pipe_ends[1]);
    size_t have = 0;
    char spill[512];
    for (;;) {
        bool room = have < sizeof end.text - 1;
        ssize_t n =
            read(pipe_ends[0], room ? end.text + have : spill, room ? sizeof end.text - 1 - have : sizeof spill);
        if (n <= 0 && errno != EINTR)
            break;
        if (n == 0)
            break;
        if (room && n > 0)
            have += (size_t)n;
    }
    end.text[have] = 0;
    close(pipe_ends[0]);
    while (waitpid(child, &end.status, 0) < 0 && errno == EINTR) {
    }
    return end;
}

/* The child must end well. */
#define EXPECT_CHILD(f, arg)                                                                                 \
    do {                                                                                                     \
        struct unit_end unit_ended = unit_child(f, arg);                                                     \
        if (unit_ended.status != 0)                                                                          \
            FAIL("%s ended with status %#x and said: %s", #f, (unsigned)unit_ended.status, unit_ended.text); \
    } while (0)

/* The child must say `words` and abort. */
#define EXPECT_ABORT(f, arg, words)                                                                           \
    do {                                                                                                      \
        struct unit_end unit_ended = unit_child(f, arg);                                                      \
        if (!WIFSIGNALED(unit_ended.status) || WTERMSIG(unit_ended.status) != SIGABRT)                        \
            FAIL("%s ended with status %#x, expected an abort; it said: %s", #f, (unsigned)unit_ended.status, \
                 unit_ended.text);                                                                            \
        if (!strstr(unit_ended.text, words))                                                                  \
            FAIL("%s said: %s\nexpected in it: %s", #f, unit_ended.text, words);                              \
    } while (0)

/* ---- modes ---- */

static const char *unit_mode = "auto";

/* Runs f in a child for each mode that can be had: "auto" (sequences, where the kernel gives them) and "off" (locks). */
static inline void unit_each_mode(void (*f)(void *), void *arg)
{
    static const char *const modes[] = {"auto", "off"};
    for (int i = LOAM_TSAN ? 1 : 0; i < 2; i++) {
        char option[32];
        snprintf(option, sizeof option, "rseq:%s", modes[i]);
        setenv("LOAM", option, 1);
        unit_mode = modes[i];
        struct unit_end end = unit_child(f, arg);
        if (end.status != 0)
            FAIL("with LOAM=%s: status %#x: %s", option, (unsigned)end.status, end.text);
        fprintf(stderr, "%s", end.text);
    }
}

/* ---- contents ---- */

/* Fills and checks a block with what only this key gives: the first and last bytes, and one byte in 64 between. */
static inline void contents_put(void *block, size_t size, uint64_t key)
{
    unsigned char *p = block;
    for (size_t i = 0; i < size; i += i < 32 || i + 40 > size ? 1 : 64)
        p[i] = (unsigned char)((key * 0x9e3779b97f4a7c15u >> 40) + i * 7);
}

/* The offset of the first byte that is not as put (counting only up to `upto`), or SIZE_MAX. `size` is as it was put. */
static inline size_t contents_wrong(const void *block, size_t size, size_t upto, uint64_t key)
{
    const unsigned char *p = block;
    for (size_t i = 0; i < size && i < upto; i += i < 32 || i + 40 > size ? 1 : 64)
        if (p[i] != (unsigned char)((key * 0x9e3779b97f4a7c15u >> 40) + i * 7))
            return i;
    return SIZE_MAX;
}

static inline bool contents_zero(const void *block, size_t size)
{
    const unsigned char *p = block;
    return size == 0 || (p[0] == 0 && memcmp(p, p + 1, size - 1) == 0);
}

#endif
