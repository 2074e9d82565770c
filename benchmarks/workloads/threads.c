// threads N: N threads alive at once, each with 1 KiB of its own live, all working a little in turns.
// Modelled on servers with a thread for each client (databases, Java-like services, chat servers): most threads wait, some
// work, and what matters is what a thread costs that has once allocated. The metric rss_over_kib is what is resident beyond
// the start of the program with all threads alive; it holds their stacks too, which are alike for every allocator.
#include "workload.h"

#include <errno.h>
#include <pthread.h>

enum { own_blocks = 8, own_bytes = 1024, turns = 10, turn_pairs = 40 };

static size_t threads;
static pthread_barrier_t turn;
static uint64_t *sums;

static void *client_run(void *argument)
{
    size_t id = (size_t)(uintptr_t)argument;
    struct random r = random_from(id);
    void *own[own_blocks];
    size_t size[own_blocks];
    size_t left = own_bytes;
    uint64_t sum = 0;
    for (size_t i = 0; i < own_blocks; i++) { // eight blocks that sum to 1 KiB
        size[i] = i + 1 == own_blocks ? left : random_between(&r, 16, left / (own_blocks - i) * 2 - 16);
        left -= size[i];
        own[i] = block_take(size[i], (unsigned)id);
    }
    for (size_t t = 0; t < turns; t++) {
        pthread_barrier_wait(&turn);
        for (size_t i = 0; i < turn_pairs; i++) {
            size_t n = random_size(&r, 16, 2048);
            void *p = block_take(n, (unsigned)i);
            sum += block_read(p, n);
            block_give(p);
        }
    }
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn); // main has looked at the RSS
    for (size_t i = 0; i < own_blocks; i++) {
        sum = checksum_mix(sum, block_read(own[i], size[i]));
        block_give(own[i]);
    }
    sums[id] = sum;
    return NULL;
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    threads = workload_times(workload_argument(count, arguments, 1, 2000), 4);
    pthread_t *ids = calloc(threads, sizeof *ids);
    sums = calloc(threads, sizeof *sums);
    if (ids == NULL || sums == NULL)
        workload_fail("calloc gave nothing");
    double before = rss_kib();
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    pthread_barrier_init(&turn, NULL, (unsigned)threads + 1);
    for (size_t i = 0; i < threads; i++)
        if ((errno = pthread_create(&ids[i], &attributes, client_run, (void *)(uintptr_t)i)) != 0)
            workload_fail("thread %zu of %zu cannot be made: %s", i + 1, threads, strerror(errno));
    for (size_t t = 0; t <= turns; t++)
        pthread_barrier_wait(&turn);
    metric_print("rss_over_kib", rss_kib() - before);
    pthread_barrier_wait(&turn);
    uint64_t sum = 0;
    for (size_t i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        sum = checksum_mix(sum, sums[i]);
    }
    free(ids);
    free(sums);
    return workload_end(sum);
}
