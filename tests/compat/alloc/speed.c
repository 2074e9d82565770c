/* Times requests of 8 to 512 bytes in random order within one page: alloc.h against the C library. Prints two times in
 * microseconds: the manager's, the C library's. */
#define _GNU_SOURCE
#include "alloc.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 2000000, SLOTS = 16 };

static uint64_t state;

static uint32_t next(uint32_t bound)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(((state >> 33) * bound) >> 31);
}

static long microseconds(char *(*take)(int), void (*give)(char *))
{
    static char *slots[SLOTS];
    struct timespec begin, end;
    state = 1;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t slot = next(SLOTS);
        if (slots[slot] != NULL) {
            give(slots[slot]);
            slots[slot] = NULL;
        } else if ((slots[slot] = take(8 * (int)(1 + next(64)))) != NULL) {
            *slots[slot] = 1;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i] != NULL)
            give(slots[i]);
        slots[i] = NULL;
    }
    return (end.tv_sec - begin.tv_sec) * 1000000L + (end.tv_nsec - begin.tv_nsec) / 1000;
}

static char *library_take(int size)
{
    return malloc((size_t)size);
}
static void library_give(char *at)
{
    free(at);
}

int main(void)
{
    if (init() != 0)
        return 1;
    printf("%ld %ld\n", microseconds(alloc, dealloc), microseconds(library_take, library_give));
    return cleanup();
}
