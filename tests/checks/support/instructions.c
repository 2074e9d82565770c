/* Calls each entry N times from a function of its own, for instructions.sh to read their inclusive
 * cost from callgrind's record of calls. Compiled without PLT, so that the callee is the entry itself.
 * The caches are warm after the first calls; two runs, N and 2 N, cancel those. */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

extern void *_Znwm(size_t);
extern void _ZdlPv(void *);
extern void _ZdlPvm(void *, size_t);

static void *volatile sink;

#define LOOP(name, make, end) \
    __attribute__((noinline)) static void name(long n, size_t size) { \
        for (long i = 0; i < n; i++) { \
            void *p = make; \
            sink = p; \
            __asm__ volatile("# " #name); /* or the compiler folds two loops into one */ \
            end; \
        } \
        (void)size; \
    }

LOOP(pair_64, malloc(size), free(p))
LOOP(pair_1000, malloc(size), free(p))
LOOP(pair_2000, malloc(size), free(p))
LOOP(pair_20000, malloc(size), free(p))
LOOP(pair_50000, malloc(size), free(p))
LOOP(calloc_64, calloc(1, size), free(p))
LOOP(calloc_1000, calloc(1, size), free(p))
LOOP(aligned_64, aligned_alloc(64, size), free(p))
LOOP(aligned_1000, aligned_alloc(64, size), free(p))
LOOP(new_64, _Znwm(size), _ZdlPv(p))
LOOP(new_1000, _Znwm(size), _ZdlPv(p))
LOOP(new_sized_64, _Znwm(size), _ZdlPvm(p, size))
LOOP(new_sized_1000, _Znwm(size), _ZdlPvm(p, size))

__attribute__((noinline)) static void realloc_64(long n, void *p) {
    for (long i = 0; i < n; i++) sink = p = realloc(p, i % 2 ? 64 : 58);
    free(p);
}
__attribute__((noinline)) static void usable_64(long n, void *p) {
    for (long i = 0; i < n; i++) sink = (void *)malloc_usable_size(p);
    __asm__ volatile("# usable_64");
    free(p);
}
__attribute__((noinline)) static void usable_2000(long n, void *p) {
    for (long i = 0; i < n; i++) sink = (void *)malloc_usable_size(p);
    __asm__ volatile("# usable_2000");
    free(p);
}
__attribute__((noinline)) static void realloc_1000(long n, void *p) {
    for (long i = 0; i < n; i++) sink = p = realloc(p, i % 2 ? 1000 : 994);
    free(p);
}

/* Aligned and plain blocks of one size: before each aligned request a plain block, which is not aligned so, is freed last. It must not
 * stand in the way. */
__attribute__((noinline)) static void aligned_mixed_200(long n, void *plain) {
    for (long i = 0; i < n; i++) {
        free(plain);
        void *p = memalign(64, 200);
        sink = p;
        sink = plain = malloc(200);
        free(p);
    }
    free(plain);
}

/* Each turn leaves one free block of either size in the lists. */
__attribute__((noinline)) static void realloc_grow_4000(long n) {
    for (long i = 0; i < n; i++) {
        void *p = malloc(2000);
        sink = p;
        sink = p = realloc(p, 4000);
        free(p);
    }
}

int main(int argc, char **argv) {
    long n = argc > 1 ? atol(argv[1]) : 1000;
    pair_64(n, 64);
    pair_1000(n, 1000);
    pair_2000(n, 2000);
    pair_20000(n, 20000);
    pair_50000(n, 50000);
    calloc_64(n, 64);
    calloc_1000(n, 1000);
    aligned_64(n, 64);
    aligned_1000(n, 1000);
    new_64(n, 64);
    new_1000(n, 1000);
    new_sized_64(n, 64);
    new_sized_1000(n, 1000);
    void *plain = malloc(200);
    while ((uintptr_t)plain % 64 == 0) plain = malloc(200); /* what was aligned stays away */
    aligned_mixed_200(n, plain);
    realloc_grow_4000(n);
    realloc_64(n, malloc(64));
    usable_64(n, malloc(64));
    usable_2000(n, malloc(2000));
    realloc_1000(n, malloc(1000));
    return 0;
}
