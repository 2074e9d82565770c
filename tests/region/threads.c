/* Promise: a region made with LOAM_REGION_LOCKED may be used by many threads at once; one made with
 * LOAM_REGION_SHARED over shared memory by many processes, and (bump, cells, buddy) at a different address in each.
 * */
#define _GNU_SOURCE 1 /* memfd_create */
#include "region_test.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, STEPS = 20000, HELD = 50, SHARED = 1 << 20 };

struct worker {
    loam_region *region;
    uint64_t seed;
    unsigned char mark;
    bool frees;
};

/* Blocks are filled with the worker's own mark: a block that two hold would show. */
static int work(const struct worker *worker, int steps)
{
    struct random random;
    unsigned char *held[HELD] = {NULL};
    size_t size[HELD];
    random_seed(&random, worker->seed);
    for (int step = 0; step < steps; step++) {
        uint32_t i = random_below(&random, HELD);
        if (held[i] != NULL) {
            for (size_t j = 0; j < size[i]; j++)
                if (held[i][j] != worker->mark)
                    return 1;
            if (worker->frees && loam_region_free(worker->region, held[i]) != LOAM_OK)
                return 2;
            held[i] = NULL;
        } else {
            size[i] = 1 + random_below(&random, 48);
            held[i] = loam_region_alloc(worker->region, size[i]);
            if (held[i] != NULL)
                memset(held[i], worker->mark, size[i]);
        }
    }
    for (int i = 0; i < HELD; i++)
        if (held[i] != NULL && worker->frees && loam_region_free(worker->region, held[i]) != LOAM_OK)
            return 2;
    return 0;
}

static void *work_thread(void *arg)
{
    return (void *)(intptr_t)work(arg, STEPS);
}

static void test_threads(int kind)
{
    struct loam_region_options options = {.kind = (enum loam_region_kind)kind,
                                          .source = LOAM_SOURCE_MAP,
                                          .flags = LOAM_REGION_LOCKED,
                                          .cell = kind == LOAM_REGION_CELLS ? 48 : 0};
    struct worker worker[THREADS];
    pthread_t thread[THREADS];
    loam_region *region;
    CHECK_CODE(loam_region_create(&region, &options), LOAM_OK);
    for (int t = 0; t < THREADS; t++) {
        worker[t] = (struct worker){region, (uint64_t)test_seed + (unsigned)t, (unsigned char)(t + 1),
                                    kind != LOAM_REGION_BUMP};
        CHECK(pthread_create(&thread[t], NULL, work_thread, &worker[t]) == 0);
    }
    for (int i = 0; i < 50; i++) {
        check_region(region);
        usleep(100);
    }
    for (int t = 0; t < THREADS; t++) {
        void *result;
        pthread_join(thread[t], &result);
        CHECK_EQ((uintptr_t)result, 0);
    }
    struct loam_region_stats stats;
    check_region(region);
    loam_region_stats(region, &stats);
    if (kind != LOAM_REGION_BUMP)
        CHECK_EQ(stats.live_blocks, 0);
    CHECK_CODE(loam_region_destroy(region), LOAM_OK);
}

/* One file, mapped by each process where the kernel likes; the region itself is its first bytes. */
static void test_processes(int kind)
{
    bool anywhere = kind != LOAM_REGION_BLOCKS && kind != LOAM_REGION_BITMAP;
    int file = memfd_create("region", 0);
    CHECK(file >= 0 && ftruncate(file, SHARED) == 0);
    char *here = mmap(NULL, SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(here != MAP_FAILED);
    struct loam_region_options options = {.kind = (enum loam_region_kind)kind,
                                          .source = LOAM_SOURCE_BUFFER,
                                          .flags = LOAM_REGION_SHARED,
                                          .buffer = here,
                                          .buffer_size = SHARED,
                                          .cell = kind == LOAM_REGION_CELLS ? 48 : 0};
    loam_region *region;
    CHECK_CODE(loam_region_create(&region, &options), LOAM_OK);
    size_t distance = (size_t)((char *)region - here);
    pid_t child[3];
    for (int c = 0; c < 3; c++) {
        child[c] = fork();
        if (child[c] == 0) {
            char *there = here;
            if (anywhere) {
                there = mmap(NULL, SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
                if (there == MAP_FAILED || there == here || munmap(here, SHARED) != 0)
                    _exit(3);
            }
            struct worker worker = {(loam_region *)(there + distance), (uint64_t)test_seed + (unsigned)c,
                                    (unsigned char)(c + 10), kind != LOAM_REGION_BUMP};
            _exit(work(&worker, STEPS / 2));
        }
        CHECK(child[c] > 0);
    }
    for (int c = 0; c < 3; c++) {
        int status;
        waitpid(child[c], &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            FAIL("kind %d: process %d ended with status 0x%x", kind, c, status);
    }
    check_region(region);
    struct loam_region_stats stats;
    loam_region_stats(region, &stats);
    if (kind != LOAM_REGION_BUMP)
        CHECK_EQ(stats.live_blocks, 0);
    CHECK_CODE(loam_region_destroy(region), LOAM_OK);
    munmap(here, SHARED);
    close(file);
}

int main(void)
{
    test_seed_read(1);
    for (int kind = LOAM_REGION_BUMP; kind <= LOAM_REGION_BITMAP; kind++) {
        test_threads(kind);
        test_processes(kind);
    }
    return 0;
}
