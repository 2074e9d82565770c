// Promise: fork while many threads allocate: the child frees the parent's blocks, allocates, forks again.
// TEST: cflags=-fno-builtin
//
// Six threads allocate and free without pause. Each publishes some blocks under a mutex of its own;
// whoever forks holds those mutexes, as a program must whose data the child shall read: pages are
// copied while the other threads run on, so only what a lock guards is whole in the child. The heap
// itself gets no such help. First one thread forks, then three at once.
#include "support/child.h"
#include <pthread.h>

enum { WORKERS = 6, SLOTS = 40, FORKS = 120, FORKERS = 3, FORKS_EACH = 40, DEPTH = 2 };

struct published {
    size_t size;
    uint64_t tag;
    unsigned char bytes[];
};

static struct worker {
    pthread_t thread;
    pthread_mutex_t lock; // guards published
    struct published *published[SLOTS];
} workers[WORKERS];
static volatile bool stop;

static struct published *published_make(struct dice *dice) {
    size_t size = dice_size(dice);
    struct published *made = malloc(sizeof *made + size);
    CHECK(made != NULL, "no memory");
    made->size = size;
    made->tag = dice_next(dice);
    pattern_fill(made->bytes, size, made->tag);
    return made;
}

static void published_free(struct published *old) {
    if (!old) return;
    size_t at = pattern_check(old->bytes, old->size, old->size, old->tag);
    CHECK(at == old->size, "byte %zu of %zu changed (pid %d)", at, old->size, (int)getpid());
    free(old);
}

static void *worker_run(void *argument) {
    struct worker *worker = argument;
    struct dice dice = dice_make((uint64_t)(worker - workers) + 1);
    void *own[100] = {0};
    while (!stop) {
        for (int i = 0; i < 50; i++) {
            size_t slot = (size_t)dice_below(&dice, 100);
            if (dice_below(&dice, 4) == 0) {
                own[slot] = realloc(own[slot], dice_size(&dice) + 1);
            } else {
                free(own[slot]);
                own[slot] = launder(malloc(dice_size(&dice)));
            }
        }
        struct published *fresh = published_make(&dice);
        struct worker *whose = &workers[dice_below(&dice, WORKERS)];
        size_t slot = (size_t)dice_below(&dice, SLOTS);
        pthread_mutex_lock(&whose->lock);
        struct published *old = whose->published[slot];
        whose->published[slot] = fresh;
        pthread_mutex_unlock(&whose->lock);
        published_free(old);
    }
    for (size_t i = 0; i < 100; i++) free(own[i]);
    return NULL;
}

static void *child_thread_run(void *salt) {
    struct dice dice = dice_make((uintptr_t)salt);
    for (int i = 0; i < 300; i++) published_free(published_make(&dice));
    return NULL;
}

static void workers_lock(void) {
    for (size_t i = 0; i < WORKERS; i++) pthread_mutex_lock(&workers[i].lock);
}
static void workers_unlock(void) {
    for (size_t i = 0; i < WORKERS; i++) pthread_mutex_unlock(&workers[i].lock);
}

// The life of a child: everything that a program on Loam may do, then a child of its own.
__attribute__((noreturn)) static void child_life(struct dice dice, int depth) {
    static struct published *fresh[400];
    watchdog_start(20);
    for (size_t i = 0; i < 200; i++) fresh[i] = published_make(&dice);
    for (size_t w = 0; w < WORKERS; w++)
        for (size_t i = 0; i < SLOTS; i++) {
            published_free(workers[w].published[i]);
            workers[w].published[i] = NULL;
        }
    for (size_t i = 200; i < 400; i++) fresh[i] = published_make(&dice);
    if (dice_below(&dice, 4) == 0) {
        pthread_t threads[2];
        for (size_t i = 0; i < 2; i++)
            CHECK(pthread_create(&threads[i], NULL, child_thread_run, (void *)i) == 0, "no thread");
        for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    }
    if (depth > 1) {
        pid_t pid = fork();
        CHECK(pid >= 0, "a child cannot fork");
        dice_next(&dice);
        if (pid == 0) {
            for (size_t i = 0; i < 200; i++) {
                published_free(fresh[i]);
                fresh[i] = NULL;
            }
            child_life(dice, depth - 1);
        }
        int status = wait_for(pid);
        CHECK(status == 0, "a grandchild ended with %#x", status);
    }
    for (size_t i = 0; i < 400; i++) published_free(fresh[i]);
    _exit(0);
}

static void fork_alone(void) {
    struct dice dice = dice_make(50);
    for (int i = 0; i < FORKS; i++) {
        workers_lock();
        pid_t pid = fork();
        CHECK(pid >= 0, "fork %d failed", i);
        workers_unlock();
        if (pid == 0) child_life(dice, i % 4 == 0 ? DEPTH : 1);
        int status = wait_for(pid);
        CHECK(status == 0, "child %d ended with %#x", i, status);
        dice_next(&dice);
    }
}

// Forks at the same time as others: its children look only at what this thread allocated.
static void *forker_run(void *salt) {
    struct dice dice = dice_make(70 + (uintptr_t)salt);
    for (int i = 0; i < FORKS_EACH; i++) {
        struct published *mine[30];
        for (size_t k = 0; k < 30; k++) mine[k] = published_make(&dice);
        pid_t pid = fork();
        CHECK(pid >= 0, "fork %d failed", i);
        if (pid == 0) watchdog_start(20);
        for (size_t k = 0; k < 30; k++) published_free(mine[k]);
        if (pid == 0) {
            for (int k = 0; k < 300; k++) published_free(published_make(&dice));
            _exit(0);
        }
        int status = wait_for(pid);
        CHECK(status == 0, "child %d of a forker ended with %#x", i, status);
    }
    return NULL;
}

int main(void) {
    pthread_t forkers[FORKERS];
    test_begin(60);
    uint64_t start = clock_ns();
    for (size_t i = 0; i < WORKERS; i++) pthread_mutex_init(&workers[i].lock, NULL);
    for (size_t i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]) == 0, "no thread");
    fork_alone();
    printf("%d forks of one thread, %.1f s\n", FORKS, seconds_since(start));
    for (uintptr_t i = 0; i < FORKERS; i++)
        CHECK(pthread_create(&forkers[i], NULL, forker_run, (void *)i) == 0, "no thread");
    for (size_t i = 0; i < FORKERS; i++) pthread_join(forkers[i], NULL);
    stop = true;
    for (size_t i = 0; i < WORKERS; i++) pthread_join(workers[i].thread, NULL);
    for (size_t w = 0; w < WORKERS; w++)
        for (size_t i = 0; i < SLOTS; i++) published_free(workers[w].published[i]);
    printf("%d forks of %d threads, %.1f s\n", FORKERS * FORKS_EACH, FORKERS, seconds_since(start));
    return 0;
}
