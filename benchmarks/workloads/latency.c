// latency THREADS: how long single calls of malloc and free take in a service, each timed by itself.
// Modelled on request servers, as server.c is: connections that live long and now and then replace what is in their
// session, requests that take some twenty strings, a body and a table and give them back, in other order; every 1,000
// requests a burst (a report) takes 2,000 blocks and gives them back. Connections pass to the other thread in turns, so a
// part is given back by another thread than took it. Sizes are drawn, and blocks written, outside of what is timed.
//
// metrics: malloc_mean_ns, _p50, _p90, _p99, _p999, _p9999, _max, the same for free; clock_ns, what timing an empty call shows
// (it is in every figure); and clock_step_ns, the least by which two readings differ: some processors count in steps of
// 20 ticks, and what lies within a step of each other cannot be told apart. `histogram NAME ns:count ...`: all calls, in eight buckets a doubling, named by where they begin.
// The time of the whole (time_s) is for the most part that of the clock, and of no use.
#include "ticks.h"

#include <pthread.h>

enum { turns = 16, headers_most = 24, session_items = 8, connections = 400, burst_every = 1000, burst_blocks = 2000 };

struct held {
    void *block;
    size_t size;
};

struct connection {
    struct random random;
    struct held session[session_items];
};

struct worker {
    struct histogram taken, given;
    uint64_t sum;
    size_t id;
    pthread_t thread;
};

static size_t threads, requests;
static struct connection all[connections];
static pthread_barrier_t turn_end;

static struct held timed_take(struct worker *w, size_t size)
{
    uint64_t before = ticks_now();
    void *p = malloc(size);
    uint64_t after = ticks_now();
    histogram_add(&w->taken, after - before);
    if (block_hide(p) == NULL)
        workload_fail("malloc(%zu) gave nothing", size);
    return (struct held){memset(p, (int)(size & 0xff), size), size};
}

static void timed_give(struct worker *w, struct held *h)
{
    if (h->block == NULL)
        return;
    w->sum += block_read(h->block, h->size);
    uint64_t before = ticks_now();
    free(h->block);
    uint64_t after = ticks_now();
    histogram_add(&w->given, after - before);
    h->block = NULL;
}

static void request_answer(struct worker *w, struct connection *c)
{
    struct held header[headers_most];
    size_t n = random_between(&c->random, 6, headers_most);
    for (size_t i = 0; i < n; i++)
        header[i] = timed_take(w, random_size(&c->random, 16, 255));
    struct held body = timed_take(w, random_size(&c->random, 256, 16384));
    struct held answer = timed_take(w, random_size(&c->random, 256, 65536));
    if (random_below(&c->random, 4) == 0) {
        size_t at = random_below(&c->random, session_items);
        timed_give(w, &c->session[at]);
        c->session[at] = timed_take(w, random_size(&c->random, 32, 4096));
    }
    timed_give(w, &body);
    for (size_t i = 0; i < n; i++)
        timed_give(w, &header[(i * 7) % n]); // some are met twice, and skipped
    for (size_t i = 0; i < n; i++)
        timed_give(w, &header[i]);
    timed_give(w, &answer);
}

static void report_make(struct worker *w, struct random *r)
{
    static __thread struct held part[burst_blocks];
    for (size_t i = 0; i < burst_blocks; i++)
        part[i] = timed_take(w, random_size(r, 16, 2048));
    for (size_t i = 0; i < burst_blocks; i++)
        timed_give(w, &part[i]);
}

static void *worker_run(void *argument)
{
    struct worker *w = argument;
    size_t each = connections / threads;
    for (size_t turn = 0; turn < turns; turn++) {
        size_t part = (w->id + turn) % threads;
        struct random r = random_from(part * 1000 + turn);
        for (size_t i = 0; i < requests; i++) {
            request_answer(w, &all[part * each + random_below(&r, each)]);
            if (i % burst_every == burst_every - 1)
                report_make(w, &r);
        }
        pthread_barrier_wait(&turn_end);
    }
    return NULL;
}

static void percentiles_print(const char *name, const struct histogram *h, double tick_ns)
{
    static const struct {
        const char *name;
        double share;
    } shown[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999}};
    char metric[64];
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        snprintf(metric, sizeof metric, "%s_%s_ns", name, shown[i].name);
        metric_print(metric, (double)histogram_quantile(h, shown[i].share) * tick_ns);
    }
    snprintf(metric, sizeof metric, "%s_max_ns", name);
    metric_print(metric, (double)h->most * tick_ns);
    snprintf(metric, sizeof metric, "%s_mean_ns", name);
    metric_print(metric, (double)h->sum * tick_ns / (double)histogram_calls(h));
    printf("histogram %s", name);
    for (size_t i = 0; i < histogram_buckets; i++)
        if (h->count[i] != 0)
            printf(" %.4g:%llu", (double)histogram_from(i) * tick_ns, (unsigned long long)h->count[i]);
    printf("\n");
}

static void clock_print(double tick_ns)
{
    static struct histogram empty;
    uint64_t step = UINT64_MAX, last = 0;
    for (size_t i = 0; i < 100000; i++) {
        uint64_t before = ticks_now();
        uint64_t after = ticks_now();
        uint64_t took = after - before, apart = took > last ? took - last : last - took;
        histogram_add(&empty, took);
        if (apart != 0 && apart < step)
            step = apart;
        last = took;
    }
    metric_print("clock_ns", (double)empty.sum * tick_ns / (double)histogram_calls(&empty));
    metric_print("clock_step_ns", step == UINT64_MAX ? 0 : (double)step * tick_ns);
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    threads = workload_argument(count, arguments, 1, 2);
    requests = workload_times(100000 / (threads * turns), 20);
    struct worker *workers = calloc(threads, sizeof *workers);
    if (workers == NULL || threads == 0 || threads > connections)
        workload_fail("1 to %d threads", connections);
    double tick_ns = ticks_measure();
    clock_print(tick_ns);
    for (size_t i = 0; i < connections; i++)
        all[i].random = random_from(i);
    pthread_barrier_init(&turn_end, NULL, (unsigned)threads);
    for (size_t i = 0; i < threads; i++) {
        workers[i].id = i;
        if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]) != 0)
            workload_fail("thread %zu cannot be made", i);
    }
    static struct worker total;
    for (size_t i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        histogram_join(&total.taken, &workers[i].taken);
        histogram_join(&total.given, &workers[i].given);
        total.sum += workers[i].sum;
    }
    percentiles_print("malloc", &total.taken, tick_ns);
    percentiles_print("free", &total.given, tick_ns);
    for (size_t i = 0; i < connections; i++)
        for (size_t k = 0; k < session_items; k++)
            block_give(all[i].session[k].block);
    free(workers);
    return workload_end(total.sum);
}
