/* speed LIVE OPERATIONS LARGEST: random sizes up to LARGEST, LIVE objects alive, one thread. Prints two times in microseconds:
 * with TAKE and GIVE, and with the C library's malloc and free. Compiled with -DTAKE=mymalloc -DGIVE=myfree. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void *TAKE(size_t size);
void GIVE(void *at);

static void *objects[1000000];
static uint64_t state;

static uint32_t next(uint32_t bound)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(((state >> 33) * bound) >> 31);
}

static long microseconds(void *(*take)(size_t), void (*give)(void *), uint32_t live, long operations, uint32_t largest)
{
    struct timespec begin, end;
    state = 1;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (long i = 0; i < operations; i++) {
        void **slot = &objects[next(live)];
        if (*slot != NULL)
            give(*slot);
        size_t size = 1 + next(largest);
        *slot = take(size);
        if (*slot == NULL)
            exit(1);
        memset(*slot, 1, size < 64 ? size : 64);
    }
    for (uint32_t i = 0; i < live; i++) {
        if (objects[i] != NULL)
            give(objects[i]);
        objects[i] = NULL;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (end.tv_sec - begin.tv_sec) * 1000000L + (end.tv_nsec - begin.tv_nsec) / 1000;
}

int main(int argc, char **argv)
{
    uint32_t live = argc > 1 ? (uint32_t)atol(argv[1]) : 1000, largest = argc > 3 ? (uint32_t)atol(argv[3]) : 500;
    long operations = argc > 2 ? atol(argv[2]) : 1000000;
    if (live < 1 || live > 1000000 || largest < 1)
        return 2;
    long mine = microseconds(TAKE, GIVE, live, operations, largest);
    printf("%ld %ld\n", mine, microseconds(malloc, free, live, operations, largest));
    return 0;
}
