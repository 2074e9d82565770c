// Promise: under RLIMIT_AS of 64 MiB every entry answers NULL and ENOMEM when memory is out, and the heap goes on.
// TEST: cflags=-fno-builtin
//
// A child is started under the limit, so that loading and starting must fit, too. Each entry point
// allocates blocks of one size until it is refused; errno, contents, and a decent yield are checked,
// then all is freed and the same must be had again. realloc that cannot grow leaves its block alone.
#include "support/child.h"
#include "support/load.h"
#include <sys/resource.h>

enum { LIMIT = 64 << 20, DECENT = 32 << 20 };

struct node {
    struct node *next;
    size_t size;
};

enum { MALLOC, CALLOC, REALLOC, REALLOCARRAY, ALIGNED_ALLOC, POSIX_MEMALIGN, MEMALIGN, VALLOC, PVALLOC, ENTRIES };
static const char *const names[] = {"malloc", "calloc", "realloc", "reallocarray", "aligned_alloc",
                                    "posix_memalign", "memalign", "valloc", "pvalloc"};

static void *entry_call(unsigned entry, size_t size) {
    void *p = NULL;
    // So that a yield can be asked for: no alignment over the size.
    size_t alignment = size < 128 ? 32 : 128;
    errno = 0;
    switch (entry) {
    case MALLOC: return malloc(size);
    case CALLOC: return calloc(size / 16, 16);
    case REALLOC: return realloc(NULL, size);
    case REALLOCARRAY: return reallocarray(NULL, size / 16, 16);
    case ALIGNED_ALLOC: return aligned_alloc(alignment, size);
    case POSIX_MEMALIGN: {
        int error = posix_memalign(&p, alignment / 2, size);
        CHECK(error == 0 || error == ENOMEM, "posix_memalign = %d", error);
        if (error) errno = error;
        return error ? NULL : p;
    }
    case MEMALIGN: return memalign(alignment, size);
    case VALLOC: return valloc(size);
    default: return pvalloc(size);
    }
}

static size_t fill_up(unsigned entry, size_t size, struct node **list) {
    size_t count = 0;
    for (;;) {
        struct node *node = entry_call(entry, size);
        if (!node) break;
        pattern_fill(node + 1, size - sizeof *node, entry + size);
        node->next = *list;
        node->size = size;
        *list = node;
        count++;
    }
    CHECK(errno == ENOMEM, "%s(%zu) was refused with another errno", names[entry], size);
    return count;
}

static void give_back(unsigned entry, struct node *list) {
    while (list) {
        struct node *next = list->next;
        size_t length = list->size - sizeof *list;
        CHECK(pattern_check(list + 1, length, length, entry + list->size) == length,
              "%s: a block of %zu changed", names[entry], list->size);
        free(list);
        list = next;
    }
}

static void entries_run_out(void) {
    static const size_t sizes[] = {32, 512, 4096, 48 * 1024, 1 << 20, 12 << 20};
    for (unsigned entry = 0; entry < ENTRIES; entry++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            size_t size = sizes[s], counts[2];
            if (s == 0 && entry % 4 != 0) continue; // millions of blocks: some entries will do
            size_t page_rounded = entry >= VALLOC && size < 4096 ? 4096 : size;
            for (int round = 0; round < 2; round++) {
                struct node *list = NULL;
                counts[round] = fill_up(entry, size, &list);
                // A small one may still be had from what is left over; a large one must be refused.
                CHECK(entry_call(entry, (size_t)LIMIT) == NULL && errno == ENOMEM, "%s of 64 MiB",
                      names[entry]);
                give_back(entry, list);
            }
            printf("%-14s of %8zu: %zu blocks, then %zu\n", names[entry], size, counts[0], counts[1]);
            if (is_any_allowed() && !is_loam()) continue; // the C library's alignment is costly
            CHECK(counts[0] * page_rounded >= DECENT, "%s of %zu: only %zu blocks", names[entry], size,
                  counts[0]);
            CHECK(counts[1] >= counts[0] - counts[0] / 8, "%s of %zu: %zu blocks, then only %zu",
                  names[entry], size, counts[0], counts[1]);
        }
}

static void realloc_runs_out(void) {
    for (size_t first = 100; first < 8 * MIB; first *= 7) {
        unsigned char *p = malloc(first);
        CHECK(p != NULL, "no memory for %zu", first);
        pattern_fill(p, first, 9);
        size_t size = first;
        for (;;) {
            errno = 0;
            unsigned char *q = realloc(p, size + size / 2);
            if (!q) break;
            p = q;
            size += size / 2;
            CHECK(pattern_check(p, first, first, 9) == first, "realloc to %zu lost contents", size);
        }
        CHECK(errno == ENOMEM, "realloc of %zu failed with another errno", size);
        CHECK(pattern_check(p, first, first, 9) == first, "the refused block of %zu changed", size);
        // Copying to a larger place needs both at once: a third of what there is must be reached.
        CHECK(size >= 15 * MIB, "realloc grew only to %zu", size);
        memset(p, 3, size);
        free(p);
    }
}

static int life(void) {
    setvbuf(stdout, NULL, _IOLBF, 512);
    entries_run_out();
    realloc_runs_out();
    static struct load load;
    for (uint64_t seed = 1; seed < 4; seed++) {
        load_run(&load, seed, 30000, 8 * 1024, false);
        printf("mixed load %llu: %zu calls served, %zu refused\n", (unsigned long long)seed, load.got,
               load.refused);
        load_clear(&load);
        load.got = load.refused = 0;
    }
    malloc_trim(0);
    void *half = malloc(DECENT);
    CHECK(half != NULL, "all is free, and 32 MiB are refused");
    memset(half, 1, DECENT);
    free(half);
    return 0;
}

static struct child child;

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--life") == 0) return life();
    test_begin(100);
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0, "getrlimit");
    limit.rlim_cur = LIMIT;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
    child_exec(&child, "--life", environ);
    say(1, child.output, child.length);
    CHECK(child_exited(&child, 0), "under the limit it ended with %#x", child.status);
    return 0;
}
