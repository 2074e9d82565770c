// Promise: a large block takes free pages that are resident before fresh ones below them, aligned or not, and the lowest of these.
// TEST: cflags=-fno-builtin
//
// Blocks of 96 KiB stand side by side. The lowest ones are freed and given back to the kernel: holes of fresh pages. Then higher ones are
// freed, still resident. What is allocated next must lie in these: it takes no page fault, and the heap is not larger by it.
// A tick of the heap's clock may give the resident pages back before that, where the machine is slow: mincore tells, and the round
// is played again.
#include "support/surface.h"
#include <malloc.h>
#include <sys/mman.h>

enum { BLOCKS = 24, ROUNDS = 50 };
#define BLOCK (96 * KIB)

static unsigned char *block[BLOCKS];

static int by_address(const void *a, const void *b) {
    const unsigned char *left = *(unsigned char *const *)a, *right = *(unsigned char *const *)b;
    return left < right ? -1 : left > right;
}

// Pages of [p, p + size) that are in memory.
static size_t resident_pages(const void *p, size_t size) {
    unsigned char pages[BLOCK / 4096 + 1];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
    uintptr_t start = (uintptr_t)p / page * page, end = ((uintptr_t)p + size + page - 1) / page * page;
    CHECK((end - start) / page <= sizeof pages, "%zu bytes", size);
    CHECK(mincore((void *)start, end - start, pages) == 0, "mincore of %p", p);
    for (size_t i = 0; i < (end - start) / page; i++)
        count += pages[i] & 1;
    return count;
}

static bool is_inside(const void *p, size_t size, const unsigned char *hole) {
    return (const unsigned char *)p >= hole && (const unsigned char *)p + size <= hole + BLOCK;
}

enum { LOW = 1, MIDDLE = BLOCKS - 6, HIGH = BLOCKS - 3 }; // what is freed; LOW + 1 stays fresh, all others stay in use

// The holes are as they should be; false: a tick was faster.
static bool holes_make(void) {
    size_t pages = BLOCK / (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < BLOCKS; i++) {
        block[i] = malloc(BLOCK);
        CHECK(block[i] != NULL, "no memory");
    }
    qsort(block, BLOCKS, sizeof *block, by_address);
    for (int i = 0; i < BLOCKS; i++)
        memset(block[i], 1, BLOCK);
    free(block[LOW]);
    malloc_trim(0);
    CHECK(resident_pages(block[LOW], BLOCK) == 0, "malloc_trim left pages of a free block");
    free(block[HIGH]);
    free(block[MIDDLE]);
    return resident_pages(block[HIGH], BLOCK) == pages && resident_pages(block[MIDDLE], BLOCK) == pages;
}

static void holes_end(void *p, void *q) {
    free(p);
    free(q);
    for (int i = 0; i < BLOCKS; i++)
        if (i != LOW && i != MIDDLE && i != HIGH) free(block[i]);
}

static bool round_play(size_t align, size_t size) {
    if (!holes_make()) {
        holes_end(NULL, NULL);
        return false;
    }
    void *p = align ? memalign(align, size) : malloc(size); // each is looked at before its pages are touched
    CHECK(p != NULL && (align == 0 || (uintptr_t)p % align == 0), "memalign(%zu, %zu) gave %p", align, size, p);
    size_t found = resident_pages(p, size), pages = size / (size_t)sysconf(_SC_PAGESIZE);
    CHECK(found == pages, "%zu bytes aligned to %zu: %zu of %zu pages are resident at %p; a fresh hole is at %p, resident ones at %p and %p",
          size, align, found, pages, p, (void *)block[LOW], (void *)block[MIDDLE], (void *)block[HIGH]);
    CHECK(is_inside(p, size, block[MIDDLE]), "%zu bytes aligned to %zu are at %p, not in the lower hole at %p", size, align, p,
          (void *)block[MIDDLE]);
    void *q = align ? memalign(align, size) : malloc(size); // what is left of the first hole, or the second
    found = resident_pages(q, size);
    bool same_moment = resident_pages(block[HIGH], BLOCK) == BLOCK / (size_t)sysconf(_SC_PAGESIZE);
    CHECK(found == pages || !same_moment, "the second: %zu of %zu pages are resident at %p", found, pages, q);
    holes_end(p, q);
    return same_moment;
}

static void play(size_t align, size_t size) {
    for (int i = 0; i < ROUNDS; i++)
        if (round_play(align, size)) return;
    test_skip("the heap's clock gave the pages back before they were asked for, in each of 50 rounds");
}

int main(void) {
    test_begin(60);
    void *first = malloc(BLOCK), *stays = malloc(BLOCK); // the first pages that a heap gives back are looked at, which maps one again
    CHECK(first && stays, "no memory");
    memset(first, 1, BLOCK);
    free(first);
    malloc_trim(0);
    play(0, BLOCK);
    play(0, 40 * KIB);
    play(16 * KIB, 48 * KIB);
    free(stays);
    return 0;
}
