// What every surface test needs: a check that names its line, a watchdog, a seed, children, RSS.
//
// Surface tests are ordinary programs that see Loam only from outside. A program that forgot to load
// Loam would pass most of them on the C library's malloc, so test_begin() first makes sure that it
// runs on Loam, and fails if not. LOAM_TEST_ANY=1 lifts that: so the tests themselves are proven
// against other allocators.
//
// Nothing in here allocates from the heap under test: a failing check formats on the stack, writes
// with write(2) and leaves with _exit(), because the heap may be broken at that moment.
// Include this file first (it asks for the GNU interfaces).
#ifndef SURFACE_H
#define SURFACE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define TEST_SKIPPED 77

// Weak, and named apart from the public header's declaration, so that both may be included.
extern void surface_loam_marker(void) __asm__("loam_version") __attribute__((weak));

static uint64_t test_seed_value;

static inline void say(int fd, const char *text, size_t length) {
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        text += n;
        length -= (size_t)n;
    }
}

__attribute__((format(printf, 4, 5), noreturn, cold)) static inline void
test_fail(const char *file, int line, const char *what, const char *format, ...) {
    char text[1024];
    char detail[640];
    int saved = errno;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    int n = snprintf(text, sizeof text, "FAIL %s:%d: expected %s: %s (errno %d; seed %llu)\n", file,
                     line, what, detail, saved, (unsigned long long)test_seed_value);
    if (n > (int)sizeof text - 1) n = (int)sizeof text - 1;
    say(2, text, (size_t)n);
    _exit(1);
}

// A macro, because it must know its own line.
#define CHECK(condition, ...) \
    do { \
        if (!(condition)) test_fail(__FILE__, __LINE__, #condition, __VA_ARGS__); \
    } while (0)

__attribute__((noreturn)) static inline void test_skip(const char *reason) {
    say(1, "skip: ", 6);
    say(1, reason, strlen(reason));
    say(1, "\n", 1);
    _exit(TEST_SKIPPED);
}

static inline bool is_loam(void) {
    return surface_loam_marker != NULL;
}

// True where the test is being proven against another allocator: then Loam-only demands are waived.
static inline bool is_any_allowed(void) {
    return getenv("LOAM_TEST_ANY") != NULL;
}

static inline void watchdog_bark(int signal_number) {
    static const char text[] = "FAIL: the watchdog ended a test that hung\n";
    (void)signal_number;
    say(2, text, sizeof text - 1);
    _exit(99);
}

// Ends the process, loudly, after `seconds`. On SIGXCPU, so that tests may use SIGALRM themselves.
// A timer is not inherited by fork: each child that could hang starts its own.
static inline void watchdog_start(unsigned seconds) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = watchdog_bark;
    sigaction(SIGXCPU, &action, NULL);
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGXCPU;
    timer_t timer;
    struct itimerspec when;
    memset(&when, 0, sizeof when);
    when.it_value.tv_sec = (time_t)seconds;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) timer_settime(timer, 0, &when, NULL);
}

static inline uint64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline double seconds_since(uint64_t start) {
    return (double)(clock_ns() - start) / 1e9;
}

static inline void sleep_ms(unsigned ms) {
    struct timespec span;
    span.tv_sec = (time_t)(ms / 1000);
    span.tv_nsec = (long)(ms % 1000) * 1000000L;
    while (nanosleep(&span, &span) != 0 && errno == EINTR) {}
}

// Call first in main(). `seconds` is far over what the test needs: it ends hangs, it times nothing.
static inline void test_begin(unsigned seconds) {
    const char *given = getenv("LOAM_TEST_SEED");
    test_seed_value = given ? strtoull(given, NULL, 0) : clock_ns() ^ ((uint64_t)getpid() << 32);
    if (!is_loam() && !is_any_allowed()) {
        static const char text[] = "FAIL: this program does not run on Loam (loam_version is not in "
                                   "it); to prove the test on another malloc set LOAM_TEST_ANY=1\n";
        say(2, text, sizeof text - 1);
        _exit(1);
    }
    watchdog_start(seconds);
}

// Random numbers: splitmix64. One generator per thread.
struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice) {
    uint64_t z = (dice->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline uint64_t dice_below(struct dice *dice, uint64_t bound) {
    return dice_next(dice) % bound;
}

static inline struct dice dice_make(uint64_t salt) {
    struct dice dice;
    dice.state = test_seed_value ^ (salt * 0xd1342543de82ef95u);
    dice_next(&dice);
    return dice;
}

// Sizes as programs ask for them: mostly small, a tail to 256 KiB.
static inline size_t dice_size(struct dice *dice) {
    uint64_t kind = dice_below(dice, 100);
    if (kind < 60) return (size_t)dice_below(dice, 200);
    if (kind < 90) return (size_t)dice_below(dice, 4000);
    if (kind < 99) return (size_t)dice_below(dice, 40000);
    return (size_t)dice_below(dice, 256 * 1024);
}

// Makes the compiler forget where a pointer came from: no pair is removed, no misuse is foreseen.
static inline void *launder(const void *p) {
    uintptr_t word = (uintptr_t)p;
    __asm__ volatile("" : "+r"(word) : : "memory");
    return (void *)word;
}

// Contents that depend on a tag and the offset only, so that a moved block keeps them.
// Beyond 4 KiB only the two ends (a KiB each) and every 64th word between are written and looked at:
// enough to see a stranger's hand.
enum { PATTERN_WHOLE = 4096, PATTERN_END = 1024, PATTERN_STRIDE = 512 };

static inline uint64_t pattern_word(uint64_t tag, size_t offset) {
    return (tag + offset / 8 + 1) * 0x9e3779b97f4a7c15u;
}

static inline size_t pattern_next(size_t offset, size_t size) {
    size_t last = (size - PATTERN_END) / 8 * 8; // where the second end begins
    if (size <= PATTERN_WHOLE || offset < PATTERN_END || offset >= last) return offset + 8;
    return offset + PATTERN_STRIDE < last ? offset + PATTERN_STRIDE : last;
}

static inline void pattern_fill(void *p, size_t size, uint64_t tag) {
    for (size_t i = 0; i < size; i = pattern_next(i, size)) {
        uint64_t word = pattern_word(tag, i);
        memcpy((char *)p + i, &word, size - i < 8 ? size - i : 8);
    }
}

// The offset of the first byte that is not as filled with the same size and tag, or `limit`: of a
// block of `size` bytes only `limit` may have been kept.
static inline size_t pattern_check(const void *p, size_t size, size_t limit, uint64_t tag) {
    if (limit > size) limit = size;
    for (size_t i = 0; i < limit; i = pattern_next(i, size)) {
        uint64_t word = pattern_word(tag, i), found = word;
        size_t n = limit - i < 8 ? limit - i : 8;
        memcpy(&found, (const char *)p + i, n);
        if (found == word) continue;
        const char *a = (const char *)&found, *b = (const char *)&word;
        for (size_t k = 0; k < n; k++)
            if (a[k] != b[k]) return i + k;
    }
    return limit;
}

// The offset of the first byte that is not zero, or `size`.
static inline size_t zero_check(const void *p, size_t size) {
    const char *bytes = (const char *)p;
    size_t i = 0;
    for (uint64_t word; i + 8 <= size; i += 8) {
        memcpy(&word, bytes + i, 8);
        if (word != 0) break;
    }
    while (i < size && bytes[i] == 0) i++;
    return i;
}

#endif
