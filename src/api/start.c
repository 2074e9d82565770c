/* What happens once: at the first allocation, before the first block. */
#include "api/inside.h"
#include "api/options.h"
#include "base/lock.h"
#include "cache/cache.h"
#include "loam/loam.h"
#include "os/pages.h"
#include "span/span.h"
#include <unistd.h>

static bool started; /* release when all of it is done, but fork handlers */

bool api_started(void) { return __atomic_load_n(&started, __ATOMIC_ACQUIRE); }

COLD void api_start(void)
{
    static struct lock lock;
    lock_take(&lock);
    bool first = !started;
    if (first) {
        os_start();
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
        fork_start(); /* may allocate */
}

#ifndef LOAM_NO_REPLACE
static __attribute__((destructor)) void stats_at_exit(void)
{
    if (options.stats == 1 || (options.stats > 1 && options.stats == getpid()))
        loam_stats_print(STDERR_FILENO);
}
#endif
