// spike: the heap grows to 512 MiB, 95 % are freed in clusters, then the program goes on lightly for two seconds.
// Modelled on services after a large report, an import or a burst of clients. The question is what stays resident: the
// metrics are RSS over live bytes right after the frees (rss_at_once), after two seconds of light use (rss_after_use), and
// the RSS itself. The time that counts (metric time_s) is that of the work, without the pauses.
//
// spike SCALE idle: instead of the light use nothing at all for 12 s, then one call; RSS over live bytes before that call
// (rss_after_idle), after malloc of 100 bytes (rss_after_call_small), after one more of 40,000 bytes
// (rss_after_call_middle), and after both are given back (rss_after_frees). Nobody without a thread of its own can act while the program sleeps; the question is what the
// next call does. A service that handles one request an hour is like that.
#include "workload.h"

enum { steps = 40, idle_ms = 12000 };

struct block {
    unsigned char *bytes;
    uint32_t size;
    uint32_t gone;
};

static size_t live;
static uint64_t sum;

static size_t spike_grow(struct random *r, struct block *blocks, size_t goal)
{
    size_t n = 0;
    for (; live < goal; n++) {
        size_t size = random_below(r, 200) == 0 ? random_size(r, 4096, 262144) : random_size(r, 32, 4095);
        blocks[n] = (struct block){block_take(size, (unsigned)n), (uint32_t)size, 0};
        live += size;
    }
    return n;
}

static void block_drop(struct block *b)
{
    sum = checksum_mix(sum, block_read(b->bytes, b->size));
    live -= b->size;
    block_give(b->bytes);
    b->gone = 1;
}

// Clusters of 200 neighbours stay, 95 % of them go.
static void spike_drop(struct random *r, struct block *blocks, size_t n)
{
    for (size_t i = 0; i < n; i += 200) {
        if (random_below(r, 20) == 0)
            continue;
        for (size_t j = i; j < i + 200 && j < n; j++)
            block_drop(&blocks[j]);
    }
}

static void use_lightly(struct random *r)
{
    void *kept[100];
    size_t size[100];
    for (size_t i = 0; i < 100; i++) {
        size[i] = random_size(r, 32, 16384);
        kept[i] = block_take(size[i], (unsigned)i);
    }
    for (size_t i = 0; i < 100; i++) {
        sum = checksum_mix(sum, block_read(kept[i], size[i]));
        block_give(kept[i]);
    }
}

static void pause_ms(long milliseconds)
{
    struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static double paused; // seconds that the program slept

static void pause_counted(long milliseconds)
{
    double before = time_now();
    pause_ms(milliseconds);
    paused += time_now() - before;
}

static void use_for_two_seconds(struct random *r, double counted)
{
    for (size_t i = 0; i < steps; i++) {
        pause_counted(2000 / steps);
        use_lightly(r);
    }
    double after_use = rss_kib();
    metric_print("rss_after_use", after_use * 1024 / counted);
    metric_print("rss_after_use_kib", after_use);
}

static void idle_and_call(double counted)
{
    pause_counted(workload_scale < 1 ? (long)(idle_ms * workload_scale) : idle_ms);
    double idle = rss_kib();
    void *small = block_take_raw(100);
    double after_small = rss_kib();
    void *middle = block_take_raw(40000);
    double after_middle = rss_kib();
    block_give(small);
    block_give(middle);
    double after_frees = rss_kib();
    metric_print("rss_after_idle", idle * 1024 / counted);
    metric_print("rss_after_call_small", after_small * 1024 / counted);
    metric_print("rss_after_call_middle", after_middle * 1024 / counted);
    metric_print("rss_after_frees", after_frees * 1024 / counted);
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    int is_idle = count > 2 && strcmp(arguments[2], "idle") == 0;
    struct random r = random_from(17);
    size_t goal = workload_times(512u << 20, 1 << 20);
    struct block *blocks = calloc(goal / 400 + 4096, sizeof *blocks);
    if (blocks == NULL)
        workload_fail("calloc gave nothing");
    double begin = time_now();
    size_t n = spike_grow(&r, blocks, goal);
    double peak = rss_kib();
    spike_drop(&r, blocks, n);
    double counted = (double)live + (double)(n * sizeof *blocks);
    double at_once = rss_kib();
    if (is_idle)
        idle_and_call(counted);
    else
        use_for_two_seconds(&r, counted);
    metric_print("live_kib", counted / 1024);
    metric_print("peak_per_live", peak * 1024 / (double)goal);
    metric_print("rss_at_once", at_once * 1024 / counted);
    for (size_t i = 0; i < n; i++)
        if (!blocks[i].gone)
            block_drop(&blocks[i]);
    free(blocks);
    metric_print("time_s", time_now() - begin - paused);
    return workload_end(sum);
}
