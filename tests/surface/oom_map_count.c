// Promise: with vm.max_map_count reached, where munmap and mmap fail, the heap stays whole and recovers.
// TEST: cflags=-fno-builtin
//
// The test splits a mapping of its own into single pages of alternating protection until the kernel
// has no more mappings for it. Then blocks are freed (unmapping the middle of a mapping needs one
// more, and is refused), allocated, resized. Afterwards the pages are let go, and all must be well.
#include "support/load.h"
#include "support/memory.h"
#include <sys/mman.h>

enum { LARGE = 60 };

static struct load load;
static unsigned char *large[LARGE];

// Uses up the map count; how many changes of protection it took.
static size_t maps_use_up(unsigned char *pages, size_t count, size_t page) {
    for (size_t i = 0; i < count; i += 2)
        if (mprotect(pages + i * page, page, PROT_NONE) != 0) return i;
    return count;
}

static void large_make(size_t i) {
    errno = 0;
    large[i] = malloc((1 + i % 7) * MIB);
    if (large[i]) pattern_fill(large[i], (1 + i % 7) * MIB, i);
    else CHECK(errno == ENOMEM, "malloc failed with another errno");
}
static void large_drop(size_t i) {
    size_t size = (1 + i % 7) * MIB;
    if (!large[i]) return;
    size_t at = pattern_check(large[i], size, size, i);
    CHECK(at == size, "large block %zu: byte %zu changed", i, at);
    free(large[i]);
    large[i] = NULL;
}

int main(void) {
    char text[64];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    test_begin(60);
    CHECK(file_read("/proc/sys/vm/max_map_count", text, sizeof text) > 0, "no max_map_count");
    size_t limit = strtoull(text, NULL, 10);
    if (limit > 300000) test_skip("vm.max_map_count is over 300,000 here: too long to reach");
    size_t count = limit + 2000;
    unsigned char *pages = mmap(NULL, count * page, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(pages != MAP_FAILED, "no address space for the test");
    for (size_t i = 0; i < LARGE; i++) large_make(i);
    load_run(&load, 1, 20000, 4096, true);

    size_t used = maps_use_up(pages, count, page);
    printf("max_map_count %zu reached after %zu pages\n", limit, used);
    CHECK(used < count, "the map count was not reached");
    for (size_t i = 0; i < LARGE; i += 2) large_drop(i);
    load_run(&load, 2, 20000, 4096, false);
    for (size_t i = 0; i < LARGE; i += 4) large_make(i);
    maps_use_up(pages + used * page, count - used, page); // what was set free meanwhile
    for (size_t i = 1; i < LARGE; i += 2) large_drop(i);
    load_run(&load, 3, 20000, 4096, false);
    malloc_trim(0);
    printf("at the limit: %zu calls served, %zu refused\n", load.got, load.refused);

    CHECK(munmap(pages, count * page) == 0, "the test cannot let go");
    for (size_t i = 0; i < LARGE; i++) {
        large_drop(i);
        large_make(i);
        CHECK(large[i] != NULL, "memory is back, and %zu MiB are refused", 1 + i % 7);
    }
    load_run(&load, 4, 20000, 4096, true);
    load_clear(&load);
    for (size_t i = 0; i < LARGE; i++) large_drop(i);
    malloc_trim(0);
    printf("at the end: RSS %.1f MiB, address space %.1f MiB\n", as_mib(memory_rss()),
           as_mib(memory_virtual()));
    fflush(stdout);
    // The C library forgets what it could not unmap.
    CHECK(memory_rss() < 16 * MIB || (is_any_allowed() && !is_loam()), "RSS stays at %zu", memory_rss());
    return 0;
}
