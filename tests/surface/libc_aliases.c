// Promise: __libc_malloc and its family, and cfree, are the same heap as malloc and free.
// TEST: cflags=-fno-builtin
//
// Old programs and wrappers call these names. Each must be found, and a block from any of them can
// be given to any other. The names have no declaration in the C library's headers, and cfree can no
// longer be linked against it, so all are asked for by dlsym.
#include "support/surface.h"
#include <dlfcn.h>
#include <malloc.h>

typedef void *(*one_argument)(size_t);
typedef void *(*two_arguments)(size_t, size_t);
typedef void *(*resizer)(void *, size_t);
typedef void (*releaser)(void *);

// Through a union, because ISO C has no cast from an object pointer to a function pointer.
union symbol {
    void *address;
    one_argument one;
    two_arguments two;
    resizer resize;
    releaser release;
};

static union symbol find(const char *name) {
    union symbol symbol;
    symbol.address = dlsym(RTLD_DEFAULT, name);
    // The C library keeps its cfree for old programs only, hidden from dlsym.
    if (!symbol.address && is_any_allowed()) symbol.release = free;
    CHECK(symbol.address != NULL, "%s is not found", name);
    if (!is_any_allowed()) {
        // It must come from the library that malloc comes from, not from the C library behind it.
        Dl_info ours, theirs;
        CHECK(dladdr((void *)surface_loam_marker, &ours) && dladdr(symbol.address, &theirs),
              "%s is in no library", name);
        CHECK(ours.dli_fbase == theirs.dli_fbase, "%s comes from %s", name, theirs.dli_fname);
    }
    return symbol;
}

int main(void) {
    test_begin(30);
    union symbol libc_malloc = find("__libc_malloc"), libc_calloc = find("__libc_calloc");
    union symbol libc_realloc = find("__libc_realloc"), libc_free = find("__libc_free");
    union symbol libc_memalign = find("__libc_memalign"), libc_valloc = find("__libc_valloc");
    union symbol libc_pvalloc = find("__libc_pvalloc"), old_cfree = find("cfree");
    releaser releasers[] = {free, libc_free.release, old_cfree.release};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    for (size_t size = 1; size < 4 * MIB; size = size * 3 + 5)
        for (size_t r = 0; r < 3; r++) {
            void *blocks[6] = {libc_malloc.one(size),          libc_calloc.two(3, size),
                               libc_memalign.two(256, size),   libc_valloc.one(size),
                               libc_pvalloc.one(size),         libc_realloc.resize(NULL, size)};
            for (size_t i = 0; i < 6; i++) {
                CHECK(blocks[i] != NULL, "entry %zu, size %zu", i, size);
                CHECK(malloc_usable_size(blocks[i]) >= size, "entry %zu, size %zu", i, size);
            }
            CHECK(zero_check(blocks[1], 3 * size) == 3 * size, "__libc_calloc is not zero");
            CHECK((uintptr_t)blocks[2] % 256 == 0, "__libc_memalign gave %p", blocks[2]);
            CHECK((uintptr_t)blocks[3] % page == 0, "__libc_valloc gave %p", blocks[3]);
            CHECK((uintptr_t)blocks[4] % page == 0, "__libc_pvalloc gave %p", blocks[4]);
            for (size_t i = 0; i < 6; i++) pattern_fill(blocks[i], size, i);
            for (size_t i = 0; i < 6; i++) {
                CHECK(pattern_check(blocks[i], size, size, i) == size, "entry %zu overlaps", i);
                releasers[r](blocks[i]);
            }
        }

    void *ours = malloc(100);
    pattern_fill(ours, 100, 1);
    ours = libc_realloc.resize(ours, 10000);
    CHECK(pattern_check(ours, 100, 100, 1) == 100, "__libc_realloc of a malloc lost contents");
    ours = realloc(ours, 50);
    libc_free.release(ours);
    libc_free.release(NULL);
    old_cfree.release(NULL);
    return 0;
}
