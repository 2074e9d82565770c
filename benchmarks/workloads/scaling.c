// scaling blocks N: how the cost of a call and the memory around the blocks grow with the number of live blocks.
// scaling space GIB: the same with so much address space mapped and never touched.
// Modelled on caches, indexes and graphs: N small blocks (16 to 32 bytes) live, one at random goes and another comes; and on
// programs that reserve large sparse tables beside them. The blocks' addresses lie in memory that is not the allocator's.
//
// metrics of `blocks`: build_ns (a malloc while growing, page faults and all), pair_ns (one free and one malloc at random, among N
// live), touch_ns (the same without the two calls: what reaching a random block costs by itself, which is caches and page tables),
// over_bytes (resident bytes per block beyond the 24 that it has on average), drop_ns (the frees at the end).
// metrics of `space`: map_ns, unmap_ns (for a block of 64 MiB, untouched), pair_ns (small pairs beside them), space_kib
// (resident memory that the untouched blocks cost).
#include "workload.h"

#include <sys/mman.h>

enum { size_least = 16, size_most = 32, space_block_mib = 64, pairs_most = 2000000 };

static void *own_memory(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (p == MAP_FAILED)
        workload_fail("no %zu bytes for the addresses", bytes);
    return p;
}

static double per(double seconds, size_t n)
{
    return seconds * 1e9 / (double)n;
}

// The size of a block follows from its place, so nothing needs to be kept beside the address.
static size_t size_at(size_t i)
{
    return size_least + i * 5 % (size_most - size_least + 1);
}

static uint64_t pairs_time(unsigned char **block, size_t n)
{
    uint64_t sum = 0;
    size_t pairs = workload_times(pairs_most, 1000);
    struct random r = random_from(1);
    double begin = time_now();
    for (size_t i = 0; i < pairs; i++) {
        size_t at = random_below(&r, n);
        sum += block[at][0];
        block[at][0] = (unsigned char)at; // as it is: a write like that of a program, and the result stays known
    }
    metric_print("touch_ns", per(time_now() - begin, pairs));
    r = random_from(2);
    begin = time_now();
    for (size_t i = 0; i < pairs; i++) {
        size_t at = random_below(&r, n);
        block_give(block[at]);
        block[at] = block_take_raw(size_at(at));
        block[at][0] = (unsigned char)at;
    }
    metric_print("pair_ns", per(time_now() - begin, pairs));
    return sum;
}

static uint64_t blocks_run(size_t n)
{
    unsigned char **block = own_memory(n * sizeof *block);
    double before = rss_kib(), live = 0;
    double begin = time_now();
    for (size_t i = 0; i < n; i++) {
        block[i] = block_take_raw(size_at(i));
        memset(block[i], (int)(i & 0xff), size_at(i));
    }
    metric_print("build_ns", per(time_now() - begin, n));
    uint64_t sum = pairs_time(block, n);
    for (size_t i = 0; i < n; i++)
        live += (double)size_at(i);
    metric_print("over_bytes", ((rss_kib() - before) * 1024 - live) / (double)n);
    begin = time_now();
    for (size_t i = 0; i < n; i++) {
        sum += block[i][0] == (unsigned char)i;
        block_give(block[i]);
    }
    metric_print("drop_ns", per(time_now() - begin, n));
    return checksum_mix(sum, n);
}

static uint64_t space_run(size_t gib)
{
    size_t n = gib * 1024 / space_block_mib, small = 1000;
    void **large = own_memory(n * sizeof *large);
    unsigned char **block = own_memory(small * sizeof *block);
    for (size_t i = 0; i < small; i++)
        block[i] = block_take(size_at(i), (unsigned)i);
    double before = rss_kib();
    double begin = time_now();
    for (size_t i = 0; i < n; i++)
        large[i] = block_take_raw((size_t)space_block_mib << 20);
    metric_print("map_ns", per(time_now() - begin, n));
    metric_print("space_kib", rss_kib() - before);
    uint64_t sum = pairs_time(block, small);
    begin = time_now();
    for (size_t i = 0; i < n; i++)
        block_give(large[i]);
    metric_print("unmap_ns", per(time_now() - begin, n));
    for (size_t i = 0; i < small; i++) {
        sum += block[i][0];
        block_give(block[i]);
    }
    return checksum_mix(sum, n);
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    size_t n = workload_argument(count, arguments, 2, 0);
    if (count != 4 || n == 0)
        workload_fail("scaling SCALE blocks N, or scaling SCALE space GIB");
    if (strcmp(arguments[2], "blocks") == 0)
        return workload_end(blocks_run(n));
    if (strcmp(arguments[2], "space") == 0)
        return workload_end(space_run(n));
    workload_fail("blocks or space, not %s", arguments[2]);
}
