/* Each version of my_memory_allocator.h does what its text says. Compiled with -DLAB_VERSION=0 to 3.
 *
 * mmap and munmap of the header under test pass through two counting functions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../support/check.h"

enum { MANY = 2000 };

static size_t maps, unmaps, mapped_bytes, map_length;
static int map_protection, map_flags, map_fd, map_fails;
static long map_offset;

static inline void *counted_mmap(void *address, size_t length, int protection, int flags, int fd, long offset)
{
    if (map_fails) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    CHECK(address == NULL, "the address is left to the kernel, not %p", address);
    maps++;
    mapped_bytes += (length + 4095) / 4096 * 4096;
    map_length = length;
    map_protection = protection;
    map_flags = flags;
    map_fd = fd;
    map_offset = offset;
    return mmap(address, length, protection, flags, fd, offset);
}

static inline int counted_munmap(void *address, size_t length)
{
    unmaps++;
    mapped_bytes -= (length + 4095) / 4096 * 4096;
    return munmap(address, length);
}

#define mmap counted_mmap
#define munmap counted_munmap
#include "my_memory_allocator.h"
#undef mmap
#undef munmap

static inline void check_map_arguments(void)
{
    CHECK(map_protection == (PROT_READ | PROT_WRITE), "readable and writable, not %d", map_protection);
    CHECK(map_flags == (MAP_PRIVATE | MAP_ANONYMOUS), "private and anonymous, not %d", map_flags);
    CHECK(map_fd == -1 && map_offset == 0, "no file: %d at %ld", map_fd, map_offset);
}

/* Runs a function in a child; returns its wait status, what it wrote to stderr is in `text`. */
static int in_child(void (*work)(void), char *text, size_t size)
{
    int ends[2];
    CHECK(pipe(ends) == 0, "pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        work();
        _exit(0);
    }
    close(ends[1]);
    size_t have = 0;
    for (ssize_t n; have < size - 1 && (n = read(ends[0], text + have, size - 1 - have)) > 0;)
        have += (size_t)n;
    text[have] = 0;
    close(ends[0]);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child, "waitpid");
    return status;
}

static void check_out_of_mem(void)
{
    char text[200];
    int status = in_child(out_of_mem, text, sizeof text);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 0, "out_of_mem ends the program with an error, not %#x", status);
    CHECK(strstr(text, "out of memory") != NULL, "and says why: '%s'", text);
}

/* Objects of all small sizes are apart, writable to the last byte, and keep what is written. */
static void check_objects(size_t largest)
{
    static unsigned char *objects[MANY];
    static size_t sizes[MANY];
    for (int i = 0; i < MANY; i++) {
        sizes[i] = (size_t)i % (largest + 1);
        objects[i] = my_malloc(sizes[i]);
        CHECK(objects[i] != NULL, "request %d of %zu bytes", i, sizes[i]);
        CHECK((uintptr_t)objects[i] % 8 == 0, "aligned to 8: %p", (void *)objects[i]);
        memset(objects[i], i & 255, sizes[i]);
    }
    for (int i = 0; i < MANY; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            CHECK(objects[i][k] == (i & 255), "byte %zu of object %d is %d", k, i, objects[i][k]);
    for (int i = 0; i < MANY; i += 2)
        my_free(objects[i]);
    for (int i = 1; i < MANY; i += 2) {
        for (size_t k = 0; k < sizes[i]; k++)
            CHECK(objects[i][k] == (i & 255), "after the others were freed, byte %zu of object %d", k, i);
        my_free(objects[i]);
    }
    my_free(NULL);
}

#if LAB_VERSION == 0
static void check_version(void)
{
    init_mem_pool();
    check_objects(5000);
    CHECK(maps == 0, "the C library serves: no mapping of ours, %zu", maps);
}
#elif LAB_VERSION == 1
static void check_version(void)
{
    init_mem_pool();
    CHECK(maps == 0, "init_mem_pool does nothing: %zu maps", maps);
    void *one = my_malloc(24);
    CHECK(maps == 1, "a map per request: %zu", maps);
    check_map_arguments();
    my_free(one);
    CHECK(unmaps == 1 && mapped_bytes == 0, "an unmap per free: %zu, %zu bytes left", unmaps, mapped_bytes);
    check_objects(20000);
    CHECK(maps == 1 + MANY && unmaps == maps, "every mapping returned: %zu made, %zu returned", maps, unmaps);
    CHECK(mapped_bytes == 0, "to the last page: %zu bytes left", mapped_bytes);
    size_t before = maps;
    CHECK(my_malloc(SIZE_MAX) == NULL && my_malloc(SIZE_MAX - 4) == NULL, "what no map can hold is NULL");
    CHECK(my_malloc((size_t)1 << 60) == NULL, "what the kernel refuses is NULL");
    CHECK(maps <= before + 3, "no further tries");
    map_fails = 1;
    CHECK(my_malloc(24) == NULL, "NULL when the kernel has no more");
    map_fails = 0;
}
#else
static long resident_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void check_pool(void)
{
    CHECK(my_malloc(24) == NULL, "no pool yet: NULL");
    map_fails = 1;
    init_mem_pool();
    CHECK(my_malloc(24) == NULL, "no pool to be had: NULL");
    map_fails = 0;
    long before = resident_kib();
    init_mem_pool();
    CHECK(maps == 1 && map_length == (size_t)100000 * 4096, "one map of 100,000 pages: %zu of %zu", maps, map_length);
    CHECK(resident_kib() - before < 4096, "the pool is not touched beforehand: %ld KiB", resident_kib() - before);
    check_map_arguments();
    init_mem_pool();
    CHECK(maps == 1, "a second call keeps the pool");
}
#if LAB_VERSION == 2
static void check_version(void)
{
    check_pool();
    char *first = my_malloc(24);
    CHECK((char *)my_malloc(1) == first + 24 && (char *)my_malloc(8) == first + 32, "steps of 8 bytes");
    CHECK((char *)my_malloc(0) == first + 40 && (char *)my_malloc(24) == first + 48, "0 bytes are an object too");
    my_free(first);
    CHECK((char *)my_malloc(24) == first + 72, "free does nothing");
    check_objects(300);
    CHECK(my_malloc(SIZE_MAX) == NULL && my_malloc(SIZE_MAX - 6) == NULL && my_malloc((size_t)-24) == NULL,
          "sizes that would overflow the rounding are NULL");
    char *rest = my_malloc(8);
    size_t left = (size_t)100000 * 4096 - (size_t)(rest + 8 - first);
    CHECK(my_malloc(left + 1) == NULL, "one byte more than is left is NULL");
    CHECK((char *)my_malloc(left - 24) == rest + 8, "what is left is all handed out");
    char *last = my_malloc(24);
    CHECK(last != NULL && last + 24 == first + (size_t)100000 * 4096, "to the last byte of the pool");
    memset(last, 1, 24);
    CHECK(my_malloc(1) == NULL && my_malloc(0) == NULL, "spent: NULL");
    CHECK(my_malloc(1) == NULL, "and it stays so");
    CHECK(maps == 1 && unmaps == 0, "one mapping for all");
}
#else
static void ask_33(void)
{
    _exit(my_malloc(33) == NULL ? 3 : 4);
}

static void check_version(void)
{
    enum { CELLS = 12800000 };
    check_pool();
    CHECK(sizeof(Cell) == 32, "cells of 32 bytes: %zu", sizeof(Cell));
    char *a = my_malloc(32), *b = my_malloc(1), *c = my_malloc(24);
    CHECK(b == a + 32 && c == a + 64, "cells in order");
    my_free(a);
    my_free(c);
    CHECK((char *)my_malloc(8) == c && (char *)my_malloc(8) == a, "the cell freed last comes first");
    CHECK((char *)my_malloc(8) == a + 96, "then the next one never used");
    char text[200];
    int status = in_child(ask_33, text, sizeof text);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3, "33 bytes are refused, not cut: %#x", status);
    CHECK(strstr(text, "33") && strstr(text, "32"), "and the message names both sizes: '%s'", text);
    check_objects(32);
    for (char *at; (at = my_malloc(32)) != NULL;)
        CHECK(at >= a && at < a + (size_t)CELLS * 32 && (at - a) % 32 == 0, "a cell of the pool: %p", (void *)at);
    CHECK(my_malloc(1) == NULL, "empty: NULL");
    my_free(a + 32 * 7);
    CHECK((char *)my_malloc(5) == a + 32 * 7 && my_malloc(5) == NULL, "a cell that comes back is given out again");
    for (size_t i = 0; i < CELLS; i++)
        my_free(a + 32 * i);
    size_t cells = 0;
    while (my_malloc(24) != NULL)
        cells++;
    CHECK(cells == CELLS, "all 12,800,000 cells come back: %zu", cells);
    CHECK(maps == 1 && unmaps == 0, "one mapping for all");
}
#endif
#endif

int main(void)
{
    check_version();
    check_out_of_mem();
    return 0;
}
