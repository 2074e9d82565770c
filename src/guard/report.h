/* Bad pointers, in words: what it is, where, and the likely bug; one line to stderr, then abort. */
#ifndef LOAM_GUARD_REPORT_H
#define LOAM_GUARD_REPORT_H

#include "guard/hook.h"

/* `call` (free, realloc, ...) was given p, which starts no block. */
_Noreturn COLD void guard_bad_pointer(const char *call, const void *p);

/* A sized free of a block of `have` bytes said `said`. */
_Noreturn COLD void guard_wrong_size(const char *call, const void *p, size_t have, size_t said);

#endif
