/*
 * What the files of the command `loam` share. Each subcommand is one function that takes its own
 * arguments (argv[0] is the subcommand's name) and gives the exit status.
 */
#ifndef LOAM_COMMAND_H
#define LOAM_COMMAND_H

#include <stddef.h>

enum {
    STATUS_USAGE = 2, /* the command line makes no sense */
    STATUS_FAILED = 125, /* loam itself failed; as env(1) */
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NOT_FOUND = 127,
};

int command_run(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_region_map(int argc, char **argv);

/* Says on stderr that `word` is no `what` (an option, a subcommand), with the nearest of `names`
 * (ended by NULL) where one is near, and returns STATUS_USAGE. */
int usage_unknown(const char *what, const char *word, const char *const *names);

/* The nearest of `names` to `word` by edits of a letter, or NULL when none is near. */
const char *nearest_name(const char *word, const char *const *names);

/* Fills `path` with the library that programs are run on. True when there is one. */
int library_find(char *path, size_t size);

/* A function of that library, or NULL with the reason on stderr. */
void *library_function(const char *name);

#endif
