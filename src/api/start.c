/* What happens once: at the first allocation, before the first block. */
#define _GNU_SOURCE 1
#include "api/inside.h"
#include "api/options.h"
#include "base/lock.h"
#include "cache/cache.h"
#include "loam/loam.h"
#include "os/clock.h"
#include "os/pages.h"
#include "span/span.h"
#include <fcntl.h>
#include <unistd.h>

enum { STATS_FD_LEAST = 100 };

/* The C library's part of pthread_atfork, the rest of which is linked into each library, behind all other code: a page of its own.
 * NULL: the handlers are never unregistered, as the library is never unloaded. */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library);

static bool started; /* release when all of it is done, but fork handlers */

bool api_started(void) { return __atomic_load_n(&started, __ATOMIC_ACQUIRE); }

COLD void api_start(void)
{
    static struct lock lock;
    lock_take(&lock);
    bool first = !started;
    if (first) {
        os_start();
        os_clock_start();
        options_start();
        if (options.dirty)
            span_set_dirty_bound(options.dirty);
        if (options.direct)
            span_set_direct_threshold(options.direct);
        cache_start(options.rseq);
        __atomic_store_n(&started, true, __ATOMIC_RELEASE);
    }
    lock_drop(&lock);
    if (first)
        __register_atfork(fork_prepare, fork_parent, fork_child, NULL); /* may allocate */
}

#ifndef LOAM_NO_REPLACE
/* Programs close stderr as the last thing they do (coreutils, to see write errors): whoever asked for the numbers gets a copy of
 * it, kept to the end, and not handed on to other programs. */
static int stats_fd = -1;

static bool stats_wanted(void) { return options.stats == 1 || (options.stats > 1 && options.stats == getpid()); }

static __attribute__((constructor)) void stats_at_load(void)
{
    if (!api_started())
        api_start();
    if (stats_wanted())
        stats_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STATS_FD_LEAST);
}

static __attribute__((destructor)) void stats_at_exit(void)
{
    if (stats_wanted())
        loam_stats_print(stats_fd >= 0 ? stats_fd : STDERR_FILENO);
}
#endif
