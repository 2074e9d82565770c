// Promise: appending in small steps copies seldom, contents stay, and what is left over is bounded; shrinking gives it back.
// TEST: cflags=-fno-builtin
//
// Behind each block stands another, so that it cannot simply grow in place: how often it moves is counted.
#include "support/surface.h"
#include <malloc.h>

enum { STEP = 24, BYTES = 3 << 20, MOVES_MOST = 100, GUARDS = 4096 };

static void *guards[GUARDS];

int main(void) {
    unsigned char *p = malloc(STEP);
    size_t size = STEP, moves = 0;
    CHECK(p != NULL, "no memory");
    memset(p, 7, size);
    while (size < BYTES) {
        size += STEP;
        unsigned char *q = realloc(p, size);
        CHECK(q != NULL, "no memory");
        if (q != p) { // whatever stands behind it now, stands in the way
            CHECK(moves < GUARDS, "moved %zu times already, at %zu bytes", moves, size);
            guards[moves++] = malloc(malloc_usable_size(q));
        }
        p = q;
        size_t usable = malloc_usable_size(p);
        CHECK(usable >= size && usable <= size + size / 4 + 8192, "%zu usable bytes of %zu", usable, size);
        memset(p + size - STEP, 7, STEP);
    }
    for (size_t i = 0; i < size; i++)
        CHECK(p[i] == 7, "byte %zu of %zu is lost", i, size);
    printf("%zu steps of %d bytes: moved %zu times\n", size / STEP, STEP, moves);
    CHECK(moves <= MOVES_MOST, "moved %zu times on the way to %zu bytes", moves, size);
    p = realloc(p, 1000);
    CHECK(p != NULL && malloc_usable_size(p) < 1300, "%zu usable bytes of 1000", malloc_usable_size(p));
    for (size_t i = 0; i < 1000; i++)
        CHECK(p[i] == 7, "byte %zu is lost in shrinking", i);
    free(p);
    for (size_t i = 0; i < moves; i++)
        free(guards[i]);
    return 0;
}
