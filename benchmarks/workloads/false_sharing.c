// false_sharing: two threads on two processors, each writing hard to small blocks of its own, against one thread alone.
// Modelled on per-thread counters, reference counts and iterators, which programs take with malloc and trust to be their
// own. If blocks of two threads lie in one cache line, the line travels between the processors at every write.
//
// Two ways to come to that, after Berger's cache-thrash and cache-scratch:
//   own      each thread takes, writes, gives back, over and over: does the allocator deal one line out to two processors?
//   handed   main takes neighbouring blocks and hands one to each thread, which writes it, gives it back and goes on
//            with its own: does the allocator give the foreign block's line to the thread for good?
// And two that use no allocator, to know what the figures mean on this machine:
//   apart    blocks 256 bytes apart in a static array: what two threads cost each other anyway (shared core, turbo)
//   one_line blocks in one line: what false sharing looks like
// metrics: for each, the time of two threads over that of one, the median of 15 repetitions; 1 is none. Where `apart` is not
// near 1, something else was running, and the other figures mean nothing. Needs two processors.
#include "pinned.h"

enum { sizes = 4, writes = 1000, repetitions = 15 };
static const size_t size_of[sizes] = {8, 16, 24, 48};

enum way { OWN, HANDED, APART, ONE_LINE, WAYS };
static const char *const way_name[WAYS] = {"own", "handed", "apart", "one_line"};

static _Alignas(4096) unsigned char fixed[4096];
static size_t rounds;

struct task {
    enum way way;
    int place;                    // 0 or 1
    void *handed[sizes];
    uint64_t sum;
    double begun, ended;
    pthread_barrier_t *start;
    pthread_t thread;
};

static void block_write_hard(volatile unsigned char *p)
{
    for (size_t i = 0; i < writes; i++)
        *p = (unsigned char)(*p + 1);
}

static void *task_run(void *argument)
{
    struct task *t = argument;
    processor_pin(processor_at(t->place));
    pthread_barrier_wait(t->start);
    t->begun = time_now();
    for (size_t s = 0; s < sizes; s++) // size by size: the two threads are at the same one all the time
        for (size_t i = 0; i < rounds; i++) {
            if (t->way == APART || t->way == ONE_LINE) {
                block_write_hard(fixed + t->place * (t->way == APART ? 256 : 8));
                continue;
            }
            unsigned char *p = t->handed[s] != NULL ? t->handed[s] : block_take(size_of[s], 0);
            t->handed[s] = NULL;
            block_write_hard(p);
            t->sum += p[0];
            block_give(p);
        }
    t->ended = time_now();
    return NULL;
}

// Seconds in which `n` threads have done their work, each the same amount.
static double tasks_time(enum way way, int n, uint64_t *sum)
{
    static struct task task[2];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, (unsigned)n);
    for (int i = 0; i < n; i++)
        task[i] = (struct task){.way = way, .place = i, .start = &start};
    if (way == HANDED)
        for (size_t s = 0; s < sizes; s++)
            for (int i = 0; i < n; i++) // neighbours, one for each thread
                task[i].handed[s] = block_take(size_of[s], 0);
    for (int i = 0; i < n; i++)
        if (pthread_create(&task[i].thread, NULL, task_run, &task[i]) != 0)
            workload_fail("thread %d cannot be made", i);
    double begun = 0, ended = 0;
    for (int i = 0; i < n; i++) {
        pthread_join(task[i].thread, NULL);
        *sum += task[i].sum;
        if (i == 0 || task[i].begun < begun)
            begun = task[i].begun;
        if (i == 0 || task[i].ended > ended)
            ended = task[i].ended;
    }
    pthread_barrier_destroy(&start);
    return ended - begun;
}

static int ratio_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    if (processor_at(1) < 0)
        workload_fail("two processors are needed");
    rounds = workload_times(1000, 10);
    uint64_t sum = 0;
    for (int way = 0; way < WAYS; way++) {
        double ratio[repetitions];
        for (int i = 0; i < repetitions; i++) {
            double alone = tasks_time((enum way)way, 1, &sum);
            ratio[i] = tasks_time((enum way)way, 2, &sum) / alone;
        }
        qsort(ratio, repetitions, sizeof ratio[0], ratio_compare);
        metric_print(way_name[way], ratio[repetitions / 2]);
    }
    return workload_end(sum);
}
