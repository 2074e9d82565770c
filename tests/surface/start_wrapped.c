// Promise: a program's own malloc wrapper that finds us by dlsym(RTLD_NEXT) works, whole or in part.
// TEST: cflags=-fno-builtin
// TEST: libs=-ldl
//
// The classic interposer: malloc, free, calloc and realloc defined in the executable, which look up
// the next ones at the first call, inside dlsym's own possible need of memory. Everything in the
// process, the C library's own calls too, goes through the wrapper; memalign and its like do not,
// and their blocks come back through the wrapper's free.
#include "support/surface.h"
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>

static void *(*next_malloc)(size_t);
static void (*next_free)(void *);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static bool looking;
static unsigned long calls;

static char early[65536]; // what is asked for while we are looking
static size_t early_used;

static void *early_take(size_t size) {
    void *p = early + early_used;
    early_used += (size + 15) / 16 * 16;
    if (early_used > sizeof early) abort();
    return p;
}
static bool is_early(const void *p) {
    return (uintptr_t)p - (uintptr_t)early < sizeof early;
}

static void look(void) {
    void *found[4];
    looking = true;
    found[0] = dlsym(RTLD_NEXT, "malloc");
    found[1] = dlsym(RTLD_NEXT, "free");
    found[2] = dlsym(RTLD_NEXT, "calloc");
    found[3] = dlsym(RTLD_NEXT, "realloc");
    memcpy(&next_malloc, &found[0], sizeof found[0]);
    memcpy(&next_free, &found[1], sizeof found[1]);
    memcpy(&next_calloc, &found[2], sizeof found[2]);
    memcpy(&next_realloc, &found[3], sizeof found[3]);
    looking = false;
}

void *malloc(size_t size) {
    if (!next_malloc) {
        if (looking) return early_take(size);
        look();
    }
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    return next_malloc(size);
}
void *calloc(size_t members, size_t size) {
    if (!next_malloc) {
        if (looking) return early_take(members * size);
        look();
    }
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    return next_calloc(members, size);
}
void *realloc(void *p, size_t size) {
    if (!next_malloc) look();
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    if (is_early(p)) {
        void *q = next_malloc(size);
        if (q) memcpy(q, p, size);
        return q;
    }
    return next_realloc(p, size);
}
void free(void *p) {
    if (is_early(p)) return;
    if (!next_malloc) look();
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    next_free(p);
}

static void *thread_run(void *unused) {
    (void)unused;
    for (size_t i = 0; i < 20000; i++) {
        void *p = launder(malloc(i % 3000));
        p = realloc(p, i % 5000 + 1);
        free(p);
        free(launder(memalign(64, i % 700)));
    }
    return NULL;
}

int main(void) {
    test_begin(60);
    if (!is_any_allowed()) {
        Dl_info next, ours;
        void *address;
        CHECK(calls > 0 || malloc(1) != NULL, "no memory");
        memcpy(&address, &next_malloc, sizeof address);
        CHECK(dladdr(address, &next) && dladdr((void *)surface_loam_marker, &ours), "no dladdr");
        CHECK(next.dli_fbase == ours.dli_fbase, "the next malloc is %s's", next.dli_fname);
    }
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, thread_run, NULL) == 0, "no thread");
    for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    char *text = NULL;
    CHECK(asprintf(&text, "%d %s", 42, "formatted") > 0, "no asprintf");
    char *copy = strdup(text);
    CHECK(copy && strcmp(text, copy) == 0, "strdup");
    free(text);
    free(copy);
    dlerror();
    CHECK(dlsym(RTLD_DEFAULT, "no such symbol") == NULL && dlerror() != NULL, "dlerror");
    unsigned long before = calls;
    free(launder(malloc(10)));
    CHECK(calls == before + 2, "the wrapper saw %lu calls", calls - before);
    CHECK(malloc_usable_size(launder(malloc(100))) >= 100, "usable size");
    return 0;
}
