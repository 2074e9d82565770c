/* The lock excludes, under more threads than processors; one who takes it twice is told so in words; a sleeper is always woken;
 * who forks passes through. */
#include "base/lock.h"
#include "unit.h"
#include <pthread.h>
#include <sched.h>

enum { THREADS = 8 };
static struct lock lock;
static uint64_t guarded, twice; /* under the lock; kept equal */
static int rounds;

static void *contend(void *arg)
{
    struct random random;
    random_seed(&random, (uintptr_t)arg + 1);
    for (int i = 0; i < rounds; i++) {
        if (random_below(&random, 4) == 0) {
            while (!lock_try(&lock))
                sched_yield();
        } else {
            lock_take(&lock);
        }
        EXPECT(lock_is_mine(&lock));
        uint64_t was = guarded;
        EXPECT_EQ(twice, was);
        guarded = was + 1;
        if (random_below(&random, 2000) == 0)
            usleep(50); /* long enough that others sleep */
        twice = was + 1;
        lock_drop(&lock);
    }
    return NULL;
}

static void exclusion(void)
{
    pthread_t threads[THREADS];
    rounds = UNIT_SLOW ? 10000 : 60000;
    for (uintptr_t i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, contend, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    EXPECT_EQ(guarded, (uint64_t)THREADS * (uint64_t)rounds);
    EXPECT_EQ(lock.state, LOCK_FREE);
    EXPECT(!lock_is_mine(&lock));
    printf("waits: %u\n", lock.waits);
    EXPECT(lock.waits > 0);
}

/* A chain of sleepers: each that is woken must wake the next, though it was only one who called. */
static void *sleeper(void *arg)
{
    (void)arg;
    lock_take(&lock);
    guarded++;
    lock_drop(&lock);
    return NULL;
}

static void sleepers(void)
{
    pthread_t threads[THREADS];
    for (int round = 0; round < 50; round++) {
        guarded = 0;
        lock_take(&lock);
        for (int i = 0; i < THREADS; i++)
            EXPECT(pthread_create(&threads[i], NULL, sleeper, NULL) == 0);
        usleep(2000); /* asleep by now, most of them; if not, the round shows less */
        lock_drop(&lock);
        alarm(30);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        alarm(0);
        EXPECT_EQ(guarded, THREADS);
        EXPECT_EQ(lock.state, LOCK_FREE);
    }
}

static void take_twice(void *arg)
{
    (void)arg;
    alarm(10);
    lock_take(&lock);
    EXPECT(!lock_try(&lock));
    lock_take(&lock);
}

/* The forking thread holds everything and may pass; others wait. */
static void *waits(void *passed)
{
    lock_take(&lock);
    __atomic_store_n((bool *)passed, true, __ATOMIC_RELAXED);
    lock_drop(&lock);
    return NULL;
}

static void forking(void)
{
    bool passed = false;
    pthread_t other;
    lock_take(&lock);
    __atomic_store_n(&lock_forking, thread_pointer(), __ATOMIC_RELAXED);
    EXPECT(lock_is_forking());
    EXPECT(lock_try(&lock));
    EXPECT(lock_is_mine(&lock));
    lock_drop(&lock); /* nothing happens */
    lock_take(&lock);
    lock_drop(&lock);
    EXPECT_EQ(lock.state, LOCK_HELD);
    EXPECT(pthread_create(&other, NULL, waits, &passed) == 0);
    usleep(20000);
    EXPECT(!__atomic_load_n(&passed, __ATOMIC_RELAXED));
    __atomic_store_n(&lock_forking, 0, __ATOMIC_RELAXED);
    EXPECT(!lock_is_forking());
    lock_drop(&lock);
    pthread_join(other, NULL);
    EXPECT(passed);
}

/* The three parts of fork: a lock that was free is free again in parent and child; one that the forking thread held before (a
 * handler forks that interrupted a slow path) is still held in both. */
static void fork_parts(void)
{
    lock_fork_take(&lock);
    EXPECT_EQ(lock.state, LOCK_HELD);
    lock_fork_drop(&lock);
    EXPECT_EQ(lock.state, LOCK_FREE);
    lock_fork_take(&lock);
    lock_fork_reset(&lock);
    EXPECT_EQ(lock.state, LOCK_FREE);
    EXPECT(lock_try(&lock));
    lock_fork_take(&lock); /* ours already: nothing waits, nothing is said */
    lock_fork_drop(&lock);
    EXPECT(lock.state == LOCK_HELD && lock_is_mine(&lock));
    lock_fork_take(&lock);
    lock_fork_reset(&lock);
    EXPECT(lock.state == LOCK_HELD && lock_is_mine(&lock));
    lock_drop(&lock);
    EXPECT(lock.state == LOCK_FREE && !lock_is_mine(&lock));
}

int main(void)
{
    exclusion();
    sleepers();
    EXPECT_ABORT(take_twice, NULL, "called by a signal handler that interrupted malloc or free");
    forking();
    fork_parts();
    return 0;
}
