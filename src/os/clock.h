/* A coarse clock that touches no page of the C library. */
#ifndef LOAM_OS_CLOCK_H
#define LOAM_OS_CLOCK_H

#include "base/compiler.h"

/* Looks for the kernel's function for it; false if there is none. Called once, by the api's start; until
 * then os_milliseconds is a system call. */
bool os_clock_start(void);

/* Milliseconds of a clock that only goes forward, some milliseconds coarse; 0 if the kernel gives none. No system call where there
 * is a vDSO. */
uint64_t os_milliseconds(void);

#endif
