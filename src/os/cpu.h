/* Processors: how many this process may use, the one it runs on, and the barrier over all of them. */
#ifndef LOAM_OS_CPU_H
#define LOAM_OS_CPU_H

#include "base/compiler.h"

/* Processors in the affinity mask of the process, at least 1. One system call. */
uint32_t os_cpus_usable(void);

/* The processor the caller runs on; a guess as soon as it is returned. */
uint32_t os_cpu_current(void);

/* After it returns true, no restartable sequence of this process that began before the call is still running on any processor.
 * The first call registers the process with the kernel. False: the kernel has no such barrier, or forbids it. */
bool os_fence_sequences(void);

extern char __libc_single_threaded __attribute__((weak)); /* glibc 2.32 and later */

/* The C library knows of one thread only. Once false it may be true again after threads ended. */
INLINE bool os_is_single_threaded(void) { return &__libc_single_threaded && __libc_single_threaded; }

#endif
