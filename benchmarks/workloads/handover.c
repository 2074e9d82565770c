// handover: generations of threads; each inherits the objects of the one before, replaces many, and hands them on.
// Modelled on servers that start a thread for each connection or job and keep shared state in between (the idea of Larson
// and Krishnan's server benchmark): an object is given back by another thread than the one that took it, mostly by one
// whose predecessor is gone.
#include "workload.h"

#include <pthread.h>

enum { lines = 8, objects = 2000 };

struct line { // one line of inheritance: the objects pass from thread to thread
    struct random random;
    uint64_t sum;
    void *object[objects];
    uint32_t size[objects];
};

static size_t generations, replacements;
static struct line line[lines];

static void line_replace(struct line *l)
{
    size_t at = random_below(&l->random, objects);
    if (l->object[at] != NULL) {
        l->sum = checksum_mix(l->sum, block_read(l->object[at], l->size[at]));
        block_give(l->object[at]);
    }
    l->size[at] = (uint32_t)random_between(&l->random, 16, 1000);
    l->object[at] = block_take(l->size[at], (unsigned)at);
}

static void *generation_run(void *argument)
{
    struct line *l = argument;
    for (size_t i = 0; i < replacements; i++)
        line_replace(l);
    return NULL;
}

// One keeper for each line starts its generations one after the other.
static void *keeper_run(void *argument)
{
    for (size_t g = 0; g < generations; g++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, generation_run, argument) != 0)
            workload_fail("a thread cannot be made");
        pthread_join(thread, NULL);
    }
    return NULL;
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    generations = workload_times(200, 2);
    replacements = 10000;
    pthread_t keeper[lines];
    for (size_t i = 0; i < lines; i++) {
        line[i].random = random_from(70 + i);
        if (pthread_create(&keeper[i], NULL, keeper_run, &line[i]) != 0)
            workload_fail("a thread cannot be made");
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < lines; i++) {
        pthread_join(keeper[i], NULL);
        sum = checksum_mix(sum, line[i].sum);
        for (size_t j = 0; j < objects; j++)
            block_give(line[i].object[j]);
    }
    return workload_end(sum);
}
