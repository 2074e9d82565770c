// Promise: realloc that cannot have an eighth more than it was asked for still gets what was asked for, where only that is to be had.
// TEST: cflags=-fno-builtin
//
// The address space is limited and filled up. Then one block is freed between two that stay: a hole of just the size that is asked
// for, while a block that grows by so little would rather have more.
#include "support/memory.h"
#include <malloc.h>
#include <sys/resource.h>

enum { MOST = 4000, PAGES_SMALL = 20, PAGES_WANTED = 21 };

static unsigned char *grows[64], *filler[MOST];
static size_t filled;

static int by_address(const void *a, const void *b) {
    const unsigned char *left = *(unsigned char *const *)a, *right = *(unsigned char *const *)b;
    return left < right ? -1 : left > right;
}

static void address_space_limit(size_t more) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0, "getrlimit");
    limit.rlim_cur = memory_virtual() + more;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
}

int main(void) {
    test_begin(60);
    if (sysconf(_SC_PAGESIZE) != 4096) test_skip("with larger pages such blocks have mappings of their own");
    size_t page = 4096, wanted = PAGES_WANTED * page, count = 0, lone = 0;
    for (size_t i = 0; i < sizeof grows / sizeof *grows; i++) {
        grows[i] = malloc(PAGES_SMALL * page);
        CHECK(grows[i] != NULL, "no memory");
        pattern_fill(grows[i], PAGES_SMALL * page, i);
    }
    address_space_limit(16 * MIB);
    while (count < MOST / 2 && (filler[count] = malloc(wanted))) count++;
    CHECK(count < MOST / 2, "the limit is not held: %zu blocks of %zu bytes", count, wanted);
    qsort(filler, count, sizeof *filler, by_address);
    filled = count;
    for (size_t size = wanted - page; size > 32 * KIB; size -= page) // what is left between them
        while (filled < MOST && (filler[filled] = malloc(size))) filled++;
    CHECK(filled < MOST, "the limit is not held");
    for (size_t i = 1; i + 1 < count && !lone; i++) // a block whose neighbours are in use
        if (filler[i - 1] + wanted == filler[i] && filler[i] + wanted == filler[i + 1]) lone = i;
    CHECK(lone != 0, "no three of %zu blocks stand side by side", count);
    unsigned char *hole = filler[lone], *p = grows[0];
    // in place: one page behind it is all there is
    CHECK(realloc(hole, PAGES_SMALL * page) == hole, "a block of %zu bytes moved to become smaller", wanted);
    CHECK(realloc(hole, wanted) == hole, "a page is free behind the block at %p, and it could not grow by that", (void *)hole);
    // elsewhere
    free(hole);
    filler[lone] = NULL;
    unsigned char *q = realloc(p, wanted);
    CHECK(q != NULL, "%zu bytes are free at %p, and %zu of them were refused to a block of %zu", wanted, (void *)hole, wanted,
          PAGES_SMALL * page);
    grows[0] = NULL;
    CHECK(malloc_usable_size(q) >= wanted, "%zu usable bytes", malloc_usable_size(q));
    CHECK(pattern_check(q, PAGES_SMALL * page, PAGES_SMALL * page, 0) == PAGES_SMALL * page, "contents are lost");
    // and that was all there was: what is refused leaves the block as it is
    errno = 0;
    void *none = realloc(grows[1], 2 * wanted);
    CHECK(none == NULL && errno == ENOMEM, "%zu bytes were had", 2 * wanted);
    CHECK(pattern_check(grows[1], PAGES_SMALL * page, PAGES_SMALL * page, 1) == PAGES_SMALL * page, "a refused block changed");
    free(q);
    for (size_t i = 1; i < sizeof grows / sizeof *grows; i++) free(grows[i]);
    for (size_t i = 0; i < filled; i++) free(filler[i]);
    return 0;
}
