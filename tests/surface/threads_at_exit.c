// Promise: destructors of thread data, cleanup handlers and dying threads allocate and free as they like.
// TEST: cflags=-fno-builtin
//
// What goes wrong at a thread's end in other allocators goes wrong because their thread state is
// gone by then. Keys made before and after the first malloc, destructors that set their value again
// (so that they run in every round the C library makes), threads that return, exit, are cancelled,
// or are detached and end after main has forgotten them.
#include "support/surface.h"
#include <limits.h>
#include <pthread.h>

enum { KEYS = 8, ROUNDS = 300, DETACHED = 200 };

static pthread_key_t keys[KEYS];
static unsigned long destroyed, cleaned, detached_done;
static unsigned char *handed_over;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct datum {
    size_t size;
    unsigned rounds_left, key;
    unsigned char bytes[];
};

static struct datum *datum_make(size_t size, unsigned rounds, unsigned key) {
    struct datum *datum = malloc(sizeof *datum + size);
    CHECK(datum != NULL, "no memory");
    datum->size = size;
    datum->rounds_left = rounds;
    datum->key = key;
    pattern_fill(datum->bytes, size, key);
    return datum;
}

static void datum_destroy(void *value) {
    struct datum *datum = value;
    size_t at = pattern_check(datum->bytes, datum->size, datum->size, datum->key);
    CHECK(at == datum->size, "byte %zu of %zu changed before its destructor", at, datum->size);
    // Something new of other sizes, a block of another thread freed here, one left for another.
    for (size_t i = 1; i < 20; i++) free(launder(calloc(i, datum->size / 7 + 1)));
    unsigned char *mine = malloc(500);
    pthread_mutex_lock(&lock);
    unsigned char *old = handed_over;
    handed_over = mine;
    destroyed++;
    pthread_mutex_unlock(&lock);
    free(old);
    if (datum->rounds_left > 0) {
        struct datum *next = datum_make(datum->size * 2 % 9000 + 1, datum->rounds_left - 1, datum->key);
        CHECK(pthread_setspecific(keys[datum->key], next) == 0, "no specific value");
    }
    free(datum);
}

static void clean_up(void *block) {
    free(block);
    free(launder(malloc(3000)));
    __atomic_add_fetch(&cleaned, 1, __ATOMIC_RELAXED);
}

static void *thread_run(void *argument) {
    uintptr_t way = (uintptr_t)argument;
    for (unsigned i = 0; i < KEYS; i++) {
        struct datum *datum = datum_make(way * 37 % 5000 + i, PTHREAD_DESTRUCTOR_ITERATIONS - 1, i);
        CHECK(pthread_setspecific(keys[i], datum) == 0, "no specific value");
    }
    void *block = malloc(way * 11 % 70000);
    pthread_cleanup_push(clean_up, block);
    if (way % 4 == 1) pthread_exit(NULL);
    if (way % 4 == 2)
        for (;;) {
            // Cancelled in here, at a cancellation point between two calls.
            free(launder(malloc(way % 900)));
            pthread_testcancel();
        }
    if (way % 4 == 3)
        for (;;) pause();
    pthread_cleanup_pop(1);
    return NULL;
}

static void *detached_run(void *argument) {
    uintptr_t number = (uintptr_t)argument;
    CHECK(pthread_setspecific(keys[0], datum_make(number, 1, 0)) == 0, "no specific value");
    free(launder(malloc(number * 100)));
    __atomic_add_fetch(&detached_done, 1, __ATOMIC_RELEASE);
    return NULL;
}

// A key whose destructor exists before anybody has called malloc, as far as a program can arrange.
__attribute__((constructor(101))) static void key_early(void) {
    if (pthread_key_create(&keys[0], datum_destroy) != 0) _exit(3);
}

int main(void) {
    test_begin(120);
    for (unsigned i = 1; i < KEYS; i++)
        CHECK(pthread_key_create(&keys[i], datum_destroy) == 0, "no key");
    for (uintptr_t round = 0; round < ROUNDS; round++) {
        pthread_t threads[4];
        for (uintptr_t i = 0; i < 4; i++)
            CHECK(pthread_create(&threads[i], NULL, thread_run, (void *)(round * 4 + i)) == 0,
                  "no thread");
        pthread_cancel(threads[2]);
        pthread_cancel(threads[3]);
        for (uintptr_t i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    }
    for (uintptr_t i = 0; i < DETACHED; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, detached_run, (void *)i) == 0, "no thread");
        CHECK(pthread_detach(thread) == 0, "not detached");
        free(launder(malloc(i * 10)));
    }
    while (__atomic_load_n(&detached_done, __ATOMIC_ACQUIRE) < DETACHED) sleep_ms(1);
    printf("%lu destructors, %lu cleanups\n", destroyed, cleaned);
    // Cancelled before it had set anything, a thread has no destructors: half the threads at least.
    CHECK(destroyed >= 2ul * ROUNDS * KEYS * PTHREAD_DESTRUCTOR_ITERATIONS, "only %lu destructors",
          destroyed);
    CHECK(cleaned >= 2ul * ROUNDS, "only %lu cleanups", cleaned);
    return 0; // the last detached threads may still be in their destructors: they must not crash
}
