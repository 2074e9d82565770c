/* fork: the child of a process with many threads gets a heap that it can use.
 *
 * Before: the C library's list of open files is locked (a thread that holds it may wait for us, and fork itself takes it after
 * us), then all our locks in their order, so that everything they guard is whole; then, if there are threads, all tables are
 * closed and a barrier waits until no sequence runs. While we hold all that, handlers of others run that were registered
 * before ours; they may allocate, so the forking thread passes through our locks (base/lock.h).
 * After: the parent opens and unlocks; the child has one thread and resets. If the barrier was refused, the child drops the
 * lists of all tables: a block of them might be half moved.
 *
 * Registered at the first allocation: the earlier, the later our prepare handler runs. */
#include "api/inside.h"
#include "arena/arena.h"
#include "arena/transfer.h"
#include "cache/cache.h"
#include "map/meta.h"
#include "observe/stats.h"
#include "os/cpu.h"
#include "span/span.h"

extern void _IO_list_lock(void) __attribute__((weak));
extern void _IO_list_unlock(void) __attribute__((weak));
extern void _IO_list_resetlock(void) __attribute__((weak));

/* What prepare did, for parent and child; under all locks. */
static bool fork_threaded, fork_closed;

void fork_prepare(void)
{
    fork_threaded = !os_is_single_threaded();
    if (fork_threaded && _IO_list_lock)
        _IO_list_lock();
    lock_fork_take(&stats_lock);
    lock_fork_take(&span_purge_lock);
    cache_lock_all();
    fork_closed = fork_threaded ? cache_fork_close() : true;
    transfer_lock_all();
    arena_lock_all();
    lock_fork_take(&span_lock);
    lock_fork_take(&meta_lock);
    __atomic_store_n(&lock_forking, thread_pointer(), __ATOMIC_RELAXED);
}

void fork_parent(void)
{
    __atomic_store_n(&lock_forking, 0, __ATOMIC_RELAXED);
    lock_fork_drop(&meta_lock);
    lock_fork_drop(&span_lock);
    arena_unlock_all();
    transfer_unlock_all();
    if (fork_threaded)
        cache_fork_open();
    cache_unlock_all();
    lock_fork_drop(&span_purge_lock);
    lock_fork_drop(&stats_lock);
    if (fork_threaded && _IO_list_unlock)
        _IO_list_unlock();
}

void fork_child(void)
{
    __atomic_store_n(&lock_forking, 0, __ATOMIC_RELAXED);
    lock_fork_reset(&meta_lock);
    lock_fork_reset(&span_lock);
    arena_reset_locks();
    transfer_reset_locks();
    if (!fork_closed)
        cache_fork_forget();
    cache_reset_locks();
    if (fork_threaded && cache_mode() != CACHE_LOCKED)
        cache_fork_open(); /* locked tables are open as soon as their locks are */
    lock_fork_reset(&span_purge_lock);
    lock_fork_reset(&stats_lock);
    if (fork_threaded && _IO_list_resetlock)
        _IO_list_resetlock();
}
