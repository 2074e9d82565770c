/*
 * loam: runs programs on the allocator and tells about it. This file finds the subcommand.
 *
 * The command itself does not run on Loam; what it prints of the library (its options, its mode) it
 * asks the library that programs are run on. Exit status: 0; 2 for a command line that makes no sense;
 * `loam run` has the program's, or 125, 126, 127 as env(1) has them.
 */
#include "command.h"

#include <loam/version.h>
#include <stdio.h>
#include <string.h>

static int command_options(int argc, char **argv);
static int command_version(int argc, char **argv);
static int command_help(int argc, char **argv);

struct command {
    const char *name;
    int (*function)(int argc, char **argv);
    const char *arguments;
    const char *summary;
};

static const struct command commands[] = {
    {"run", command_run, "[--stats] [--] PROGRAM [ARG...]", "run a program on Loam"},
    {"options", command_options, "", "list the options of the variable LOAM"},
    {"doctor", command_doctor, "", "what this machine offers to Loam, and what is used"},
    {"region-map", command_region_map, "[OPTION...] OPERATIONS", "draw a region's memory over time as SVG (--help)"},
    {"version", command_version, "", "print the version"},
    {"help", command_help, "", "print this"},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_help(FILE *out)
{
    fprintf(out, "usage: loam COMMAND [ARG...]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", commands[i].name, commands[i].arguments);
        fprintf(out, "  loam %-37s %s\n", left, commands[i].summary);
    }
    fprintf(out, "\nloam run puts the library in front of the C library's malloc (LD_PRELOAD) and becomes the\n"
                 "program: its output, exit status and signals are the program's own. --stats prints what the\n"
                 "heap did to stderr when the program ends.\n");
}

/* True when there are no arguments; else says what is too much. */
static int takes_nothing(int argc, char **argv)
{
    if (argc == 1)
        return 1;
    fprintf(stderr, "loam %s: takes no argument, found '%s'\n", argv[0], argv[1]);
    return 0;
}

static int command_options(int argc, char **argv)
{
    if (!takes_nothing(argc, argv))
        return STATUS_USAGE;
    void (*options_print)(int fd) = (void (*)(int))library_function("loam_options_print");
    if (!options_print)
        return STATUS_FAILED;
    options_print(1);
    return 0;
}

static int command_version(int argc, char **argv)
{
    if (!takes_nothing(argc, argv))
        return STATUS_USAGE;
    printf("loam %s\n", LOAM_VERSION_STRING);
    return 0;
}

static int command_help(int argc, char **argv)
{
    if (!takes_nothing(argc, argv))
        return STATUS_USAGE;
    print_help(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return STATUS_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        word = "help";
    if (strcmp(word, "--version") == 0)
        word = "version";
    const char *names[COMMAND_COUNT + 1];
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i].name;
        if (strcmp(word, commands[i].name) != 0)
            continue;
        int status = commands[i].function(argc - 1, argv + 1);
        /* a full disk under `loam options >file` is a failure */
        if (fflush(stdout) != 0) {
            perror("loam: writing");
            return STATUS_FAILED;
        }
        return status;
    }
    names[COMMAND_COUNT] = NULL;
    return usage_unknown("command", word, names);
}
