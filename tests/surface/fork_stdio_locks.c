// Promise: fork while other threads are inside stdio: no deadlock, and the child may use stdio.
// TEST: cflags=-fno-builtin
//
// fopen, fclose, getline and open_memstream allocate while they hold stdio's locks; fork takes those
// locks and the allocator's. If the two orders differ, parent or child hangs, and the watchdog says so.
#include "support/child.h"
#include <pthread.h>

enum { WORKERS = 4, FORKS = 120 };

static volatile bool stop;
static FILE *shared; // all write to it

static void stdio_use(uint64_t salt) {
    FILE *file = fopen("/dev/null", "w");
    CHECK(file != NULL, "no stream");
    fprintf(file, "%llu %s\n", (unsigned long long)salt, "and some text");
    fclose(file);
    char *text = NULL;
    size_t length = 0;
    file = open_memstream(&text, &length);
    CHECK(file != NULL, "no stream");
    for (int i = 0; i < 20; i++) fprintf(file, "%d: %0100d\n", i, i);
    fclose(file);
    CHECK(length > 2000 && strlen(text) == length, "%zu bytes of text", length);
    file = fmemopen(text, length, "r");
    char *line = NULL;
    size_t room = 0, lines = 0;
    while (getline(&line, &room, file) > 0) lines++;
    fclose(file);
    CHECK(lines == 20, "%zu lines", lines);
    free(line);
    free(text);
}

static void *worker_run(void *salt) {
    uint64_t round = (uintptr_t)salt << 32;
    while (!stop) {
        stdio_use(round++);
        fprintf(shared, "%llu\n", (unsigned long long)round);
        if (round % 16 == 0) fflush(NULL);
        free(launder(malloc(round % 5000)));
    }
    return NULL;
}

int main(void) {
    pthread_t workers[WORKERS];
    test_begin(60);
    shared = fopen("/dev/null", "w");
    CHECK(shared != NULL, "no stream");
    for (uintptr_t i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&workers[i], NULL, worker_run, (void *)i) == 0, "no thread");
    for (int round = 0; round < FORKS; round++) {
        pid_t pid = fork();
        CHECK(pid >= 0, "fork %d failed", round);
        if (pid == 0) {
            watchdog_start(20);
            for (uint64_t i = 0; i < 20; i++) stdio_use(i);
            FILE *mine = fopen("/dev/null", "w");
            CHECK(mine != NULL, "no stream in the child");
            fprintf(mine, "child %d\n", round);
            fclose(mine);
            _exit(0);
        }
        int status = wait_for(pid);
        CHECK(status == 0, "child %d ended with %#x", round, status);
    }
    stop = true;
    for (size_t i = 0; i < WORKERS; i++) pthread_join(workers[i], NULL);
    fclose(shared);
    return 0;
}
