/* alloc.h keeps its promises: against a model with one byte for each 8 bytes of the page.
 *
 * page CASE runs one case: basics, refusals, splits, sequences, random. The model knows only which steps are in use: a request
 * must succeed if and only if the model has room in a row, wherever it is put. The page's contents are checked to the byte, so
 * that anything the manager writes into it is found. mmap and munmap are counted here, where the linker finds them first. */
#include "alloc.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../support/check.h"

enum { STEPS = 512, MOST = 512 };

struct chunk {
    char *at;
    int size;
};

static int maps, unmaps, map_fails;
static char *page; /* as mmap gave it */
static unsigned char used[STEPS];
static unsigned char bytes[4096]; /* what the page must hold */
static struct chunk chunks[MOST];
static int count;

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    if (map_fails) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    maps++;
    CHECK(length == 4096 && fd == -1 && offset == 0, "one page, no file: %zu", length);
    page = (char *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
    return page;
}

int munmap(void *address, size_t length)
{
    unmaps++;
    CHECK(address == (void *)page && length == 4096, "the page that was mapped: %p, %zu", address, length);
    return (int)syscall(SYS_munmap, address, length);
}

/* ---- the model ---- */

static void begin(void)
{
    int before = maps;
    CHECK(init() == 0 && maps == before + 1, "init takes one page from the kernel");
    memset(used, 0, sizeof used);
    count = 0;
    for (int i = 0; i < 4096; i++)
        bytes[i] = (unsigned char)check_random(256);
    memcpy(page, bytes, 4096);
}

static void end(void)
{
    int before = unmaps;
    CHECK(memcmp(page, bytes, 4096) == 0, "the manager writes nothing into the page");
    CHECK(cleanup() == 0 && unmaps == before + 1, "cleanup returns the page");
}

static int longest_row(void)
{
    int longest = 0;
    for (int i = 0, row = 0; i < STEPS; i++) {
        row = used[i] ? 0 : row + 1;
        longest = row > longest ? row : longest;
    }
    return longest * 8;
}

/* A request, checked against the model; the chunk is filled. Returns its place in chunks[], -1 if there was no room. */
static int request(int size)
{
    int longest = longest_row();
    char *at = alloc(size);
    if (longest < size) {
        CHECK(at == NULL, "%d bytes at %p, but the longest hole is %d", size, (void *)at, longest);
        return -1;
    }
    CHECK(at != NULL, "%d bytes refused, though a hole of %d exists", size, longest);
    CHECK(at >= page && at + size <= page + 4096 && (at - page) % 8 == 0, "%p is in the page, aligned", (void *)at);
    for (long i = (at - page) / 8; i < (at - page + size) / 8; i++) {
        CHECK(!used[i], "%d bytes at offset %ld: step %ld is booked twice", size, (long)(at - page), i);
        used[i] = 1;
    }
    memset(at, count + 1, (size_t)size);
    memset(bytes + (at - page), count + 1, (size_t)size);
    chunks[count] = (struct chunk){at, size};
    return count++;
}

static void give_back(int index)
{
    struct chunk chunk = chunks[index];
    chunks[index] = chunks[--count];
    dealloc(chunk.at);
    memset(used + (chunk.at - page) / 8, 0, (size_t)chunk.size / 8);
}

static void check_contents(void)
{
    CHECK(memcmp(page, bytes, 4096) == 0, "the page holds what was written, and nothing else");
}

/* ---- cases ---- */

static void basics(void)
{
    CHECK(PAGESIZE == 4096 && MINALLOC == 8, "the header's numbers");
    CHECK(alloc(8) == NULL, "before init: NULL");
    dealloc(NULL);
    dealloc((char *)bytes);
    CHECK(cleanup() != 0, "nothing to clean up");
    CHECK(maps == 0 && unmaps == 0, "the kernel has not been asked yet");
    map_fails = 1;
    CHECK(init() != 0 && alloc(8) == NULL, "no page to be had: an error, and NULL");
    map_fails = 0;

    begin();
    for (int i = 0; i < 4; i++)
        CHECK(request(1024) >= 0, "four of 1024 fill the page");
    CHECK(request(8) < 0, "which is full then");
    CHECK(init() != 0, "init of a manager in use is refused");
    check_contents();
    CHECK(alloc(8) == NULL, "and has changed nothing");
    while (count > 0)
        give_back(0);
    CHECK(request(4096) >= 0, "freed neighbours merge");
    end();
    CHECK(alloc(8) == NULL && cleanup() != 0, "after cleanup as before init");

    begin();
    for (int i = 0; i < 512; i++)
        CHECK(request(8) >= 0, "512 of 8 fill the page: %d", i);
    CHECK(request(8) < 0, "full");
    end();
    begin(); /* 512 chunks were in use: all is anew */
    CHECK(request(4096) >= 0, "cleanup then init starts anew");
    end();
    CHECK(maps == 3 && unmaps == 3, "one map and one unmap each time: %d, %d", maps, unmaps);
}

static void refusals(void)
{
    static const int sizes[] = {INT_MIN, INT_MIN + 8, -4096, -16, -8,   -7,   -1,   0,    1,           2,
                                7,       9,           12,    100, 4095, 4097, 4104, 8192, INT_MAX - 7, INT_MAX};
    char other[64];
    begin();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        CHECK(alloc(sizes[i]) == NULL, "%d bytes are refused", sizes[i]);
    int a = request(64), b = request(8), c = request(120), d = request(1024);
    CHECK(a >= 0 && b >= 0 && c >= 0 && d >= 0, "room for four");
    int longest = longest_row();
    char *freed = chunks[c].at;
    give_back(c); /* d is chunks[2] now */
    for (int turn = 0; turn < 2; turn++) {
        dealloc(NULL);
        dealloc(other);
        dealloc((char *)&a);
        dealloc((char *)(intptr_t)-8);
        dealloc(page - 8);
        dealloc(page + 4096);
        dealloc(page + 4096 * 1000L);
        for (int i = 1; i < 64; i++)
            dealloc(chunks[a].at + i);
        for (int i = 1; i < 1024; i++)
            dealloc(chunks[2].at + i);
        for (int i = 0; i < 120; i++)
            dealloc(freed + i);
        for (char *at = chunks[2].at + 1024; at < page + 4096; at++)
            dealloc(at); /* never allocated */
        check_contents();
    }
    CHECK(longest_row() == longest && request(longest) >= 0, "what is free is what was free");
    CHECK(request(120) >= 0 && request(8) < 0, "and no more");
    for (int turn = 0; turn < 50; turn++)
        dealloc(page + 8 * check_random(STEPS) + 1 + check_random(7)); /* not a step */
    CHECK(request(8) < 0, "nothing came free by it");
    while (count > 0) {
        char *at = chunks[0].at;
        give_back(0);
        dealloc(at);
        dealloc(at);
    }
    CHECK(request(4096) >= 0, "frees that were repeated have changed nothing");
    end();
}

/* The page in equal chunks, in two and in three of every size, given back in every order. */
static void splits(void)
{
    for (int size = 8; size <= 4096; size += 8) {
        begin();
        for (int i = 0; i < 4096 / size; i++)
            CHECK(request(size) >= 0, "%d chunks of %d", 4096 / size, size);
        CHECK(request(size) < 0, "no more than %d chunks of %d", 4096 / size, size);
        if (4096 % size > 0)
            CHECK(request(4096 % size) >= 0, "the rest of %d", 4096 % size);
        CHECK(request(8) < 0, "all 4096 bytes are in use");
        check_contents();
        while (count > 0)
            give_back((int)check_random((uint32_t)count));
        CHECK(request(4096) >= 0, "whole again after chunks of %d", size);
        end();
    }
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    begin();
    int turn = 0;
    for (int a = 8; a <= 4080; a += 8)
        for (int b = 8; b <= 4088 - a; b += 8, turn++) {
            int sizes[3] = {a, b, 4096 - a - b};
            char *at[3];
            for (int i = 0; i < 3; i++) {
                at[i] = alloc(sizes[i]);
                CHECK(at[i] != NULL, "%d, %d, %d: part %d refused", a, b, sizes[2], i);
            }
            CHECK(alloc(8) == NULL, "%d, %d, %d fill the page", a, b, sizes[2]);
            for (int i = 0; i < 3; i++) {
                int part = orders[turn % 6][i];
                dealloc(at[part]);
                char *again = alloc(sizes[part]);
                CHECK(again != NULL, "the freed chunk serves its own size again");
                dealloc(again);
            }
        }
    CHECK(request(4096) >= 0, "whole in the end, %d splits", turn);
    end();
}

/* All sequences of up to 6 operations: a request of one of five sizes, or giving back one of the chunks. */
static void sequence_run(const int *sizes, int kept, const int *operations, int length)
{
    begin();
    if (kept > 0)
        CHECK(request(kept) == 0, "the part that is kept");
    for (int i = 0; i < length; i++) {
        if (operations[i] < 5)
            request(sizes[operations[i]]);
        else
            give_back(operations[i] - 5 + (kept > 0));
        check_contents();
    }
}

static long sequences_from(const int *sizes, int kept, int *operations, int length)
{
    sequence_run(sizes, kept, operations, length);
    int live = count - (kept > 0);
    end();
    long runs = 1;
    if (length == 6)
        return runs;
    for (int i = 0; i < 5 + live; i++) {
        operations[length] = i;
        runs += sequences_from(sizes, kept, operations, length + 1);
    }
    return runs;
}

static void sequences(void)
{
    static const int small[5] = {8, 16, 24, 40, 64}, large[5] = {8, 1024, 1360, 2048, 4088};
    int operations[6];
    long runs = sequences_from(small, 4096 - 64, operations, 0); /* in 8 steps that are left */
    runs += sequences_from(large, 0, operations, 0);
    printf("%ld sequences\n", runs);
}

static void random_operations(void)
{
    begin();
    for (int i = 0; i < 1000000; i++) {
        if (i % 50000 == 0)
            while (count > 0)
                give_back(count - 1);
        uint32_t kind = check_random(100);
        uint32_t most = i / 50000 % 2 ? 64 : 8; /* small chunks, then mixed ones */
        if (kind < 55)
            request(8 * (int)(1 + check_random(most)));
        else if (kind < 98 && count > 0)
            give_back((int)check_random((uint32_t)count));
        else if (kind == 98)
            request(8 * (int)(1 + check_random(512)));
        else if (count > 0)
            dealloc(chunks[check_random((uint32_t)count)].at + 1 + check_random(7));
        if (i % 64 == 0)
            check_contents();
    }
    end();
}

int main(int argc, char **argv)
{
    check_seed(7);
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "basics") == 0)
        basics();
    else if (strcmp(name, "refusals") == 0)
        refusals();
    else if (strcmp(name, "splits") == 0)
        splits();
    else if (strcmp(name, "sequences") == 0)
        sequences();
    else if (strcmp(name, "random") == 0)
        random_operations();
    else
        CHECK(0, "no such case: %s", name);
    return 0;
}
