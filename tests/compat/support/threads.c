/* threads THREADS OPERATIONS FORKS: objects are allocated by one thread and checked and freed by any other, while the first
 * thread forks; each child allocates and frees on. Uses malloc, calloc, realloc and free, whatever those names stand for:
 * -DTAKE=mymalloc -DTAKE_ZEROED=mycalloc -DRETAKE=myrealloc -DGIVE=myfree, or -include of a header that renames them. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"
#ifdef WITH_HEADER
#include WITH_HEADER
#endif
#ifndef TAKE
#define TAKE malloc
#define TAKE_ZEROED calloc
#define RETAKE realloc
#define GIVE free
#else
void *TAKE(size_t size);
void *TAKE_ZEROED(size_t count, size_t size);
void *RETAKE(void *at, size_t size);
void GIVE(void *at);
#endif

enum { SLOTS = 500 };

struct object {
    size_t size; /* of the whole */
    unsigned char seed;
    unsigned char bytes[];
};

static _Atomic(struct object *) slots[SLOTS];
static long operations;
static atomic_int running;

static uint32_t next(uint64_t *state, uint32_t bound)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(((*state >> 33) * bound) >> 31);
}

static void fill(struct object *object, size_t size, unsigned char seed)
{
    object->size = size;
    object->seed = seed;
    for (size_t i = 0; i < size - sizeof *object; i++)
        object->bytes[i] = (unsigned char)(seed + i);
}

static void check(const struct object *object, size_t size)
{
    for (size_t i = 0; i < size - sizeof *object; i++)
        CHECK(object->bytes[i] == (unsigned char)(object->seed + i), "byte %zu of %zu at %p", i, object->size,
              (const void *)object);
}

static size_t random_size(uint64_t *state)
{
    uint32_t kind = next(state, 1000);
    return sizeof(struct object) + (kind < 900   ? next(state, 200)
                                    : kind < 995 ? next(state, 8000)
                                                 : next(state, 400000));
}

static struct object *make(uint64_t *state)
{
    size_t size = random_size(state);
    struct object *object;
    if (next(state, 8) == 0) {
        object = TAKE_ZEROED(1, size);
        for (size_t i = 0; object != NULL && i < size; i++)
            CHECK(((unsigned char *)object)[i] == 0, "calloc: byte %zu of %zu", i, size);
    } else {
        object = TAKE(size);
    }
    CHECK(object != NULL, "%zu bytes", size);
    fill(object, size, (unsigned char)next(state, 256));
    return object;
}

static void drop(uint64_t *state, struct object *object)
{
    if (object == NULL)
        return;
    check(object, object->size);
    if (next(state, 4) == 0) {
        size_t size = random_size(state), was = object->size;
        object = RETAKE(object, size);
        CHECK(object != NULL, "realloc to %zu", size);
        check(object, was < size ? was : size);
        fill(object, size, 1);
        check(object, size);
    }
    GIVE(object);
}

static void work(uint64_t seed, long count, bool shared)
{
    uint64_t state = seed;
    struct object *own[16] = {NULL};
    for (long i = 0; i < count; i++) {
        struct object *object = make(&state);
        if (shared) {
            object = atomic_exchange(&slots[next(&state, SLOTS)], object);
        } else {
            struct object **slot = &own[next(&state, 16)], *before = *slot;
            *slot = object;
            object = before;
        }
        drop(&state, object);
    }
    for (int i = 0; i < 16; i++)
        drop(&state, own[i]);
}

static void *thread_main(void *arg)
{
    work((uintptr_t)arg * 77 + 1, operations, true);
    atomic_fetch_sub(&running, 1);
    return NULL;
}

static void fork_once(int turn)
{
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        work((uint64_t)turn, 300, false);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "child %d ended with %#x", turn, status);
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 4;
    operations = argc > 2 ? atol(argv[2]) : 100000;
    int forks = argc > 3 ? atoi(argv[3]) : 0;
    pthread_t threads[64];
    CHECK(count <= 64, "at most 64 threads");
    running = count;
    for (int i = 0; i < count; i++)
        CHECK(pthread_create(&threads[i], NULL, thread_main, (void *)(uintptr_t)(i + 1)) == 0, "thread %d", i);
    int done = 0;
    while (done < forks && atomic_load(&running) > 0)
        fork_once(done++);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    uint64_t state = 1;
    for (int i = 0; i < SLOTS; i++)
        drop(&state, atomic_exchange(&slots[i], NULL));
    printf("%d threads, %ld operations each, %d forks\n", count, operations, done);
    return 0;
}
