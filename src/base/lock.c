#include "base/lock.h"
#include "base/log.h"
#include <linux/futex.h>

/* Two processors finish most holds (some 100 ns) within this many looks; measured no gain from more. */
enum { LOCK_SPINS = 100 };

uintptr_t lock_forking;

static COLD void lock_reentered(const struct lock *lock)
{
    log_fatal("loam: malloc or free was called by a signal handler that interrupted malloc or free in the same thread "
              "(lock %p); only async-signal-safe functions may be called there\n",
              (const void *)lock);
}

NOINLINE void lock_wait(struct lock *lock)
{
    if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == thread_pointer())
        lock_reentered(lock);
    __atomic_fetch_add(&lock->waits, 1, __ATOMIC_RELAXED);
    for (int spin = 0; spin < LOCK_SPINS; spin++) {
        cpu_relax();
        if (__atomic_load_n(&lock->state, __ATOMIC_RELAXED) == LOCK_FREE && lock_try(lock))
            return;
    }
    /* From here on we take it as WAITED: the one who drops it then wakes one more, who may be asleep behind us. */
    while (__atomic_exchange_n(&lock->state, LOCK_WAITED, __ATOMIC_ACQUIRE) != LOCK_FREE)
        sys_call4(SYS_futex, (long)&lock->state, FUTEX_WAIT_PRIVATE, LOCK_WAITED, 0);
    __atomic_store_n(&lock->owner, thread_pointer(), __ATOMIC_RELAXED);
}

COLD void lock_wake(struct lock *lock) { sys_call3(SYS_futex, (long)&lock->state, FUTEX_WAKE_PRIVATE, 1); }
