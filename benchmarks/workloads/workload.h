// What every workload shares: random numbers, blocks that are really used, a checksum, the lines it prints.
//
// A workload is one program with one idea; the comment at its head says on which real behaviour it is modelled. It takes
// `SCALE [ARG...]` (1 is the size that counts; smaller ones are for trying out), does the same work whatever the allocator
// and the timing of its threads, and ends with
//     checksum HEX            equal for every right allocator
//     metric NAME VALUE       what only the program itself can know, any number of lines
// Blocks are written when they are taken and read before they are given back, as programs do; sizes are drawn outside of
// the loops that matter where drawing would cost as much as the allocation.
//
// The easy mistake: anything that depends on an address, on time or on which thread came first must not reach the checksum.
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double workload_scale = 1.0;

__attribute__((noreturn, format(printf, 1, 2))) static inline void workload_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("workload: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(3);
}

static inline void workload_begin(int count, char **arguments)
{
    if (count > 1)
        workload_scale = atof(arguments[1]);
    if (!(workload_scale > 0.0 && workload_scale <= 100.0))
        workload_fail("a scale is a number above 0, up to 100");
}

// The n-th argument after the scale as a number, or what holds without it.
static inline size_t workload_argument(int count, char **arguments, int n, size_t otherwise)
{
    return count > n + 1 ? strtoul(arguments[n + 1], NULL, 10) : otherwise;
}

// How often to do something that is done `full` times at scale 1; never less than `least`.
static inline size_t workload_times(size_t full, size_t least)
{
    size_t times = (size_t)((double)full * workload_scale);
    return times < least ? least : times;
}

static inline int workload_end(uint64_t checksum)
{
    printf("checksum %016llx\n", (unsigned long long)checksum);
    return fflush(stdout) == 0 ? 0 : 4;
}

static inline void metric_print(const char *name, double value)
{
    printf("metric %s %.6g\n", name, value);
}

static inline double time_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Resident bytes of this process now, in KiB. Allocates nothing: stdio would, and a single call of malloc may be what makes
// an allocator give memory back.
static inline double rss_kib(void)
{
    char text[128];
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (n <= 0)
        workload_fail("/proc/self/statm cannot be read");
    close(file);
    text[n] = 0;
    char *second = strchr(text, ' ');
    if (second == NULL)
        workload_fail("/proc/self/statm is not as expected");
    return strtod(second, NULL) * (double)sysconf(_SC_PAGESIZE) / 1024.0;
}

// splitmix64: deterministic, three multiplications, good enough for sizes and choices.
struct random {
    uint64_t state;
};

static inline struct random random_from(uint64_t seed)
{
    return (struct random){seed * 0x9e3779b97f4a7c15u + 0x1234567u};
}

static inline uint64_t random_next(struct random *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// A number in [0, n).
static inline size_t random_below(struct random *r, size_t n)
{
    return (size_t)(((unsigned __int128)random_next(r) * n) >> 64);
}

static inline size_t random_between(struct random *r, size_t low, size_t high)
{
    return low + random_below(r, high - low + 1);
}

// A size in [low, high] with as many small as large ones in the sense of ratios: each doubling is equally likely.
static inline size_t random_size(struct random *r, size_t low, size_t high)
{
    size_t top = low;
    unsigned doublings = 0;
    while (top <= high / 2) {
        top *= 2;
        doublings++;
    }
    size_t base = low << random_below(r, doublings + 1);
    size_t size = base + random_below(r, base);
    return size > high ? high : size;
}

static inline void random_shuffle(struct random *r, uint32_t *items, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = random_below(r, i);
        uint32_t kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}

static inline uint64_t checksum_mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * 0x100000001b3u + (sum >> 47);
}

// Hides a pointer from the optimiser, so that no allocation is optimised away.
static inline void *block_hide(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static inline void *block_take_raw(size_t size)
{
    void *p = block_hide(malloc(size));
    if (p == NULL)
        workload_fail("malloc(%zu) gave nothing", size);
    return p;
}

// A block of `size` bytes, all written: each byte is `tag`.
static inline void *block_take(size_t size, unsigned tag)
{
    return memset(block_take_raw(size), (int)(tag & 0xff), size);
}

// What a reader of the block sees: its two ends.
static inline uint64_t block_read(const void *p, size_t size)
{
    const unsigned char *bytes = p;
    return (uint64_t)bytes[0] + ((uint64_t)bytes[size - 1] << 8);
}

static inline void block_give(void *p)
{
    free(block_hide(p));
}

#endif
