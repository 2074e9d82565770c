// start: runs /bin/true 300 times, one after the other.
// Modelled on shell scripts, makefiles and configure: nothing but the cost of an allocator's being there at all, its
// loading, its set-up at the first malloc, its end. The allocator is preloaded into each of them as into this program.
#include "workload.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    size_t times = workload_times(300, 3);
    uint64_t sum = 0;
    for (size_t i = 0; i < times; i++) {
        char *program[] = {"/bin/true", NULL};
        pid_t child;
        int status = -1;
        if (posix_spawn(&child, program[0], NULL, NULL, program, environ) != 0)
            workload_fail("%s cannot be started", program[0]);
        if (waitpid(child, &status, 0) != child || status != 0)
            workload_fail("%s ended with status %#x", program[0], (unsigned)status);
        sum++;
    }
    return workload_end(sum);
}
