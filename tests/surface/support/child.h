// Children of a test: run a function, or this program anew, and keep what it said and how it ended.
//
// For tests of deaths (a misuse must abort with one line) and of whole lives (constructors to
// destructors). What the child says must fit OUTPUT_LIMIT bytes; the rest is read and dropped, so
// that a talkative child never blocks. Each forked child has a watchdog of its own.
#ifndef SURFACE_CHILD_H
#define SURFACE_CHILD_H

#include "surface.h"

#ifndef OUTPUT_LIMIT
#define OUTPUT_LIMIT (1 << 16)
#endif

struct child { // large: let it be static
    pid_t pid;
    int status;
    size_t length;
    char output[OUTPUT_LIMIT]; // ends in NUL
};

static inline bool child_exited(const struct child *child, int code) {
    return WIFEXITED(child->status) && WEXITSTATUS(child->status) == code;
}

static inline bool child_died(const struct child *child, int signal_number) {
    return WIFSIGNALED(child->status) && WTERMSIG(child->status) == signal_number;
}

static inline int wait_for(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR, "waitpid(%d) failed", (int)pid);
    return status;
}

static inline void child_collect(struct child *child, int fd) {
    char drop[4096];
    child->length = 0;
    for (;;) {
        size_t room = OUTPUT_LIMIT - 1 - child->length;
        ssize_t n = room > 0 ? read(fd, child->output + child->length, room)
                             : read(fd, drop, sizeof drop);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        if (room > 0) child->length += (size_t)n;
    }
    child->output[child->length] = '\0';
    close(fd);
    child->status = wait_for(child->pid);
}

// Runs body(argument) in a forked child whose file descriptor `captured` (1 or 2) is kept.
static inline void child_run(struct child *child, int captured, void (*body)(void *),
                             void *argument) {
    int ends[2];
    CHECK(pipe(ends) == 0, "no pipe");
    child->pid = fork();
    CHECK(child->pid >= 0, "fork failed");
    if (child->pid == 0) {
        dup2(ends[1], captured);
        close(ends[0]);
        close(ends[1]);
        watchdog_start(30);
        body(argument);
        _exit(0);
    }
    close(ends[1]);
    child_collect(child, ends[0]);
}

// Runs this same program anew with one argument and the environment given; keeps its stdout.
static inline void child_exec(struct child *child, const char *argument, char *const *environment) {
    int ends[2];
    CHECK(pipe(ends) == 0, "no pipe");
    child->pid = fork();
    CHECK(child->pid >= 0, "fork failed");
    if (child->pid == 0) {
        char *arguments[] = {(char *)"/proc/self/exe", (char *)(uintptr_t)argument, NULL};
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        alarm(60);
        execve("/proc/self/exe", arguments, environment);
        _exit(127);
    }
    close(ends[1]);
    child_collect(child, ends[0]);
}

enum { ENVIRONMENT_LIMIT = 512 };

// This environment without LD_PRELOAD (the C library's own malloc serves then), with `extra` if any.
static inline char **environment_without_preload(char *extra) {
    static char *kept[ENVIRONMENT_LIMIT];
    size_t n = 0;
    for (char **e = environ; *e && n < ENVIRONMENT_LIMIT - 2; e++)
        if (strncmp(*e, "LD_PRELOAD=", 11) != 0) kept[n++] = *e;
    if (extra) kept[n++] = extra;
    kept[n] = NULL;
    return kept;
}

#endif
