// Promise: libraries that allocate in constructors, hold much thread-local data, or are unloaded, do not disturb us.
// TEST: cflags=-fno-builtin
// TEST: libs=-ldl
//
// Libraries built on the spot: preloaded before and after Loam (so that its constructor runs on
// either side of ours), dlopened and dlclosed again and again with blocks that outlive them, with
// 256 KiB of thread-local data that each thread allocates on first use.
#include "support/library.h"
#include <pthread.h>

static const char constructor_source[] =
    "#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n"
    "static void *kept[100]; static int bad;\n"
    "__attribute__((constructor)) static void begin(void) {\n"
    "    for (unsigned i = 0; i < 100; i++) { kept[i] = calloc(1, i * 100 + 1); \n"
    "        if (!kept[i]) bad = 1; else memset(kept[i], (int)i, i * 100 + 1); } }\n"
    "__attribute__((destructor)) static void end(void) {\n"
    "    for (unsigned i = 0; i < 100; i++) { unsigned char *p = kept[i];\n"
    "        for (unsigned k = 0; k < i * 100 + 1; k++) bad |= p[k] != i;\n"
    "        free(realloc(p, 5000)); }\n"
    "    if (getenv(\"SURFACE_LIFE\")) write(1, bad ? \"bad \" : \"good \", bad ? 4 : 5); }\n"
    "void *give(size_t size) { return malloc(size); }\n"
    "void take(void *p) { free(p); }\n";

static const char tls_source[] =
    "#include <stdlib.h>\n#include <string.h>\n"
    "static __thread char big[256 * 1024]; static __thread void *mine = (void *)1;\n"
    "void *touch(int c) { memset(big, c, sizeof big); mine = malloc(1000); return mine; }\n"
    "int same(int c) { for (size_t i = 0; i < sizeof big; i++) if (big[i] != c) return 0; return 1; }\n";

static struct child child;

static void preloaded(const char *library) {
    const char *ours = getenv("LD_PRELOAD");
    char before[1024], after[1024], *environment[ENVIRONMENT_LIMIT + 1];
    snprintf(before, sizeof before, "LD_PRELOAD=%s:%s", library, ours ? ours : "");
    snprintf(after, sizeof after, "LD_PRELOAD=%s:%s", ours ? ours : "", library);
    for (int i = 0; i < 2; i++) {
        char **kept = environment_without_preload(i ? after : before);
        size_t n = 0;
        for (; kept[n]; n++) environment[n] = kept[n];
        environment[n++] = (char *)"SURFACE_LIFE=1";
        environment[n] = NULL;
        child_exec(&child, "--life", environment);
        CHECK(child_exited(&child, 0), "preloaded %s Loam: status %#x", i ? "after" : "before",
              child.status);
        CHECK(strcmp(child.output, "good ") == 0, "its destructor said: %s", child.output);
    }
}

static void opened_and_closed(const char *library) {
    void *outlives[50];
    for (int i = 0; i < 50; i++) {
        void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        CHECK(handle != NULL, "dlopen: %s", dlerror());
        void *(*give)(size_t);
        void (*take)(void *);
        library_find(&give, handle, "give");
        library_find(&take, handle, "take");
        outlives[i] = give((size_t)i * 100);
        pattern_fill(outlives[i], (size_t)i * 100, (uint64_t)i);
        take(malloc(700)); // a block of ours freed by the library
        free(give(900));
        CHECK(dlclose(handle) == 0, "dlclose: %s", dlerror());
        CHECK(dlopen(library, RTLD_NOW | RTLD_NOLOAD) == NULL, "the library was not unloaded");
    }
    for (size_t i = 0; i < 50; i++) {
        CHECK(pattern_check(outlives[i], i * 100, i * 100, i) == i * 100, "block %zu changed", i);
        free(outlives[i]);
    }
}

static void *(*tls_touch)(int);
static int (*tls_same)(int);

static void *tls_thread(void *argument) {
    int c = (int)(uintptr_t)argument;
    void *p = tls_touch(c);
    CHECK(p != NULL, "no memory");
    for (size_t i = 0; i < 500; i++) free(launder(malloc(i * 20)));
    CHECK(tls_same(c), "thread-local data of thread %d changed", c);
    free(p);
    return NULL;
}

static void much_thread_local_data(const char *library) {
    void *handle = dlopen(library, RTLD_NOW);
    CHECK(handle != NULL, "dlopen: %s", dlerror());
    library_find(&tls_touch, handle, "touch");
    library_find(&tls_same, handle, "same");
    for (int round = 0; round < 20; round++) {
        pthread_t threads[4];
        for (uintptr_t i = 0; i < 4; i++)
            CHECK(pthread_create(&threads[i], NULL, tls_thread, (void *)(i + 1)) == 0, "no thread");
        for (size_t i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    }
    tls_thread((void *)9);
    CHECK(dlclose(handle) == 0, "dlclose: %s", dlerror());
}

// dlclose of Loam itself must not break what it serves.
static void loam_closed(void) {
    Dl_info ours;
    if (!is_loam() || !dladdr((void *)surface_loam_marker, &ours)) return;
    void *handle = dlopen(ours.dli_fname, RTLD_NOW);
    CHECK(handle != NULL, "dlopen of Loam again: %s", dlerror());
    void *p = malloc(1000);
    for (int i = 0; i < 5; i++) dlclose(handle);
    free(p);
    free(launder(malloc(2000)));
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--life") == 0) return 0;
    test_begin(60);
    library_folder_make();
    char library[256];
    snprintf(library, sizeof library, "%s", library_build("constructor", constructor_source, ""));
    preloaded(library);
    opened_and_closed(library);
    much_thread_local_data(library_build("tls", tls_source, ""));
    loam_closed();
    return 0;
}
