// Promise: fork in a signal handler at a quiet time works as on the C library.
// TEST: cflags=-fno-builtin
//
// The signal arrives while the interrupted thread is in no call of the heap (raise, pause, sigsuspend
// or plain computing), but other threads are. The child, still in the handler, allocates and frees.
// So does the parent in its handler: at such a time that is as safe as anywhere.
#include "support/child.h"
#include <pthread.h>

enum { WORKERS = 3, ROUNDS = 60, KEPT = 200 };

static volatile bool stop;
static unsigned char *kept[KEPT]; // the main thread's; the child checks and frees them
static volatile sig_atomic_t handled;
static volatile unsigned long computed;

static size_t kept_size(size_t i) {
    return i * 37 % 9000;
}

static void on_signal(int signal_number) {
    (void)signal_number;
    int saved = errno;
    pid_t pid = fork();
    CHECK(pid >= 0, "fork in a handler failed");
    if (pid == 0) {
        watchdog_start(20);
        for (size_t i = 0; i < KEPT; i++) {
            size_t size = kept_size(i);
            CHECK(pattern_check(kept[i], size, size, i) == size, "block %zu changed", i);
            free(kept[i]);
        }
        for (size_t i = 0; i < 1000; i++) free(launder(malloc(i * 13)));
        _exit(0);
    }
    free(launder(malloc(333)));
    int status = wait_for(pid);
    CHECK(status == 0, "the handler's child ended with %#x", status);
    handled++;
    errno = saved;
}

static void *worker_run(void *salt) {
    struct dice dice = dice_make((uintptr_t)salt);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    void *own[64] = {0};
    while (!stop) {
        size_t slot = (size_t)dice_below(&dice, 64);
        free(own[slot]);
        own[slot] = launder(malloc(dice_size(&dice)));
    }
    for (size_t i = 0; i < 64; i++) free(own[i]);
    return NULL;
}

// Computes, and is interrupted from outside: by a child that sends the signal. Blocked until this
// thread has come out of its own fork: in there it would be no quiet time.
static void wait_computing(void) {
    sig_atomic_t before = handled;
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    pid_t parent = getpid(), pid = fork();
    CHECK(pid >= 0, "fork failed");
    if (pid == 0) {
        sleep_ms(2);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
    while (handled == before) computed++;
    wait_for(pid);
}

int main(void) {
    pthread_t workers[WORKERS];
    test_begin(60);
    for (size_t i = 0; i < KEPT; i++) {
        kept[i] = malloc(kept_size(i));
        CHECK(kept[i] != NULL, "no memory");
        pattern_fill(kept[i], kept_size(i), i);
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1); // one thread yet
    for (uintptr_t i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&workers[i], NULL, worker_run, (void *)i) == 0, "no thread");
    for (int round = 0; round < ROUNDS; round++) {
        if (round % 4) raise(SIGUSR1);
        else wait_computing();
    }
    stop = true;
    for (size_t i = 0; i < WORKERS; i++) pthread_join(workers[i], NULL);
    CHECK(handled == ROUNDS + 1, "%d signals handled", (int)handled);
    for (size_t i = 0; i < KEPT; i++) free(kept[i]);
    return 0;
}
