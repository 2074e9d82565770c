/* A work queue between processes, all of it in one piece of shared memory: the region too.
 *
 *     cc -o shared_buddy shared_buddy.c -lloam_region && ./shared_buddy 4 20000
 *
 * Workers put messages of any length into a buddy region that all map, each at another address; so a message is named by
 * its distance from the start, never by an address. One process collects them, checks their sums, and frees them: memory
 * that one process allocated is freed by another, and no bytes are copied through the kernel. */
#define _GNU_SOURCE 1
#include <loam/region.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHARED = 4 << 20 };

/* The first bytes of the shared memory; the region's buffer is the rest. */
struct board {
    _Atomic size_t newest; /* distance of the message put last; 0: none. Put by compare and swap, taken all at once. */
    size_t region; /* distance of the region */
};

struct message {
    size_t older;
    uint32_t length, sum;
    unsigned char text[];
};

static uint32_t sum_of(const unsigned char *text, uint32_t length)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = sum * 31 + text[i];
    return sum;
}

static int worker(int file, unsigned seed, int messages)
{
    char *base = mmap(NULL, SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (base == MAP_FAILED)
        return 1;
    struct board *board = (struct board *)base;
    loam_region *region = (loam_region *)(base + board->region);
    while (messages > 0) {
        seed = seed * 1103515245u + 12345u;
        uint32_t length = 1 + (seed >> 16) % 3000;
        struct message *message = loam_region_alloc(region, sizeof *message + length);
        if (message == NULL) {
            sched_yield(); /* the collector is behind */
            continue;
        }
        for (uint32_t i = 0; i < length; i++)
            message->text[i] = (unsigned char)(seed >> i % 24);
        message->length = length;
        message->sum = sum_of(message->text, length);
        message->older = atomic_load(&board->newest);
        while (!atomic_compare_exchange_weak(&board->newest, &message->older, (size_t)((char *)message - base)))
            ;
        messages--;
    }
    return 0;
}

static long collect(char *base, loam_region *region, long expected)
{
    struct board *board = (struct board *)base;
    long wrong = 0;
    while (expected > 0) {
        size_t at = atomic_exchange(&board->newest, 0);
        if (at == 0)
            sched_yield();
        while (at != 0) {
            struct message *message = (struct message *)(base + at);
            wrong += sum_of(message->text, message->length) != message->sum;
            at = message->older;
            wrong += loam_region_free(region, message) != LOAM_OK;
            expected--;
        }
    }
    return wrong;
}

int main(int argc, char **argv)
{
    int workers = argc > 1 ? atoi(argv[1]) : 4, messages = argc > 2 ? atoi(argv[2]) : 20000;
    int file = memfd_create("shared_buddy", 0);
    if (file < 0 || ftruncate(file, SHARED) != 0) {
        perror("shared_buddy");
        return 1;
    }
    char *base = mmap(NULL, SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (base == MAP_FAILED) {
        perror("shared_buddy");
        return 1;
    }
    struct loam_region_options options = {.kind = LOAM_REGION_BUDDY,
                                          .source = LOAM_SOURCE_BUFFER,
                                          .flags = LOAM_REGION_SHARED,
                                          .buffer = base + 4096,
                                          .buffer_size = SHARED - 4096};
    loam_region *region;
    int error = loam_region_create(&region, &options);
    if (error != LOAM_OK) {
        fprintf(stderr, "shared_buddy: %s\n", loam_strerror(error));
        return 1;
    }
    ((struct board *)base)->region = (size_t)((char *)region - base);
    for (int w = 0; w < workers; w++)
        if (fork() == 0)
            _exit(worker(file, (unsigned)w + 1, messages));
    long wrong = collect(base, region, (long)workers * messages);
    for (int status, w = 0; w < workers; w++)
        if (wait(&status) < 0 || status != 0)
            wrong++;
    struct loam_region_stats stats;
    loam_region_stats(region, &stats);
    printf("%ld messages from %d processes, %ld wrong; left in the region: %zu blocks\n", (long)workers * messages,
           workers, wrong, stats.live_blocks);
    return wrong != 0 || stats.live_blocks != 0 || loam_region_check(region) != NULL;
}
