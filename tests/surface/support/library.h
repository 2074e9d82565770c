// Builds small shared libraries while a test runs, for the tests of loading and unloading.
//
// Each test is one file, so the libraries that it loads are strings in it. They are compiled by the
// compiler of the build (environment variable CC, else cc) into a scratch folder that is removed at
// the end. The compiler runs on the C library's own malloc: it is not what is tested here.
#ifndef SURFACE_LIBRARY_H
#define SURFACE_LIBRARY_H

#include "child.h"
#include <dlfcn.h>

static char library_folder[200];

static inline void library_folder_remove(void) {
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s", library_folder);
    if (system(command) != 0) fprintf(stderr, "%s was left behind\n", library_folder);
}

static inline void library_folder_make(void) {
    const char *where = getenv("TMPDIR");
    snprintf(library_folder, sizeof library_folder, "%s/surface-XXXXXX", where ? where : "/tmp");
    CHECK(mkdtemp(library_folder) != NULL, "no scratch folder");
    atexit(library_folder_remove);
}

// The path of the built library; static storage for each name: the caller keeps a copy if needed.
static inline const char *library_build(const char *name, const char *source, const char *flags) {
    static char path[256];
    char command[1200], file[256];
    const char *compiler = getenv("CC");
    snprintf(file, sizeof file, "%s/%s.c", library_folder, name);
    snprintf(path, sizeof path, "%s/%s.so", library_folder, name);
    FILE *out = fopen(file, "w");
    CHECK(out != NULL && fputs(source, out) >= 0 && fclose(out) == 0, "%s is not written", file);
    snprintf(command, sizeof command,
             "unset LD_PRELOAD; command -v %s >/dev/null || exit 99; "
             "%s -shared -fPIC -O1 -fno-builtin %s -o %s %s",
             compiler ? compiler : "cc", compiler ? compiler : "cc", flags, path, file);
    int status = system(command);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 99)
        test_skip("no C compiler (package gcc), and none named in CC");
    CHECK(status == 0, "%s is not built: status %#x", name, status);
    return path;
}

// A function of a library, as a plain pointer that the caller puts into a union or memcpy's.
static inline void library_find(void *function, void *handle, const char *name) {
    void *address = dlsym(handle, name);
    CHECK(address != NULL, "%s is not in the library", name);
    memcpy(function, &address, sizeof address);
}

#endif
