// The histogram of workloads/ticks.h against plain arithmetic: every value lies in its bucket, buckets follow each other without a
// gap, a bucket is at most an eighth wide, quantiles are those of the sorted values to within a bucket. Exit 0: all held.
#include "../workloads/ticks.h"

static void expect(int holds, const char *what, uint64_t value)
{
    if (!holds)
        workload_fail("%s: %llu", what, (unsigned long long)value);
}

static void value_check(uint64_t value)
{
    size_t bucket = histogram_bucket(value);
    expect(histogram_from(bucket) <= value, "begins above the value", value);
    expect(value < histogram_from(bucket + 1), "ends below the value", value);
    expect(histogram_from(bucket + 1) - histogram_from(bucket) <= 1 + value / histogram_steps, "is too wide for", value);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    enum { n = 10000 };
    static uint64_t values[n];
    static struct histogram half[2], h;
    for (uint64_t value = 0; value < 5000; value++)
        value_check(value);
    struct random r = random_from(3);
    for (size_t i = 0; i < 100000; i++)
        value_check(random_next(&r) >> (20 + random_below(&r, 44)));
    for (size_t i = 1; i < histogram_buckets; i++)
        expect(histogram_bucket(histogram_from(i)) == i && histogram_bucket(histogram_from(i) - 1) == i - 1, "bucket", i);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        values[i] = random_next(&r) >> (30 + random_below(&r, 30));
        sum += values[i];
        histogram_add(&half[i % 2], values[i]);
    }
    histogram_join(&h, &half[0]);
    histogram_join(&h, &half[1]);
    qsort(values, n, sizeof values[0], compare);
    expect(histogram_calls(&h) == n && h.sum == sum && h.most == values[n - 1], "the whole", n);
    static const size_t places[] = {1, 100, 5000, 9000, 9900, 9990, n};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint64_t is = values[places[i] - 1], told = histogram_quantile(&h, (double)places[i] / n);
        expect(told >= is && histogram_bucket(told) == histogram_bucket(is), "quantile", places[i]);
    }
    return 0;
}
