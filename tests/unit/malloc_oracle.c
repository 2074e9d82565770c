/* The whole of malloc, from 1 to 8 threads, in both modes, against an account that the test keeps: overlap, contents, alignment,
 * usable size, zeros; at rest the heap is sound and its numbers are exactly what the threads hold; at the end nothing is left. */
#include "loam/loam.h"
#include "player.h"
#include <pthread.h>

enum { ROUNDS = 6 };
static struct player players[8];
static pthread_barrier_t gate;
static int steps;

static void numbers_exact(uint32_t count)
{
    static struct loam_stats stats;
    size_t blocks, bytes, in_classes = 0;
    EXPECT_SOUND(loam_check());
    players_sum(players, count, &blocks, &bytes);
    loam_stats_get(&stats);
    EXPECT(stats.exact);
    EXPECT_EQ(stats.live_blocks, blocks);
    EXPECT_EQ(stats.live_bytes, bytes);
    EXPECT_EQ(stats.lost_blocks, 0);
    for (int class = 1; class < LOAM_STATS_CLASSES; class ++)
        in_classes += stats.class_live[class];
    EXPECT_EQ(in_classes, blocks - stats.large_blocks);
    EXPECT(stats.peak_bytes >= bytes);
    EXPECT_EQ(stats.mapped_bytes,
              stats.live_bytes + stats.cached_bytes + stats.free_in_chunks + stats.dirty_bytes + stats.untouched_bytes);
}

static void *play(void *arg)
{
    struct player *player = arg;
    for (int round = 0; round < ROUNDS; round++) {
        player->limit = round % 2 ? PLAYER_HOLDS : PLAYER_HOLDS / 10;
        for (int i = 0; i < steps; i++)
            player_step(player);
        pthread_barrier_wait(&gate); /* at rest: the main thread looks */
        pthread_barrier_wait(&gate);
    }
    return NULL;
}

static void run(uint32_t count, uint64_t seed)
{
    pthread_t threads[8];
    pthread_barrier_init(&gate, NULL, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        memset(&players[i], 0, sizeof players[i]);
        players[i].largest = 600 << 10;
        random_seed(&players[i].random, seed + i * 77 + count);
        EXPECT(pthread_create(&threads[i], NULL, play, &players[i]) == 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&gate);
        numbers_exact(count);
        if (round == 2)
            loam_trim();
        if (round == 3)
            numbers_exact(count);
        pthread_barrier_wait(&gate);
    }
    for (uint32_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    players_end(players, count);
    numbers_exact(count);
    loam_trim();
    static struct loam_stats stats;
    loam_stats_get(&stats);
    EXPECT_EQ(stats.live_blocks, 0);
    EXPECT_EQ(stats.cached_blocks, 0);
    EXPECT_EQ(stats.chunks, 0);
    EXPECT_EQ(stats.dirty_bytes, 0);
    EXPECT_EQ(stats.mapped_bytes, 0);
    pthread_barrier_destroy(&gate);
}

static void one_mode(void *seed)
{
    API(free)(API(malloc)(1));
    printf("mode %s: %s\n", unit_mode, loam_mode());
    for (uint32_t count = 1; count <= 8; count *= 2) {
        steps = (UNIT_SLOW ? 6000 : 40000) / (int)count + 500;
        run(count, *(uint64_t *)seed);
    }
}

int main(void)
{
    uint64_t seed = unit_seed();
    unit_each_mode(one_mode, &seed);
    return 0;
}
