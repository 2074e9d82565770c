// churn: 20,000 threads that live shortly, four at a time.
// Modelled on programs that start a thread for each task: std::async, test runners, build tools. A task takes some forty
// small objects and a buffer, drops nearly all, and leaves its result to the thread that started it.
#include "workload.h"

#include <pthread.h>

enum { starters = 4, task_objects = 40 };

static size_t tasks_each;
static uint64_t sums[starters];

struct result {
    size_t size;
    uint64_t sum;
};

static void *task_run(void *argument)
{
    struct random r = random_from((uintptr_t)argument);
    void *object[task_objects];
    size_t size[task_objects];
    size_t buffer_size = random_size(&r, 1024, 16384);
    void *buffer = block_take(buffer_size, 1);
    uint64_t sum = block_read(buffer, buffer_size);
    for (size_t i = 0; i < task_objects; i++) {
        size[i] = random_size(&r, 16, 512);
        object[i] = block_take(size[i], (unsigned)i);
    }
    for (size_t i = 0; i < task_objects; i++) {
        sum = checksum_mix(sum, block_read(object[i], size[i]));
        block_give(object[i]);
    }
    block_give(buffer);
    size_t result_size = random_size(&r, 64, 1024);
    struct result *result = block_take(result_size, 2);
    *result = (struct result){result_size, sum};
    return result;
}

static void *starter_run(void *argument)
{
    size_t id = (size_t)(uintptr_t)argument;
    uint64_t sum = 0;
    for (size_t i = 0; i < tasks_each; i++) {
        pthread_t thread;
        void *got;
        if (pthread_create(&thread, NULL, task_run, (void *)(uintptr_t)(id * 1000000 + i)) != 0)
            workload_fail("a thread cannot be made");
        pthread_join(thread, &got);
        struct result *result = got;
        sum = checksum_mix(sum, result->sum + result->size);
        block_give(result);
    }
    sums[id] = sum;
    return NULL;
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    tasks_each = workload_times(20000 / starters, 2);
    pthread_t starter[starters];
    for (size_t i = 0; i < starters; i++)
        if (pthread_create(&starter[i], NULL, starter_run, (void *)(uintptr_t)i) != 0)
            workload_fail("a thread cannot be made");
    uint64_t sum = 0;
    for (size_t i = 0; i < starters; i++) {
        pthread_join(starter[i], NULL);
        sum = checksum_mix(sum, sums[i]);
    }
    return workload_end(sum);
}
