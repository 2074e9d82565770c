// prodcons LOW HIGH: producers make messages of LOW to HIGH bytes, consumers read and drop them.
// Modelled on pipelines: a reader that parses input into messages for workers, an actor's mailbox, a logger's queue. Every
// block is given back by another thread than the one that took it. Two producers, two consumers, a bounded queue between
// each pair; a consumer takes what has come at once, up to 64 messages, as queues with a lock do.
#include "workload.h"

#include <pthread.h>

enum { pairs = 2, queue_room = 512, take_most = 64 };

struct message {
    size_t size;
    uint64_t number;
};

struct queue {
    pthread_mutex_t lock; // guards everything below
    pthread_cond_t grown, shrunk;
    size_t head, used;
    struct message *items[queue_room];
};

static struct queue queues[pairs];
static size_t messages, size_low, size_high;
static uint64_t sums[pairs];

static void queue_put(struct queue *q, struct message **items, size_t n)
{
    pthread_mutex_lock(&q->lock);
    for (size_t i = 0; i < n; i++) {
        while (q->used == queue_room)
            pthread_cond_wait(&q->shrunk, &q->lock);
        q->items[(q->head + q->used++) % queue_room] = items[i];
    }
    pthread_cond_signal(&q->grown);
    pthread_mutex_unlock(&q->lock);
}

static size_t queue_take(struct queue *q, struct message **items)
{
    size_t n = 0;
    pthread_mutex_lock(&q->lock);
    while (q->used == 0)
        pthread_cond_wait(&q->grown, &q->lock);
    while (q->used > 0 && n < take_most) {
        items[n++] = q->items[q->head];
        q->head = (q->head + 1) % queue_room;
        q->used--;
    }
    pthread_cond_signal(&q->shrunk);
    pthread_mutex_unlock(&q->lock);
    return n;
}

static void *producer_run(void *argument)
{
    size_t id = (size_t)(uintptr_t)argument;
    struct random r = random_from(40 + id);
    struct message *ready[16];
    size_t n = 0;
    for (size_t i = 0; i < messages; i++) {
        size_t size = random_size(&r, size_low, size_high);
        struct message *m = block_take(size, (unsigned)i);
        *m = (struct message){size, i};
        ready[n++] = m;
        if (n == 16 || i + 1 == messages) {
            queue_put(&queues[id], ready, n);
            n = 0;
        }
    }
    return NULL;
}

static void *consumer_run(void *argument)
{
    size_t id = (size_t)(uintptr_t)argument;
    struct message *taken[take_most];
    uint64_t sum = 0;
    for (size_t seen = 0; seen < messages;) {
        size_t n = queue_take(&queues[id], taken);
        for (size_t i = 0; i < n; i++) {
            sum = checksum_mix(sum, taken[i]->number + taken[i]->size + block_read(taken[i], taken[i]->size));
            block_give(taken[i]);
        }
        seen += n;
    }
    sums[id] = sum;
    return NULL;
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    size_low = workload_argument(count, arguments, 1, 32);
    size_high = workload_argument(count, arguments, 2, 4096);
    messages = workload_times(size_high > 8192 ? 150000 : 2000000, 100);
    pthread_t ids[pairs * 2];
    for (size_t i = 0; i < pairs; i++) {
        queues[i] = (struct queue){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, {0}};
        if (pthread_create(&ids[i * 2], NULL, producer_run, (void *)(uintptr_t)i) != 0 ||
            pthread_create(&ids[i * 2 + 1], NULL, consumer_run, (void *)(uintptr_t)i) != 0)
            workload_fail("threads cannot be made");
    }
    for (size_t i = 0; i < pairs * 2; i++)
        pthread_join(ids[i], NULL);
    uint64_t sum = 0;
    for (size_t i = 0; i < pairs; i++)
        sum = checksum_mix(sum, sums[i]);
    return workload_end(sum);
}
