/* Out of memory by a limit on address space, again and again: every call that finds none says NULL and ENOMEM, what is there stays
 * as it was, the heap is sound, and goes on when there is memory again. One thread and four, in both modes. */
#include "loam/loam.h"
#include "player.h"
#include <pthread.h>

enum { ROUNDS = 12 };
static struct player players[4];
static pthread_barrier_t gate;
static uint64_t seed;

static size_t mapped_now(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    EXPECT(file && fscanf(file, "%zu", &pages) == 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void limit(size_t bytes)
{
    struct rlimit now;
    EXPECT(getrlimit(RLIMIT_AS, &now) == 0);
    now.rlim_cur = bytes == 0 ? now.rlim_max : bytes;
    EXPECT(setrlimit(RLIMIT_AS, &now) == 0);
}

static void *play(void *arg)
{
    struct player *player = arg;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&gate);
        for (int i = 0; i < 3000; i++)
            player_step(player);
        for (uint32_t i = 0; i < player->count; i++)
            piece_verify(&player->pieces[i]);
        pthread_barrier_wait(&gate);
    }
    return NULL;
}

static void numbers_exact(uint32_t count)
{
    static struct loam_stats stats;
    size_t blocks, bytes;
    EXPECT_SOUND(loam_check());
    players_sum(players, count, &blocks, &bytes);
    loam_stats_get(&stats);
    EXPECT_EQ(stats.live_blocks, blocks);
    EXPECT_EQ(stats.live_bytes, bytes);
}

static void run(uint32_t count)
{
    pthread_t threads[4];
    struct random random;
    uint64_t failed = 0;
    random_seed(&random, seed + count);
    pthread_barrier_init(&gate, NULL, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        memset(&players[i], 0, sizeof players[i]);
        players[i].largest = 3 << 20;
        players[i].limit = PLAYER_HOLDS;
        players[i].may_fail = true;
        random_seed(&players[i].random, seed * 31 + i);
        EXPECT(pthread_create(&threads[i], NULL, play, &players[i]) == 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        size_t room = random_below(&random, 3 << 20);
        loam_trim();
        limit(round % 3 == 2 ? 0 : mapped_now() + room);
        uint64_t before = 0, after = 0;
        for (uint32_t i = 0; i < count; i++)
            before += players[i].failed;
        pthread_barrier_wait(&gate);
        pthread_barrier_wait(&gate);
        for (uint32_t i = 0; i < count; i++)
            after += players[i].failed;
        if (round % 3 == 2 && after > before)
            FAIL("%llu calls found no memory when there was", (unsigned long long)(after - before));
        failed += after - before;
        limit(0);
        numbers_exact(count);
    }
    for (uint32_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    players_end(players, count);
    numbers_exact(count);
    printf("%u threads: %llu calls found no memory\n", count, (unsigned long long)failed);
    EXPECT(failed > 0);
    pthread_barrier_destroy(&gate);
}

static void one_mode(void *arg)
{
    (void)arg;
    alarm(60);
    run(1);
    run(4);
}

/* No memory at the very first call, not even for a descriptor; then there is. */
static void from_the_start(void *arg)
{
    (void)arg;
    alarm(20);
    limit(4096);
    for (size_t size = 1; size < 10 << 20; size *= 7) {
        errno = 0;
        EXPECT(API(malloc)(size) == NULL && errno == ENOMEM);
        errno = 0;
        EXPECT(API(calloc)(size, 2) == NULL && errno == ENOMEM);
        errno = 0;
        EXPECT(API(realloc)(NULL, size) == NULL && errno == ENOMEM);
        void *p = &p, *before = p;
        EXPECT(API(posix_memalign)(&p, 64, size) == ENOMEM && p == before);
        EXPECT(API(aligned_alloc)(4096, size) == NULL);
    }
    EXPECT_SOUND(loam_check());
    limit(0);
    for (size_t size = 1; size < 10 << 20; size *= 7) {
        char *p = API(malloc)(size);
        EXPECT(p != NULL);
        memset(p, 1, size);
        API(free)(p);
    }
    EXPECT_SOUND(loam_check());
}

/* Sizes that cannot be: refused before any rounding, from every entry. */
static void absurd(void *arg)
{
    static const size_t sizes[] = {
        SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4095, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX, (size_t)PTRDIFF_MAX - 4096};
    (void)arg;
    char *small = API(malloc)(100), *large = API(malloc)(50000), *direct = API(malloc)(64 << 20);
    EXPECT(small && large && direct);
    strcpy(small, "small");
    strcpy(large, "large");
    strcpy(direct, "direct");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i];
        void *p = NULL;
        EXPECT(API(malloc)(n) == NULL && errno == ENOMEM);
        EXPECT(API(calloc)(n, 1) == NULL && API(calloc)(n / 2 + 1, 2) == NULL);
        EXPECT(API(realloc)(small, n) == NULL && API(realloc)(large, n) == NULL && API(realloc)(direct, n) == NULL);
        EXPECT(API(reallocarray)(small, n, 2) == NULL && API(reallocarray)(large, n / 16, 16) == NULL);
        EXPECT(API(aligned_alloc)(64, n) == NULL && API(memalign)(4096, n) == NULL &&
               API(posix_memalign)(&p, 64, n) == ENOMEM);
        EXPECT(API(valloc)(n) == NULL && API(pvalloc)(n) == NULL);
    }
    for (int bit = 36; bit < 63; bit++) /* what wraps when it is counted in pages */
        for (size_t more = 0; more < 100000; more += 33333) {
            char *p = API(realloc)(large, ((size_t)1 << bit) + more);
            if (p) {
                EXPECT(API(malloc_usable_size)(p) >= (size_t)1 << bit);
                large = API(realloc)(p, 50000);
                EXPECT(large != NULL);
            }
        }
    EXPECT(strcmp(small, "small") == 0 && strcmp(large, "large") == 0 && strcmp(direct, "direct") == 0);
    EXPECT_SOUND(loam_check());
}

int main(void)
{
    if (UNIT_SLOW) {
        puts("a sanitizer needs the address space that this test takes away");
        return UNIT_SKIP;
    }
    seed = unit_seed();
    unit_each_mode(from_the_start, NULL);
    unit_each_mode(absurd, NULL);
    unit_each_mode(one_mode, NULL);
    return 0;
}
