/*
 * Where the library is that programs are run on, and how it is asked something.
 */
#include "command.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char library_name[] = "libloam.so.1";

/* Beside the command (a build folder), or in the library folder of where it is installed. */
int library_find(char *path, size_t size)
{
    char folder[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (n > 0) {
        folder[n] = 0;
        char *slash = strrchr(folder, '/');
        if (slash)
            *slash = 0;
        static const char *const places[] = {"", "../" LOAM_LIBDIR_NAME "/", "../lib/"};
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            if (snprintf(path, size, "%s/%s%s", folder, places[i], library_name) < (int)size && access(path, R_OK) == 0)
                return 1;
        }
    }
    return snprintf(path, size, "%s/%s", LOAM_LIBDIR, library_name) < (int)size && access(path, R_OK) == 0;
}

/* dlopen does not put the library's malloc in place of ours: that stays the C library's. */
void *library_function(const char *name)
{
    char path[2 * PATH_MAX];
    if (!library_find(path, sizeof path)) {
        fprintf(stderr, "loam: %s is neither beside the command nor in " LOAM_LIBDIR "\n", library_name);
        return NULL;
    }
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *function = library ? dlsym(library, name) : NULL;
    if (!function)
        fprintf(stderr, "loam: %s\n", dlerror());
    return function;
}
