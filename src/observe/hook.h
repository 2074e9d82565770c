/* The place where the core lets itself be sampled. Blocks are counted where they leave an arena or the span layer, under the
 * lock that is held there anyway; the fast path has no instruction of it. Without a profiler the period is out of reach. */
#ifndef LOAM_OBSERVE_HOOK_H
#define LOAM_OBSERVE_HOOK_H

#include "base/compiler.h"

/* Bytes between two samples; atomic, relaxed. SIZE_MAX: none. */
extern size_t observe_period;

/* A sample is due: memory for blocks of `size` bytes is being handed up. The caller holds an arena's lock or span's. */
COLD void observe_sample(size_t size);

/* *handed: the caller's running count, under its lock. */
INLINE void observe_handed_out(size_t *handed, size_t bytes, size_t size)
{
    *handed += bytes;
    if (unlikely(*handed >= __atomic_load_n(&observe_period, __ATOMIC_RELAXED))) {
        *handed = 0;
        observe_sample(size);
    }
}

#endif
