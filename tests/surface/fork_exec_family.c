// Promise: vfork and exec, posix_spawn, popen and system work while other threads allocate.
// TEST: cflags=-fno-builtin
//
// In a vfork child nothing allocates (POSIX forbids it); it execs or leaves. What the started
// programs print is read back whole through blocks of our own.
#include "support/child.h"
#include <pthread.h>
#include <spawn.h>

enum { WORKERS = 4, ROUNDS = 40 };

static volatile bool stop;

static void *worker_run(void *salt) {
    struct dice dice = dice_make((uintptr_t)salt);
    void *own[64] = {0};
    while (!stop) {
        size_t slot = (size_t)dice_below(&dice, 64);
        own[slot] = realloc(own[slot], dice_size(&dice) + 1);
        CHECK(own[slot] != NULL, "no memory");
    }
    for (size_t i = 0; i < 64; i++) free(own[i]);
    return NULL;
}

static char *const echo_arguments[] = {(char *)"sh", (char *)"-c", (char *)"exit 7", NULL};

static void vfork_exec(void) {
    pid_t pid = vfork();
    CHECK(pid >= 0, "vfork failed");
    if (pid == 0) {
        execv("/bin/sh", echo_arguments);
        _exit(127);
    }
    int status = wait_for(pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7, "vfork + exec: %#x", status);
    pid = vfork();
    CHECK(pid >= 0, "vfork failed");
    if (pid == 0) _exit(9);
    status = wait_for(pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9, "vfork + _exit: %#x", status);
}

static void spawn(void) {
    pid_t pid;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd = 100; fd < 120; fd++)
        CHECK(posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDONLY, 0) == 0,
              "no action");
    CHECK(posix_spawn(&pid, "/bin/sh", &actions, NULL, echo_arguments, environ) == 0, "no spawn");
    posix_spawn_file_actions_destroy(&actions);
    int status = wait_for(pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7, "posix_spawn: %#x", status);
}

static void read_back(void) {
    FILE *stream = popen("i=0; while [ $i -lt 300 ]; do echo line number $i; i=$((i+1)); done", "r");
    CHECK(stream != NULL, "no popen");
    char *line = NULL;
    size_t room = 0, lines = 0;
    while (getline(&line, &room, stream) > 0) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "line number %zu\n", lines++);
        CHECK(strcmp(line, wanted) == 0, "read %s", line);
    }
    free(line);
    int status = pclose(stream);
    CHECK(status == 0 && lines == 300, "%zu lines, status %#x", lines, status);
    status = system("exit 5");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5, "system: %#x", status);
}

int main(void) {
    pthread_t workers[WORKERS];
    test_begin(60);
    for (uintptr_t i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&workers[i], NULL, worker_run, (void *)i) == 0, "no thread");
    for (int round = 0; round < ROUNDS; round++) {
        vfork_exec();
        spawn();
        if (round % 4 == 0) read_back();
    }
    stop = true;
    for (size_t i = 0; i < WORKERS; i++) pthread_join(workers[i], NULL);
    return 0;
}
