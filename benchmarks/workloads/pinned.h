// Threads on processors of their own, for the workloads that are about what processors do to each other.
#ifndef PINNED_H
#define PINNED_H

#include "workload.h"

#include <pthread.h>
#include <sched.h>

// The n-th processor that this process may use, or -1.
static inline int processor_at(int n)
{
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof usable, &usable) != 0)
        return -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((unsigned)cpu, &usable) && n-- == 0)
            return cpu;
    return -1;
}

// The calling thread runs on that processor from now on.
static inline void processor_pin(int cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((unsigned)cpu, &one);
    if (cpu < 0 || sched_setaffinity(0, sizeof one, &one) != 0)
        workload_fail("a thread cannot be bound to processor %d", cpu);
}

#endif
