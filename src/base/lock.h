/* A lock of one word that sleeps in the kernel, knows its owner, and can be held over fork.
 *
 * Guarantees: mutual exclusion; a thread that takes a lock it already holds is told so in words (a signal handler that
 * allocates while malloc's slow path runs), never left hanging; while `lock_forking` names it, the forking
 * thread, which holds every lock, passes through lock_take and lock_drop as if they were not there, so that the atfork
 * handlers of others may allocate.
 * Cost: one exchange to take, one to drop; a short spin before the futex.
 * Easy to get wrong: lock order. It is: stats, purge, cache, table, transfer, arena (ascending index), span, meta. `lock_try` may break it. */
#ifndef LOAM_BASE_LOCK_H
#define LOAM_BASE_LOCK_H

#include "base/compiler.h"
#include "base/syscall.h"

enum { LOCK_FREE = 0, LOCK_HELD = 1, LOCK_WAITED = 2 };

struct lock {
    uint32_t state;  /* LOCK_*; atomic: acquire to take, release to drop */
    uint32_t waits;  /* times that somebody had to sleep or spin for it; relaxed, for the numbers */
    uintptr_t owner; /* thread pointer of the holder; written by the holder, read relaxed by anyone */
    bool kept;       /* between the parts of fork: the forking thread held it before; by that thread */
};

/* The thread that is between prepare and parent/child of fork, 0 if none. Written by that thread while it holds every lock. */
extern uintptr_t lock_forking;

void lock_wait(struct lock *lock);
void lock_wake(struct lock *lock);

/* The caller holds every lock because it forks. */
INLINE bool lock_is_forking(void)
{
    uintptr_t forking = __atomic_load_n(&lock_forking, __ATOMIC_RELAXED);
    return unlikely(forking != 0) && forking == thread_pointer();
}

INLINE bool lock_try(struct lock *lock)
{
    if (lock_is_forking())
        return true;
    uint32_t expected = LOCK_FREE;
    /* acquire: pairs with the release in lock_drop */
    if (!__atomic_compare_exchange_n(&lock->state, &expected, LOCK_HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return false;
    __atomic_store_n(&lock->owner, thread_pointer(), __ATOMIC_RELAXED);
    return true;
}

INLINE void lock_take(struct lock *lock)
{
    if (unlikely(!lock_try(lock)))
        lock_wait(lock);
}

INLINE void lock_drop(struct lock *lock)
{
    if (lock_is_forking())
        return;
    __atomic_store_n(&lock->owner, 0, __ATOMIC_RELAXED);
    /* release: pairs with the acquire of the next holder */
    if (unlikely(__atomic_exchange_n(&lock->state, LOCK_FREE, __ATOMIC_RELEASE) == LOCK_WAITED))
        lock_wake(lock);
}

INLINE bool lock_is_mine(const struct lock *lock)
{
    return lock_is_forking() || __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == thread_pointer();
}

/* The three parts of fork. A lock that the forking thread holds already (a signal handler forks that interrupted a slow path)
 * stays held, in the parent and in the child: the slow path goes on in both. */
INLINE void lock_fork_take(struct lock *lock)
{
    bool mine = __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == thread_pointer();
    if (likely(!mine))
        lock_take(lock);
    lock->kept = mine;
}

INLINE void lock_fork_drop(struct lock *lock)
{
    bool kept = lock->kept;
    lock->kept = false;
    if (likely(!kept))
        lock_drop(lock);
}

/* Child: only this thread is left, whatever the lock says. */
INLINE void lock_fork_reset(struct lock *lock)
{
    if (unlikely(lock->kept)) {
        lock->kept = false;
        return;
    }
    __atomic_store_n(&lock->owner, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&lock->state, LOCK_FREE, __ATOMIC_RELAXED);
}

#endif
