// measure: runs one program, says what it cost.
//
//   measure OUT SECONDS PRELOAD PROGRAM [ARG...]
//
// Runs PROGRAM with LD_PRELOAD=PRELOAD (none if empty), kills its process group after SECONDS, and writes lines
// `name value` to the file OUT: how it ended, wall and processor time, peak and final RSS, page faults, context switches.
//
// Why a program of its own: the kernel hands a process's peak RSS on over fork and exec (signal->maxrss), so a child that
// Python starts reports at least Python's size. This one is linked statically and stays under 1 MiB.
//
// The final RSS is read in the stop that PTRACE_O_TRACEEXIT makes: the program has done everything, its memory is still
// mapped. Only this one stop is asked for: system calls, threads and children run at full speed, and the time spent in the
// stop is taken off the wall time. Where ptrace is refused, the final RSS is 0 and all else holds.
//
// SIGTERM is passed on to the program, so that a server can be told to stop. The peak is the largest of the program and of
// the children it waited for (wait4's rusage), so a compiler driver reports its compiler.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t program; // written before the handlers are installed
static volatile sig_atomic_t timed_out;

struct exit_figures { // read in the stop at exit
    long rss_kib;
    long peak_kib;
    double held_s; // how long the program stood still for us
};

static double time_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double time_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

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
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    exit(120);
}

// The child waits for `go` (we must have seized it by then), then becomes the program.
static void child_run(int go, const char *preload, char **arguments)
{
    char byte;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (preload[0] != 0)
        setenv("LD_PRELOAD", preload, 1);
    if (read(go, &byte, 1) != 1)
        _exit(126);
    execvp(arguments[0], arguments);
    fprintf(stderr, "measure: %s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

static void exit_read(struct exit_figures *figures)
{
    double begin = time_now();
    char name[64], line[256];
    snprintf(name, sizeof name, "/proc/%d/status", (int)program);
    FILE *status = fopen(name, "re");
    if (status != NULL) {
        while (fgets(line, sizeof line, status) != NULL) {
            sscanf(line, "VmRSS: %ld", &figures->rss_kib);
            sscanf(line, "VmHWM: %ld", &figures->peak_kib);
        }
        fclose(status);
    }
    figures->held_s = time_now() - begin;
}

// One stop of the traced program: the exit is looked at, signals are delivered, a real job-control stop stays one.
static void stop_handle(int status, struct exit_figures *figures)
{
    int number = WSTOPSIG(status);
    int event = status >> 16;
    if (event == PTRACE_EVENT_EXIT) {
        exit_read(figures);
        ptrace(PTRACE_CONT, program, 0, 0);
    } else if (event == PTRACE_EVENT_STOP) {
        int stopping = number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
        ptrace(stopping ? PTRACE_LISTEN : PTRACE_CONT, program, 0, 0);
    } else {
        ptrace(PTRACE_CONT, program, 0, number);
    }
}

static int wait_for_end(struct exit_figures *figures, struct rusage *usage)
{
    for (;;) {
        int status;
        pid_t got = wait4(program, &status, __WALL, usage);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            die("wait4");
        if (!WIFSTOPPED(status))
            return status;
        stop_handle(status, figures);
    }
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

static void figures_write(const char *out, int status, double wall, const struct exit_figures *at_exit,
                          const struct rusage *usage)
{
    FILE *f = fopen(out, "we");
    if (f == NULL)
        die(out);
    if (timed_out)
        fprintf(f, "end timeout\n");
    else if (WIFSIGNALED(status))
        fprintf(f, "end signal %d\n", WTERMSIG(status));
    else
        fprintf(f, "end exit %d\n", WEXITSTATUS(status));
    long peak = usage->ru_maxrss > at_exit->peak_kib ? usage->ru_maxrss : at_exit->peak_kib;
    fprintf(f, "wall_s %.6f\nuser_s %.6f\nsys_s %.6f\n", wall - at_exit->held_s, time_of(usage->ru_utime),
            time_of(usage->ru_stime));
    fprintf(f, "peak_kib %ld\nfinal_kib %ld\n", peak, at_exit->rss_kib);
    fprintf(f, "minor_faults %ld\nmajor_faults %ld\n", usage->ru_minflt, usage->ru_majflt);
    fprintf(f, "switches %ld\npreemptions %ld\n", usage->ru_nvcsw, usage->ru_nivcsw);
    if (fclose(f) != 0)
        die(out);
}

int main(int count, char **arguments)
{
    if (count < 5) {
        fprintf(stderr, "usage: measure OUT SECONDS PRELOAD PROGRAM [ARG...]\n");
        return 120;
    }
    int go[2];
    if (pipe(go) != 0)
        die("pipe");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        close(go[1]);
        child_run(go[0], arguments[3], arguments + 4);
    }
    program = child;
    setpgid(child, child);
    close(go[0]);
    ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACEEXIT); // refused: no final RSS, nothing else
    timer_start(atof(arguments[2]));

    double begin = time_now();
    if (write(go[1], "g", 1) != 1)
        die("write");
    close(go[1]);
    struct exit_figures at_exit = {0};
    struct rusage usage;
    int status = wait_for_end(&at_exit, &usage);
    double wall = time_now() - begin;
    kill(-child, SIGKILL); // whatever it left behind in its group
    figures_write(arguments[1], status, wall, &at_exit, &usage);
    return 0;
}
