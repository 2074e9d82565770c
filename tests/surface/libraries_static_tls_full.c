// Promise: libloam.so can be dlopened when the static TLS block is full, and serves then.
// TEST: cflags=-fno-builtin
// TEST: libs=-ldl
//
// In a process that started without Loam, libraries with initial-exec TLS are opened until the
// loader refuses one for want of static TLS space; then libloam.so must still open (it may hold no
// static TLS of its own), and its malloc and free, found by dlsym, must work from several threads.
// Where Loam is comes from LOAM_LIB, else from where it is loaded now.
#include "support/library.h"
#include <pthread.h>

static const char tls_source[] =
    "static __thread char some[64] __attribute__((tls_model(\"initial-exec\"), used));\n"
    "char *address(void) { return some; }\n";

static void *(*loam_malloc)(size_t);
static void (*loam_free)(void *);
static void *(*loam_realloc)(void *, size_t);

static void *thread_run(void *salt) {
    struct dice dice = dice_make((uintptr_t)salt);
    unsigned char *slots[64] = {0};
    size_t sizes[64] = {0};
    for (int step = 0; step < 20000; step++) {
        size_t i = (size_t)dice_below(&dice, 64), size = dice_size(&dice) + 1;
        CHECK(pattern_check(slots[i], sizes[i], sizes[i], i) == sizes[i], "block %zu changed", i);
        if (dice_below(&dice, 4) == 0) {
            slots[i] = loam_realloc(slots[i], size);
        } else {
            loam_free(slots[i]);
            slots[i] = loam_malloc(size);
        }
        CHECK(slots[i] != NULL, "no memory");
        sizes[i] = size;
        pattern_fill(slots[i], size, i);
    }
    for (size_t i = 0; i < 64; i++) loam_free(slots[i]);
    return NULL;
}

static int life(void) {
    const char *folder = getenv("SURFACE_FOLDER"), *loam = getenv("SURFACE_LOAM");
    bool full = false;
    char path[256];
    for (int i = 0; i < 1000 && !full; i++) {
        // The loader knows a library by its file: each needs a name of its own.
        char copy[512];
        snprintf(path, sizeof path, "%s/tls%d.so", folder, i);
        snprintf(copy, sizeof copy, "cp %s/tls.so %s", folder, path);
        CHECK(system(copy) == 0, "no copy");
        full = dlopen(path, RTLD_NOW) == NULL;
    }
    const char *reason = dlerror();
    CHECK(full && reason && strstr(reason, "static TLS"), "the block was never full: %s",
          reason ? reason : "");
    void *handle = dlopen(loam, RTLD_NOW | RTLD_LOCAL);
    CHECK(handle != NULL, "dlopen with a full static TLS block: %s", dlerror());
    library_find(&loam_malloc, handle, "malloc");
    library_find(&loam_free, handle, "free");
    library_find(&loam_realloc, handle, "realloc");
    thread_run((void *)5);
    pthread_t threads[3];
    for (uintptr_t i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, thread_run, (void *)i) == 0, "no thread");
    for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    void *kept = loam_malloc(100);
    dlclose(handle);
    loam_free(kept); // -z nodelete: the code is still there
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--life") == 0) return life();
    test_begin(60);
    library_folder_make();
    library_build("tls", tls_source, "");
    static char folder[300], loam[600];
    Dl_info ours;
    const char *given = getenv("LOAM_LIB");
    if (!given && is_loam() && dladdr((void *)surface_loam_marker, &ours)) given = ours.dli_fname;
    if (!given) test_skip("LOAM_LIB does not say where libloam.so is");
    snprintf(folder, sizeof folder, "SURFACE_FOLDER=%s", library_folder);
    snprintf(loam, sizeof loam, "SURFACE_LOAM=%s", given);
    static struct child child;
    char *environment[ENVIRONMENT_LIMIT + 2], **kept = environment_without_preload(folder);
    size_t n = 0;
    for (; kept[n]; n++) environment[n] = kept[n];
    environment[n++] = loam;
    environment[n] = NULL;
    child_exec(&child, "--life", environment);
    CHECK(child_exited(&child, 0), "the life without Loam ended with %#x", child.status);
    return 0;
}
