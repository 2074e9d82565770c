/* Options: LOAM=name:value,name:value. One table, from which the parser, `loam options` and the messages come.
 *
 * Read once, at the first allocation; ignored where the process runs with more rights than its user (AT_SECURE). What is
 * wrong is named on stderr with the nearest valid word, and the program runs on with the default. */
#ifndef LOAM_API_OPTIONS_H
#define LOAM_API_OPTIONS_H

#include "cache/cache.h"

struct options {
    enum cache_wish rseq;
    long stats;         /* 0 never; 1 at the exit of every process; else at the exit of the process with this number */
    size_t dirty;       /* bytes of free pages that may stay resident; 0 adaptive */
    size_t direct;      /* bytes from which a block has a mapping of its own; 0 adaptive */
};

extern struct options options;

/* Parses `text` into *into. Every complaint is one line to `fd`. Returns how many there were. */
uint32_t options_parse(const char *text, struct options *into, int fd);

/* From the environment. */
void options_start(void);

#endif
