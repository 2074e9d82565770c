// What the launchers share: a child that waits to be seized and then becomes the program, its end by time-out or signal,
// and how the end is told. measure.c and count.c include this; they are linked statically and stay under 1 MiB.
#ifndef CHILD_H
#define CHILD_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t program; // written before the handlers are installed
static volatile sig_atomic_t timed_out;

static void signal_timeout(int number)
{
    (void)number;
    timed_out = 1;
    kill(-program, SIGKILL);
    kill(program, SIGKILL);
}

static void signal_pass_on(int number)
{
    kill(program, number);
}

static void die(const char *what)
{
    fprintf(stderr, "launcher: %s: %s\n", what, strerror(errno));
    exit(120);
}

// The child waits for `go` (we must have seized it by then), then becomes the program. `last` is called before the exec.
static void child_run(int go, const char *preload, char **arguments, void (*last)(void))
{
    char byte;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (preload[0] != 0)
        setenv("LD_PRELOAD", preload, 1);
    if (read(go, &byte, 1) != 1)
        _exit(126);
    if (last != NULL)
        last();
    execvp(arguments[0], arguments);
    fprintf(stderr, "launcher: %s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

// Starts the child; returns the descriptor to which one byte lets it go.
static int child_start(const char *preload, char **arguments, void (*last)(void))
{
    int go[2];
    if (pipe(go) != 0)
        die("pipe");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        close(go[1]);
        child_run(go[0], preload, arguments, last);
    }
    program = child;
    setpgid(child, child);
    close(go[0]);
    return go[1];
}

static void timer_start(double seconds)
{
    struct sigaction action = {.sa_handler = signal_timeout};
    sigaction(SIGALRM, &action, NULL);
    action.sa_handler = signal_pass_on;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct itimerval timer = {.it_value = {.tv_sec = (time_t)seconds, .tv_usec = 1}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void child_go(int go)
{
    if (write(go, "g", 1) != 1)
        die("write");
    close(go);
}

// A group stop stays one; everything else that seizing makes the tracee stop for goes on.
static void stop_continue(pid_t pid, int status)
{
    int number = WSTOPSIG(status);
    if (status >> 16 == PTRACE_EVENT_STOP) {
        int stopping = number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
        ptrace(stopping ? PTRACE_LISTEN : PTRACE_CONT, pid, 0, 0);
    } else {
        ptrace(PTRACE_CONT, pid, 0, status >> 16 != 0 ? 0 : number);
    }
}

static void end_write(FILE *f, int status)
{
    if (timed_out)
        fprintf(f, "end timeout\n");
    else if (WIFSIGNALED(status))
        fprintf(f, "end signal %d\n", WTERMSIG(status));
    else
        fprintf(f, "end exit %d\n", WEXITSTATUS(status));
}

#endif
