/* How the cost of a region's calls grows with the number of live objects: the O(...) claims, measured.
 *
 *     growth [MOST]                 objects from 10^3 to MOST (default 10^7) in steps of ten; CSV on stdout
 *     growth N STRATEGY PAIRS       each phase once with N objects, for a tool that counts instructions (see steps)
 *
 * For each strategy over mappings, and for the malloc that the program runs on, with n objects of 8 to 64 bytes live:
 *     fill      ns for each of n allocations into an empty region
 *     pair      ns for freeing a random object and allocating another of a random size in its place
 *     drain     ns for each of n frees, in random order
 *     touch     ns for reading one byte of a random object: what the memory itself costs at this n
 *     overhead  bytes in use beyond what was asked for, for each object, after fill: rounding, headers, books
 *     unused    bytes held but not in use, for each object: what a piece has left, or the next has already
 *     fragments 1 - largest free / free, after half of the objects were freed at random (bump: nothing is freed singly)
 * The least of three runs (of 10^7 objects: one). What grows from row to row beyond `touch` is the strategy's own. */
#define _GNU_SOURCE 1
#include <loam/region.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZE_LEAST = 8, SIZE_MOST = 64, PAIRS = 1000000, RUNS = 3, MALLOC = 5 };

static const char *const names[] = {"bump", "cells", "blocks", "buddy", "bitmap", "malloc"};

struct figures {
    double fill, pair, drain, touch, overhead, unused, fragments;
};

static loam_region *region;
static char **objects;
static uint32_t *order;
static uint64_t dice_state;
static volatile char sink;

static uint32_t dice(uint32_t bound)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return (uint32_t)(((dice_state >> 32) * bound) >> 32);
}

static size_t dice_size(void)
{
    return SIZE_LEAST + dice(SIZE_MOST - SIZE_LEAST + 1);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static char *take(int kind, size_t size)
{
    char *object = kind == MALLOC ? malloc(size) : loam_region_alloc(region, size);
    if (object == NULL) {
        fprintf(stderr, "growth: %s: no memory\n", names[kind]);
        exit(1);
    }
    *object = 1;
    return object;
}

static void give(int kind, char *object)
{
    if (kind == MALLOC)
        free(object);
    else if (loam_region_free(region, object) != LOAM_OK)
        exit(2);
}

/* Bytes held from the system, and of them those that could be handed out. */
static void held(int kind, double *taken, double *unused)
{
    struct loam_region_stats stats;
    if (kind == MALLOC) {
        struct mallinfo2 info = mallinfo2();
        *taken = (double)(info.arena + info.hblkhd);
        *unused = (double)info.fordblks;
        return;
    }
    loam_region_stats(region, &stats);
    *taken = (double)stats.taken;
    *unused = (double)stats.free;
}

/* The fragmentation of the C library's heap: its longest free chunk is the one on top, or the longest in a bin, of which
 * malloc_info tells (from=.. to=.., the sizes that a bin holds). */
static double malloc_fragmentation(void)
{
    static char text[1 << 20];
    FILE *out = fmemopen(text, sizeof text, "w");
    struct mallinfo2 info = mallinfo2();
    size_t longest = info.keepcost;
    if (out == NULL || malloc_info(0, out) != 0 || fclose(out) != 0)
        exit(1);
    for (const char *at = text; (at = strstr(at, " to=\"")) != NULL; at += 5) {
        size_t size = strtoul(at + 5, NULL, 10);
        longest = size > longest ? size : longest;
    }
    return info.fordblks > 0 ? 1 - (double)longest / (double)info.fordblks : 0;
}

static void shuffle(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n - 1; i > 0; i--) {
        uint32_t j = dice(i + 1), other = order[i];
        order[i] = order[j];
        order[j] = other;
    }
}

/* The three phases are functions of their own, so that a tool that counts instructions can tell them apart. Each returns the
 * seconds that it took. */
__attribute__((noinline)) static double fill_phase(int kind, uint32_t n, size_t *asked)
{
    double start = seconds();
    for (uint32_t i = 0; i < n; i++) {
        size_t size = dice_size();
        *asked += size;
        objects[i] = take(kind, size);
    }
    return seconds() - start;
}

__attribute__((noinline)) static double pair_phase(int kind, uint32_t n, int pairs)
{
    double start = seconds();
    for (int i = 0; i < pairs; i++) {
        uint32_t j = dice(n);
        give(kind, objects[j]);
        objects[j] = take(kind, dice_size());
    }
    return seconds() - start;
}

__attribute__((noinline)) static double drain_phase(int kind, uint32_t from, uint32_t to)
{
    double start = seconds();
    for (uint32_t i = from; i < to; i++)
        give(kind, objects[order[i]]);
    return seconds() - start;
}

static void begin(int kind, uint32_t n)
{
    struct loam_region_options options = {.kind = (enum loam_region_kind)kind,
                                          .cell = kind == LOAM_REGION_CELLS ? SIZE_MOST : 0};
    dice_state = 88172645463325252u + n;
    if (kind != MALLOC && loam_region_create(&region, &options) != LOAM_OK)
        exit(1);
}

static void measure(int kind, uint32_t n, struct figures *f)
{
    begin(kind, n);
    double before = 0, before_unused = 0, taken = 0, unused = 0;
    size_t asked = 0;
    if (kind == MALLOC)
        held(kind, &before, &before_unused);
    f->fill = fill_phase(kind, n, &asked) * 1e9 / n;
    held(kind, &taken, &unused);
    f->overhead = ((taken - unused) - (before - before_unused) - (double)asked) / n;
    f->unused = unused / n;

    double start = seconds();
    for (int i = 0; i < PAIRS; i++)
        sink = *objects[dice(n)];
    f->touch = (seconds() - start) * 1e9 / PAIRS;
    if (kind != LOAM_REGION_BUMP)
        f->pair = pair_phase(kind, n, PAIRS) * 1e9 / PAIRS;

    shuffle(n);
    double half = drain_phase(kind, 0, n / 2);
    struct loam_region_stats stats = {.fragmentation = 0};
    if (kind == MALLOC)
        stats.fragmentation = malloc_fragmentation();
    else
        loam_region_stats(region, &stats);
    f->fragments = stats.fragmentation;
    f->drain = (half + drain_phase(kind, n / 2, n)) * 1e9 / n;
    if (kind != MALLOC)
        loam_region_destroy(region);
    else
        malloc_trim(0);
}

/* What `steps` counts instructions of. */
static int run_once(int kind, uint32_t n, int pairs)
{
    size_t asked = 0;
    begin(kind, n);
    fill_phase(kind, n, &asked);
    if (kind == LOAM_REGION_BUMP)
        return 0;
    pair_phase(kind, n, pairs);
    shuffle(n);
    drain_phase(kind, 0, n);
    return 0;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

int main(int argc, char **argv)
{
    uint32_t most = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10000000;
    if (most == 0)
        return 2;
    mallopt(M_TRIM_THRESHOLD, 1 << 30); /* what is free at the top of the C library's heap stays, and is counted */
    objects = calloc(most, sizeof *objects);
    order = calloc(most, sizeof *order);
    if (objects == NULL || order == NULL)
        return 1;
    for (int kind = LOAM_REGION_BUMP; kind <= MALLOC && argc > 3; kind++)
        if (strcmp(argv[2], names[kind]) == 0)
            return run_once(kind, most, atoi(argv[3]));
    printf("strategy,objects,fill_ns,pair_ns,drain_ns,touch_ns,overhead_bytes,unused_bytes,fragmentation\n");
    for (int kind = LOAM_REGION_BUMP; kind <= MALLOC; kind++)
        for (uint32_t n = 1000; n <= most; n *= 10) {
            struct figures best = {1e9, 1e9, 1e9, 1e9, 0, 0, 0}, f = best;
            for (int run = 0; run < (n < 10000000 ? RUNS : 1); run++) {
                measure(kind, n, &f);
                best.fill = least(best.fill, f.fill);
                best.pair = least(best.pair, f.pair);
                best.drain = least(best.drain, f.drain);
                best.touch = least(best.touch, f.touch);
            }
            printf("%s,%u,%.1f,%.1f,%.1f,%.1f,%.2f,%.2f,%.3f\n", names[kind], n, best.fill,
                   kind == LOAM_REGION_BUMP ? 0 : best.pair, kind == LOAM_REGION_BUMP ? 0 : best.drain, best.touch,
                   f.overhead, f.unused, f.fragments);
            fflush(stdout);
        }
    return 0;
}
