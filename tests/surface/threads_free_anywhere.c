// Promise: any thread frees any block, and memory that flows one way does not pile up.
// TEST: cflags=-fno-builtin
//
// Producers only allocate, consumers only free, through a bounded ring; each shape (1:1, 1:3, 3:1,
// 4:4) runs for so many blocks. What is live is bounded by the ring, so RSS must be too: it is
// compared after a fifth of the blocks and at the end. Contents are checked by the consumer.
#include "support/memory.h"
#include <pthread.h>

enum { RING = 2048, BLOCKS = 240000, SIDE_MOST = 4, NOISE = 8 << 20 };

struct item {
    unsigned char *p;
    size_t size;
};
static struct item ring[RING];
static size_t head, tail, produced, consumed, limit;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;

enum { GRAB = 32 }; // so many blocks cross at a time: the ring's lock is not what is tested

static void *producer_run(void *salt) {
    struct dice dice = dice_make((uintptr_t)salt);
    for (;;) {
        struct item items[GRAB];
        for (size_t i = 0; i < GRAB; i++) {
            items[i].size = dice_size(&dice) % 20000;
            items[i].p = malloc(items[i].size);
            CHECK(items[i].p != NULL, "no memory for %zu", items[i].size);
            pattern_fill(items[i].p, items[i].size, items[i].size);
        }
        pthread_mutex_lock(&lock);
        while (head - tail > RING - GRAB && produced < limit) pthread_cond_wait(&not_full, &lock);
        bool over = produced >= limit;
        for (size_t i = 0; i < GRAB && !over; i++) ring[head++ % RING] = items[i];
        produced += over ? 0 : GRAB;
        pthread_cond_broadcast(&not_empty);
        if (over) pthread_cond_broadcast(&not_full);
        pthread_mutex_unlock(&lock);
        for (size_t i = 0; i < GRAB && over; i++) free(items[i].p);
        if (over) return NULL;
    }
}

static void *consumer_run(void *unused) {
    (void)unused;
    for (;;) {
        struct item items[GRAB];
        size_t n = 0;
        pthread_mutex_lock(&lock);
        while (head == tail && produced < limit) pthread_cond_wait(&not_empty, &lock);
        while (n < GRAB && tail != head) items[n++] = ring[tail++ % RING];
        consumed += n;
        pthread_cond_broadcast(&not_full);
        pthread_mutex_unlock(&lock);
        if (n == 0) return NULL;
        for (size_t i = 0; i < n; i++) {
            size_t size = items[i].size;
            CHECK(pattern_check(items[i].p, size, size, size) == size, "%p of %zu bytes changed",
                  (void *)items[i].p, size);
            free(items[i].p);
        }
    }
}

static size_t flow(unsigned producers, unsigned consumers, size_t blocks) {
    pthread_t threads[2 * SIDE_MOST];
    head = tail = produced = consumed = 0;
    limit = blocks;
    for (unsigned i = 0; i < producers + consumers; i++) {
        void *(*run)(void *) = i < producers ? producer_run : consumer_run;
        CHECK(pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)(i + 1)) == 0, "no thread");
    }
    for (unsigned i = 0; i < producers + consumers; i++) pthread_join(threads[i], NULL);
    CHECK(consumed == produced && head == tail, "%zu made, %zu used", produced, consumed);
    return memory_rss();
}

int main(void) {
    static const unsigned shapes[][2] = {{1, 1}, {1, 3}, {3, 1}, {4, 4}};
    test_begin(120);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        unsigned producers = shapes[i][0], consumers = shapes[i][1];
        size_t early = flow(producers, consumers, BLOCKS / 5);
        size_t late = flow(producers, consumers, BLOCKS);
        printf("%u producers, %u consumers: RSS %.2f MiB after %d blocks, %.2f after %d more\n",
               producers, consumers, as_mib(early), BLOCKS / 5, as_mib(late), BLOCKS);
        fflush(stdout);
        CHECK(late <= early + NOISE, "RSS grew from %zu to %zu", early, late);
    }
    return 0;
}
