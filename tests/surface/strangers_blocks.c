// Promise: blocks of the C library's own malloc are told from bad pointers and passed on to it.
// TEST: cflags=-fno-builtin
// TEST: libs=-ldl
//
// Asked of the C library itself by a look-up in its own handle, so that Loam is not found first.
// From all its arenas: the break, threads' arenas, direct mappings, aligned blocks; given to free,
// realloc, malloc_usable_size, reallocarray, cfree, from several threads. Large blocks of ours live
// between its mappings, in odd numbers of pages: the page after our last may be the C library's.
#include "support/surface.h"
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>

enum { BLOCKS = 300 };

extern void cfree(void *) __attribute__((weak));

static void *(*their_malloc)(size_t);
static void *(*their_calloc)(size_t, size_t);
static void *(*their_memalign)(size_t, size_t);
static struct mallinfo2 (*their_mallinfo)(void);

static void find(void *function, void *handle, const char *name) {
    void *address = dlsym(handle, name);
    CHECK(address != NULL, "%s is not in the C library", name);
    memcpy(function, &address, sizeof address);
}

static void *their_block(struct dice *dice, size_t size) {
    switch (dice_below(dice, 3)) {
    case 0: return their_malloc(size);
    case 1: return their_calloc(1, size);
    default: return their_memalign((size_t)1 << dice_below(dice, 13), size);
    }
}

static void *thread_run(void *salt) {
    struct dice dice = dice_make((uintptr_t)salt);
    static unsigned char *handed[BLOCKS]; // between threads; exchanged atomically, sized 100
    for (int round = 0; round < 30; round++) {
        unsigned char *blocks[BLOCKS];
        size_t sizes[BLOCKS];
        void *ours[BLOCKS] = {0};
        for (size_t i = 0; i < BLOCKS; i++) {
            bool large = dice_below(&dice, 20) == 0;
            sizes[i] = large ? 200 * KIB + 4 * KIB * dice_below(&dice, 100) : dice_size(&dice);
            blocks[i] = their_block(&dice, sizes[i]);
            CHECK(blocks[i] != NULL, "the C library has no memory");
            pattern_fill(blocks[i], sizes[i], i);
            free(launder(malloc(sizes[i])));
            if (large) ours[i] = malloc(200 * KIB + 4 * KIB * dice_below(&dice, 300));
        }
        for (size_t i = 0; i < BLOCKS; i++) {
            CHECK(malloc_usable_size(blocks[i]) >= sizes[i], "usable size %zu of %zu",
                  malloc_usable_size(blocks[i]), sizes[i]);
            CHECK(pattern_check(blocks[i], sizes[i], sizes[i], i) == sizes[i], "a block changed");
            if (i % 3 == 1) {
                size_t size = dice_size(&dice) + 1, kept = size < sizes[i] ? size : sizes[i];
                blocks[i] = i % 2 ? realloc(blocks[i], size) : reallocarray(blocks[i], size, 1);
                CHECK(blocks[i] && pattern_check(blocks[i], sizes[i], kept, i) == kept,
                      "realloc of %zu to %zu lost contents", sizes[i], size);
            }
            errno = 4095;
            if (i % 7 == 2 && cfree) cfree(blocks[i]);
            else free(blocks[i]);
            CHECK(errno == 4095, "free changed errno to %d", errno);
            free(ours[i]);
        }
        unsigned char *mine = their_malloc(100);
        free(__atomic_exchange_n(&handed[dice_below(&dice, BLOCKS)], mine, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    test_begin(60);
    void *library = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    CHECK(library != NULL, "the C library is not loaded: %s", dlerror());
    find(&their_malloc, library, "__libc_malloc");
    find(&their_calloc, library, "__libc_calloc");
    find(&their_memalign, library, "__libc_memalign");
    find(&their_mallinfo, library, "mallinfo2");
    if (!is_any_allowed()) CHECK(their_malloc != malloc, "that is our own malloc");
    thread_run((void *)9);
    for (uintptr_t i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, thread_run, (void *)i) == 0, "no thread");
    for (size_t i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    // They were freed there, not forgotten: at most the handed-over ones and caches are left.
    struct mallinfo2 info = their_mallinfo();
    printf("left in the C library: %zu bytes in use, %zu mapped\n", info.uordblks, info.hblkhd);
    CHECK(info.uordblks < 2 * MIB && info.hblkhd < 2 * MIB, "%zu bytes were not passed on",
          info.uordblks + info.hblkhd);
    return 0;
}
