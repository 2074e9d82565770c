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
#include "child.h"

#include <sys/resource.h>
#include <time.h>

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
    if (status >> 16 == PTRACE_EVENT_EXIT)
        exit_read(figures);
    stop_continue(program, status);
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

static void figures_write(const char *out, int status, double wall, const struct exit_figures *at_exit,
                          const struct rusage *usage)
{
    FILE *f = fopen(out, "we");
    if (f == NULL)
        die(out);
    end_write(f, status);
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
    int go = child_start(arguments[3], arguments + 4, NULL);
    ptrace(PTRACE_SEIZE, program, 0, PTRACE_O_TRACEEXIT); // refused: no final RSS, nothing else
    timer_start(atof(arguments[2]));

    double begin = time_now();
    child_go(go);
    struct exit_figures at_exit = {0};
    struct rusage usage;
    int status = wait_for_end(&at_exit, &usage);
    double wall = time_now() - begin;
    kill(-program, SIGKILL); // whatever it left behind in its group
    figures_write(arguments[1], status, wall, &at_exit, &usage);
    return 0;
}
