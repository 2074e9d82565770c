// Cases whose numbers are exact: each in a child, so that no list has grown before, and on one processor, for another has lists of
// its own. For tests that count with loam_stats_get.
#ifndef SURFACE_ALONE_H
#define SURFACE_ALONE_H

#include "child.h"
#include <loam/loam.h>
#include <sched.h>

extern void loam_stats_get(struct loam_stats *stats) __attribute__((weak)); // this program is not linked with it

struct alone_case {
    const char *name;
    void (*run)(void);
};

static inline void alone_run(const struct alone_case *cases, size_t count) {
    if (!loam_stats_get) test_skip("this malloc counts nothing");
    cpu_set_t one;
    CPU_ZERO(&one);
    int cpu = sched_getcpu();
    CPU_SET((size_t)(cpu < 0 ? 0 : cpu), &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) test_skip("the kernel does not let it stay on one processor");
    for (size_t i = 0; i < count; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0, "fork failed");
        if (pid == 0) {
            watchdog_start(30);
            cases[i].run();
            fflush(stdout);
            _exit(0);
        }
        int status = wait_for(pid);
        CHECK(status == 0, "%s ended with %#x", cases[i].name, (unsigned)status);
    }
}

#endif
