// A program with a known number of system calls: N of getppid in itself, in a thread and in a child; one mmap and one munmap more
// for each N. benchmarks/check runs it under launcher/count.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long n;

static void *calls(void *argument)
{
    for (long i = 0; i < n; i++)
        syscall(SYS_getppid);
    return argument;
}

int main(int count, char **arguments)
{
    n = count > 1 ? atol(arguments[1]) : 0;
    pthread_t thread;
    calls(NULL);
    if (pthread_create(&thread, NULL, calls, NULL) != 0)
        return 1;
    pthread_join(thread, NULL);
    pid_t child = fork();
    if (child == 0) {
        calls(NULL);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    for (long i = 0; i < n; i++) {
        void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(p, 4096);
    }
    return status;
}
