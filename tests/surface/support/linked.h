// What a program must be able to do however it was linked with Loam: the body of the link_*.c tests.
//
// The oracle's random operations from one thread and from four, a fork of the threaded program,
// thread-specific data, and a look at what is mapped: no C++ library has come along.
#ifndef SURFACE_LINKED_H
#define SURFACE_LINKED_H

#include "child.h"
#include "memory.h"
#include "oracle.h"
#include <pthread.h>
#include <sys/mman.h>

enum { LINKED_PLAYERS = 5, LINKED_STEPS = 60000 };
static struct player linked_players[LINKED_PLAYERS];
static pthread_key_t linked_key;

static void *linked_run(void *argument) {
    struct player *player = argument;
    CHECK(pthread_setspecific(linked_key, malloc(500)) == 0, "no specific value");
    for (int i = 0; i < LINKED_STEPS; i++) operation_do(player, operation_make(player));
    player_finish(player);
    return NULL;
}

static void linked_fork(void) {
    for (int i = 0; i < 20; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0, "fork failed");
        if (pid == 0) {
            watchdog_start(20);
            for (size_t k = 0; k < 2000; k++) free(launder(malloc(k * 17)));
            _exit(0);
        }
        int status = wait_for(pid);
        CHECK(status == 0, "child %d ended with %#x", i, status);
    }
}

static inline int linked_main(const char *how) {
    test_begin(60);
    static char maps[1 << 16];
    CHECK(file_read("/proc/self/maps", maps, sizeof maps) > 0, "no maps");
    CHECK(!strstr(maps, "libstdc++") && !strstr(maps, "libgcc_s"), "a C++ library is loaded");
    bool preloaded = strstr(maps, "libloam") != NULL;
    if (!is_any_allowed())
        CHECK(preloaded == (strcmp(how, "shared") == 0), "libloam.so is%s loaded, linked: %s",
              preloaded ? "" : " not", how);
    CHECK(pthread_key_create(&linked_key, free) == 0, "no key");
    for (unsigned i = 0; i < LINKED_PLAYERS; i++) {
        linked_players[i].number = i;
        linked_players[i].dice = dice_make(i + 1);
    }
    linked_run(&linked_players[4]);
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, linked_run, &linked_players[i]) == 0, "no thread");
    linked_fork();
    for (unsigned i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    mailboxes_finish(&linked_players[4]);
    heap_is_whole("when all is free");
    return 0;
}

#endif
