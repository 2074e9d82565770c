/*
 * limit SECONDS PROGRAM [ARG...]: runs one test, and leaves no process of it behind.
 *
 * The program gets a session of its own, no input, no core file. When it ends, or its time is over,
 * every process that descends from it is killed, also one that made itself a daemon: those become
 * our children, because we are a subreaper. Exit status: the program's; 124 when its time was over;
 * 128 + n when signal n ended it; 126 or 127 when it could not be started.
 * What limit itself has to say goes to stderr, which is the test's log.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t told_to_stop;

static void on_stop(int signal_number)
{
    (void)signal_number;
    told_to_stop = 1;
}

static void on_child(int signal_number)
{
    (void)signal_number;
}

/* The parent of a process by /proc, or -1. The name in brackets may hold anything: read after the last one. */
static long parent_of(const char *pid)
{
    char path[300], text[1024];
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = 0;
    const char *bracket = strrchr(text, ')');
    char state;
    long parent;
    return bracket && sscanf(bracket + 1, " %c %ld", &state, &parent) == 2 ? parent : -1;
}

/* Kills all our children, whose orphans become our children, until there is none. Returns how many. */
static int kill_all(void)
{
    int killed = 0;
    for (;;) {
        DIR *proc = opendir("/proc");
        if (!proc)
            return killed;
        for (struct dirent *entry; (entry = readdir(proc));) {
            if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
                continue;
            if (parent_of(entry->d_name) == (long)getpid())
                kill((pid_t)atol(entry->d_name), SIGKILL);
        }
        closedir(proc);
        pid_t pid = waitpid(-1, NULL, 0);
        if (pid > 0)
            killed++;
        else if (errno == ECHILD)
            return killed;
    }
}

static void run_child(char **argv)
{
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    setsid();
    if (!freopen("/dev/null", "r", stdin))
        _exit(126);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    fprintf(stderr, "limit: %s: %s\n", argv[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

/* Waits for the child until the deadline. True when it ended by itself. */
static int wait_for(pid_t child, int seconds, int *status)
{
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    sigset_t waiting;
    sigprocmask(SIG_SETMASK, NULL, &waiting);
    sigdelset(&waiting, SIGCHLD);
    sigdelset(&waiting, SIGTERM);
    sigdelset(&waiting, SIGINT);
    sigdelset(&waiting, SIGHUP);
    for (;;) {
        pid_t pid;
        while ((pid = waitpid(-1, status, WNOHANG)) > 0) {
            if (pid == child)
                return 1;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        struct timespec left = {end.tv_sec - now.tv_sec, 0};
        if (told_to_stop || left.tv_sec <= 0)
            return 0;
        pselect(0, NULL, NULL, NULL, &left, &waiting);
    }
}

int main(int argc, char **argv)
{
    int seconds = argc > 2 ? atoi(argv[1]) : 0;
    if (seconds <= 0) {
        fprintf(stderr, "usage: limit SECONDS PROGRAM [ARG...]\n");
        return 125;
    }
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGHUP);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGTERM, on_stop);
    signal(SIGINT, on_stop);
    signal(SIGHUP, on_stop);
    signal(SIGCHLD, on_child);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        perror("limit: PR_SET_CHILD_SUBREAPER");

    pid_t child = fork();
    if (child < 0) {
        perror("limit: fork");
        return 125;
    }
    if (child == 0)
        run_child(argv + 2);

    int status = 0;
    int ended = wait_for(child, seconds, &status);
    int killed = kill_all();
    if (!ended) {
        if (told_to_stop)
            fprintf(stderr, "limit: stopped\n");
        else
            fprintf(stderr, "limit: timed out after %d s\n", seconds);
        return 124;
    }
    if (killed)
        fprintf(stderr, "limit: the test left %d process(es) behind; killed\n", killed);
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        fprintf(stderr, "limit: ended by signal %d (%s)\n", number, strsignal(number));
        return 128 + number;
    }
    return WEXITSTATUS(status);
}
