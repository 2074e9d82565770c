/* What the C programs of the interface tests share: a check that names its line, and a small seeded generator.
 *
 * Self-contained on purpose (no header of the library): these programs are a user's programs. */
#ifndef COMPAT_CHECK_H
#define COMPAT_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition, ...)                                                         \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not true: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                                             \
            fputc('\n', stderr);                                                      \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

static uint64_t check_random_state = 1;

/* Takes the seed from LOAM_TEST_SEED, else the given one; prints it, so that a failure can be repeated. */
static inline void check_seed(uint64_t seed)
{
    const char *given = getenv("LOAM_TEST_SEED");
    if (given != NULL)
        seed = strtoull(given, NULL, 0);
    printf("LOAM_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    check_random_state = seed * 0x9e3779b97f4a7c15u | 1;
}

/* Evenly in [0, bound), bound > 0 (splitmix64). */
static inline uint32_t check_random(uint32_t bound)
{
    uint64_t x = check_random_state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return (uint32_t)(((x >> 32) * bound) >> 32);
}

#endif
