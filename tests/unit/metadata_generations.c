/* Threads leave nothing behind: over generations of them, each of which allocates, frees what others allocated and ends, what the
 * heap knows (metadata), maps and holds does not grow. In both modes. */
#include "api/names.h"
#include "loam/loam.h"
#include "unit.h"
#include <pthread.h>

enum { THREADS = 16, BLOCKS = 300, WARM = 20 };
static void *passed[THREADS][BLOCKS]; /* from one generation to the next */

static void *live(void *arg)
{
    uintptr_t number = (uintptr_t)arg;
    struct random random;
    random_seed(&random, number + 1);
    for (int i = 0; i < BLOCKS; i++) {
        API(free)(passed[number][i]);
        size_t size = random_below(&random, 40) == 0 ? random_below(&random, 100000) : random_below(&random, 700);
        passed[number][i] = API(malloc)(size);
        EXPECT(passed[number][i] != NULL);
    }
    return NULL;
}

static void generation(void)
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) /* each frees what another one made */
        EXPECT(pthread_create(&threads[i], NULL, live, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    void *first[BLOCKS];
    memcpy(first, passed[0], sizeof first);
    memmove(passed[0], passed[1], sizeof passed - sizeof first);
    memcpy(passed[THREADS - 1], first, sizeof first);
}

static void generations(void *arg)
{
    (void)arg;
    int count = UNIT_SLOW ? 60 : 700; /* 11,200 threads */
    static struct loam_stats before, now;
    for (int i = 0; i < count; i++) {
        generation();
        if (i == WARM)
            loam_stats_get(&before);
    }
    loam_stats_get(&now);
    printf("mode %s: metadata %zu -> %zu, mapped %zu -> %zu, cached %zu -> %zu\n", loam_mode(), before.metadata_bytes,
           now.metadata_bytes, before.mapped_peak, now.mapped_peak, before.cached_bytes, now.cached_bytes);
    EXPECT(now.metadata_bytes <= before.metadata_bytes + (64 << 10));
    EXPECT(now.mapped_peak <= before.mapped_peak + before.mapped_peak / 2 + (1 << 20));
    EXPECT_EQ(now.live_blocks, THREADS * BLOCKS);
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < BLOCKS; k++)
            API(free)(passed[i][k]);
    loam_trim();
    loam_stats_get(&now);
    EXPECT_EQ(now.live_blocks, 0);
    EXPECT_EQ(now.cached_blocks, 0);
    EXPECT_EQ(now.mapped_bytes, 0);
    EXPECT_SOUND(loam_check());
}

int main(void)
{
    unit_each_mode(generations, NULL);
    return 0;
}
