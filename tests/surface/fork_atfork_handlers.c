// Promise: handlers of pthread_atfork allocate and free, whether registered before our first malloc or after.
// TEST: cflags=-fno-builtin
//
// Handlers registered before the allocator's own run their prepare while it holds all its locks,
// and their parent and child halves before it has let go. Registered from .preinit_array (before
// any library's constructor), from a constructor, and in main after much allocation; 60 of those,
// more than the C library keeps without allocating itself. Threads allocate all the while.
#include "support/child.h"
#include <pthread.h>

enum { WORKERS = 4, FORKS = 100, LATE = 60, KINDS = 3 };

static void *kept[KINDS][50]; // allocated by a prepare, freed by the parent's or child's half
static unsigned long prepared[KINDS], in_parent[KINDS], in_child[KINDS];
static volatile bool stop;

static void handler_prepare(unsigned kind) {
    prepared[kind]++;
    for (size_t i = 0; i < 50; i++) {
        free(kept[kind][i]);
        size_t size = i * i * 7 + (i == 49 ? 300000 : 0);
        kept[kind][i] = malloc(size);
        CHECK(kept[kind][i] != NULL, "no memory in prepare of kind %u", kind);
        pattern_fill(kept[kind][i], size, i);
    }
}

static void handler_after(unsigned kind) {
    for (size_t i = 0; i < 50; i++) {
        size_t size = i * i * 7 + (i == 49 ? 300000 : 0);
        CHECK(pattern_check(kept[kind][i], size, size, i) == size, "kind %u: block %zu changed",
              kind, i);
        if (i % 2) {
            kept[kind][i] = realloc(kept[kind][i], size + 100);
            CHECK(kept[kind][i] != NULL, "no memory after fork, kind %u", kind);
        } else {
            free(kept[kind][i]);
            kept[kind][i] = calloc(1, 200);
            CHECK(kept[kind][i] && zero_check(kept[kind][i], 200) == 200, "calloc after fork");
        }
    }
}

static void preinit_prepare(void) { handler_prepare(0); }
static void preinit_parent(void) { in_parent[0]++, handler_after(0); }
static void preinit_child(void) { in_child[0]++, handler_after(0); }
static void constructor_prepare(void) { handler_prepare(1); }
static void constructor_parent(void) { in_parent[1]++, handler_after(1); }
static void constructor_child(void) { in_child[1]++, handler_after(1); }
static void late_prepare(void) {
    // Many of these are registered: only the first of a round does the work, all allocate a little.
    if (prepared[2]++ % LATE == 0) {
        prepared[2]--;
        handler_prepare(2);
    }
    free(launder(malloc(100)));
}
static void late_parent(void) {
    if (in_parent[2]++ % LATE == 0) handler_after(2);
    free(launder(malloc(5000)));
}
static void late_child(void) {
    if (in_child[2]++ % LATE == 0) handler_after(2);
    free(launder(malloc(70)));
}

static void preinit(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    if (pthread_atfork(preinit_prepare, preinit_parent, preinit_child) != 0) _exit(5);
}
__attribute__((section(".preinit_array"), used)) static void (*preinit_entry)(int, char **,
                                                                              char **) = preinit;

__attribute__((constructor)) static void constructor(void) {
    if (pthread_atfork(constructor_prepare, constructor_parent, constructor_child) != 0) _exit(6);
}

static void *worker_run(void *salt) {
    struct dice dice = dice_make((uintptr_t)salt);
    void *own[64] = {0};
    while (!stop) {
        size_t slot = (size_t)dice_below(&dice, 64);
        free(own[slot]);
        own[slot] = launder(malloc(dice_size(&dice)));
    }
    for (size_t i = 0; i < 64; i++) free(own[i]);
    return NULL;
}

static void fork_once(int round, int depth) {
    pid_t pid = fork();
    CHECK(pid >= 0, "fork %d failed", round);
    if (pid == 0) {
        watchdog_start(20);
        struct dice dice = dice_make((uint64_t)round);
        for (unsigned kind = 0; kind < KINDS; kind++)
            CHECK(in_child[kind] > 0, "no child handler of kind %u ran", kind);
        for (int i = 0; i < 500; i++) free(launder(malloc(dice_size(&dice))));
        if (depth > 1) fork_once(round, depth - 1);
        _exit(0);
    }
    int status = wait_for(pid);
    CHECK(status == 0, "child %d ended with %#x", round, status);
}

int main(void) {
    pthread_t workers[WORKERS];
    test_begin(60);
    for (size_t i = 0; i < 1000; i++) free(launder(malloc(i * 50)));
    for (int i = 0; i < LATE; i++)
        CHECK(pthread_atfork(late_prepare, late_parent, late_child) == 0, "not registered");
    fork_once(0, 2); // still one thread
    for (uintptr_t i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&workers[i], NULL, worker_run, (void *)i) == 0, "no thread");
    for (int round = 1; round < FORKS; round++) fork_once(round, round % 8 == 0 ? 2 : 1);
    stop = true;
    for (size_t i = 0; i < WORKERS; i++) pthread_join(workers[i], NULL);
    for (unsigned kind = 0; kind < KINDS; kind++)
        CHECK(in_parent[kind] >= FORKS, "kind %u ran %lu times", kind, in_parent[kind]);
    return 0;
}
