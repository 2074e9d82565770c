// spike: the heap grows to 512 MiB, 95 % are freed in clusters, then the program goes on lightly for two seconds.
// Modelled on services after a large report, an import or a burst of clients. The question is what stays resident: the
// metrics are RSS over live bytes right after the frees (rss_at_once), after two seconds of light use (rss_after_use), and
// the RSS itself. The time that counts (metric time_s) is that of the work, without the pauses.
#include "workload.h"

enum { steps = 40 };

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

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    struct random r = random_from(17);
    size_t goal = workload_times(512u << 20, 1 << 20);
    struct block *blocks = calloc(goal / 400 + 4096, sizeof *blocks);
    if (blocks == NULL)
        workload_fail("calloc gave nothing");
    double begin = time_now();
    size_t n = spike_grow(&r, blocks, goal);
    double peak = rss_kib();
    spike_drop(&r, blocks, n);
    double paused = 0;
    double counted = (double)live + (double)(n * sizeof *blocks);
    double at_once = rss_kib();
    for (size_t i = 0; i < steps; i++) {
        double before = time_now();
        pause_ms(2000 / steps);
        paused += time_now() - before;
        use_lightly(&r);
    }
    double after_use = rss_kib();
    metric_print("live_kib", counted / 1024);
    metric_print("peak_per_live", peak * 1024 / (double)goal);
    metric_print("rss_at_once", at_once * 1024 / counted);
    metric_print("rss_after_use", after_use * 1024 / counted);
    metric_print("rss_after_use_kib", after_use);
    for (size_t i = 0; i < n; i++)
        if (!blocks[i].gone)
            block_drop(&blocks[i]);
    free(blocks);
    metric_print("time_s", time_now() - begin - paused);
    return workload_end(sum);
}
