/*
 * loam run: sets LD_PRELOAD and becomes the program.
 *
 * Nothing of ours is left when the program runs: exec keeps the process, so its exit status, signals,
 * terminal and parent are its own. The library is put in front of what LD_PRELOAD held, which stays.
 * Easy to get wrong: LD_PRELOAD is split at spaces *and* colons with no way to quote them, so a
 * library that lies in such a folder cannot be named, and the loader would only warn and run the
 * program without us. We say so instead.
 */
#include "command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Puts "BEFORE SEPARATOR old value" into a variable of the environment. */
static int environment_prepend(const char *name, const char *before, char separator)
{
    const char *old = getenv(name);
    if (!old || !*old)
        return setenv(name, before, 1);
    size_t size = strlen(before) + strlen(old) + 2;
    char *joined = malloc(size);
    if (!joined)
        return -1;
    snprintf(joined, size, "%s%c%s", before, separator, old);
    int result = setenv(name, joined, 1);
    free(joined);
    return result;
}

/* Tells the library to print its summary when process `pid` ends: the program is going to be that
 * process, its children are others. Options are read left to right: ours stands last. */
static int environment_ask_stats(pid_t pid)
{
    const char *old = getenv("LOAM");
    if (!old)
        old = "";
    size_t size = strlen(old) + 32;
    char *joined = malloc(size);
    if (!joined)
        return -1;
    snprintf(joined, size, "%s%sstats:%ld", old, *old ? "," : "", (long)pid);
    int result = setenv("LOAM", joined, 1);
    free(joined);
    return result;
}

static int library_preload(void)
{
    char found[2 * PATH_MAX], path[PATH_MAX];
    if (!library_find(found, sizeof found)) {
        fprintf(stderr, "loam run: libloam.so.1 is neither beside the command nor in " LOAM_LIBDIR "\n");
        return 0;
    }
    if (!realpath(found, path)) {
        fprintf(stderr, "loam run: %s: %s\n", found, strerror(errno));
        return 0;
    }
    /* realpath went through the link to the very file; the loader wants a name, and any will do */
    if (strpbrk(path, " :\t\n")) {
        fprintf(stderr,
                "loam run: %s: LD_PRELOAD cannot name a path with a space or colon; "
                "move or install Loam elsewhere (cmake --install build/release --prefix DIR)\n",
                path);
        return 0;
    }
    if (environment_prepend("LD_PRELOAD", path, ':') != 0) {
        perror("loam run: LD_PRELOAD");
        return 0;
    }
    return 1;
}

int command_run(int argc, char **argv)
{
    static const char *const options[] = {"--stats", "--", NULL};
    int stats = 0, i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (strcmp(argv[i], "--stats") != 0)
            return usage_unknown("option of loam run", argv[i], options);
        stats = 1;
    }
    if (i >= argc) {
        fprintf(stderr, "usage: loam run [--stats] [--] PROGRAM [ARG...]\n");
        return STATUS_USAGE;
    }
    if (!library_preload())
        return STATUS_FAILED;
    if (stats && environment_ask_stats(getpid()) != 0) {
        perror("loam run: LOAM");
        return STATUS_FAILED;
    }
    execvp(argv[i], argv + i);
    int error = errno;
    fprintf(stderr, "loam run: %s: %s\n", argv[i], strerror(error));
    return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}
