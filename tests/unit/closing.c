/* Tables are taken over (drained, counted, for fork) while threads allocate and free with all their might: nothing is lost,
 * nothing handed out twice, and at rest the numbers are exact.
 *
 * close.c is compiled into this test. The negative control is the same with a barrier that only says it was one: blocks must be
 * found in two hands then. A machine on which that never happens cannot show what the barrier is for: the test is skipped. */
#include "arena/arena.h"
#include "loam/loam.h"
#include "os/cpu.h"
#include "player.h"
#include <pthread.h>

static bool is_control;
static uint64_t fences;
static bool fence_or_not(void)
{
    __atomic_fetch_add(&fences, 1, __ATOMIC_RELAXED);
    return is_control || os_fence_sequences();
}
#define os_fence_sequences fence_or_not
#include "cache/close.c"
#undef os_fence_sequences

enum { THREADS = 4, HELD = 6, BATCH_MOST = 256, WITH_BATCH = 3 };
static struct closing_own {
    char *block;
    size_t size;
} held[THREADS][HELD];
static bool stop;
static uint64_t calls[THREADS];
static double seconds;

/* As close to the sequences as can be: a few small sizes, few blocks, each marked while it is held. */
static void *work(void *arg)
{
    uint32_t number = (uint32_t)(uintptr_t)arg;
    struct closing_own *own = held[number];
    struct random random;
    random_seed(&random, number + 1);
    uint64_t n = 0;
    for (; !__atomic_load_n(&stop, __ATOMIC_RELAXED); n++) {
        struct closing_own *one = &own[random_below(&random, HELD)];
        if (one->block) {
            marks_drop(one->block, one->size);
            API(free)(one->block);
            one->block = NULL;
        } else {
            one->size = 16 * (1 + random_below(&random, 2));
            one->block = API(malloc)(one->size);
            EXPECT(one->block != NULL);
            marks_take(one->block, one->size);
        }
    }
    calls[number] = n;
    return NULL;
}

static void work_begin(pthread_t *threads)
{
    for (uintptr_t i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
}

static void work_end(pthread_t *threads)
{
    uint64_t all = 0;
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        all += calls[i];
    }
    static struct loam_stats stats;
    size_t blocks = 0, bytes = 0;
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < HELD; k++) {
            blocks += held[i][k].block != NULL;
            bytes += held[i][k].block ? held[i][k].size : 0;
        }
    EXPECT_SOUND(loam_check());
    loam_stats_get(&stats);
    EXPECT(stats.exact);
    EXPECT_EQ(stats.live_blocks, blocks);
    EXPECT_EQ(stats.live_bytes, bytes);
    EXPECT_EQ(stats.lost_blocks, 0);
    printf("  %llu calls, %llu closings\n", (unsigned long long)all, (unsigned long long)fences);
}

static void drains(void *arg)
{
    (void)arg;
    pthread_t threads[THREADS];
    static struct cache_numbers numbers;
    alarm(60);
    API(free)(API(malloc)(1));
    work_begin(threads);
    double end = unit_seconds() + seconds;
    for (uint32_t i = 0; unit_seconds() < end; i++) {
        if (i % 8 == 0)
            cache_numbers(&numbers, true);
        else
            EXPECT(cache_drain());
        if (i % 64 == 0)
            EXPECT_SOUND(arena_check());
        if (i % 1024 == 0)
            loam_trim();
    }
    work_end(threads);
}

/* The child has the heap to itself: it frees all that its parent's threads held, and the numbers agree but for what was in
 * their hands at the moment: a block each, or, seldom, the batch that one was about to put into its list. */
static void after_fork(void)
{
    static struct loam_stats stats;
    size_t blocks = 0;
    alarm(20);
    EXPECT_SOUND(loam_check());
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < HELD; k++)
            blocks += held[i][k].block != NULL;
    loam_stats_get(&stats);
    EXPECT(stats.exact);
    EXPECT_EQ(stats.lost_blocks, 0);
    if (stats.live_blocks > blocks + (size_t)THREADS * BATCH_MOST || stats.live_blocks + THREADS < blocks)
        FAIL("the child of a fork has %zu live blocks; its parent's threads held %zu", stats.live_blocks, blocks);
    for (size_t size = 16; size < 100000; size *= 3)
        API(free)(memset(API(malloc)(size), 1, size));
    loam_trim();
    EXPECT_SOUND(loam_check());
    _exit(stats.live_blocks > blocks + THREADS ? WITH_BATCH : 0);
}

static void forks(void *arg)
{
    (void)arg;
    pthread_t threads[THREADS];
    alarm(60);
    API(free)(API(malloc)(1));
    work_begin(threads);
    double end = unit_seconds() + seconds;
    uint32_t n = 0, with_batch = 0;
    for (; unit_seconds() < end; n++) {
        pid_t child = fork();
        EXPECT(child >= 0);
        if (child == 0)
            after_fork();
        int status;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        with_batch += WIFEXITED(status) && WEXITSTATUS(status) == WITH_BATCH;
        if (status != 0 && WEXITSTATUS(status) != WITH_BATCH)
            FAIL("child number %u ended with status %#x", n, (unsigned)status);
    }
    printf("  %u forks, %u while a batch was in somebody's hands\n", n, with_batch);
    EXPECT(with_batch * 10 <= n + 10);
    work_end(threads);
}

static void control(void)
{
    API(free)(API(malloc)(1));
    if (cache_mode() != CACHE_SEQUENCES) {
        printf("no sequences here, so no control: %s\n", cache_why_locked());
        exit(UNIT_SKIP);
    }
    is_control = true;
    for (seconds = 0.5; seconds < 17; seconds *= 2) {
        struct unit_end end = unit_child(drains, NULL);
        if (end.status != 0) {
            printf("control, without the barrier, within %.1f s: status %#x: %s", seconds, (unsigned)end.status,
                   end.text);
            return;
        }
    }
    puts("the control, without the barrier, came to no harm in 16 s: this machine cannot show it");
    exit(UNIT_SKIP);
}

int main(void)
{
    seconds = 2;
    unit_each_mode(drains, NULL);
    if (!LOAM_TSAN) /* which does not follow a fork with threads */
        unit_each_mode(forks, NULL);
    if (!LOAM_TSAN) {
        setenv("LOAM", "rseq:auto", 1);
        control();
    }
    return 0;
}
