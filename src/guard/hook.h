/* What the core says when it meets a pointer or a block that cannot be right. Everything here ends the process with one line
 * that says what was found. Implemented above (guard/report.c); this header alone may be included from below. */
#ifndef LOAM_GUARD_HOOK_H
#define LOAM_GUARD_HOOK_H

#include "base/compiler.h"

/* A block on its way from a list to the bits is already free there, or is no block: freed twice, or its link overwritten. */
_Noreturn COLD void guard_bad_block(const void *block, const char *where);

/* The block at the head of its list is given to `call` (free, realloc). */
_Noreturn COLD void guard_freed_twice(const char *call, const void *block);

#endif
