// Promise: migration, preemption and signals at any instruction leave the heap whole.
// TEST: cflags=-fno-builtin
//
// Eight threads on few processors allocate, free and hand over. Each hops between processors all
// the time, each is interrupted by a timer of its own every some 50 microseconds (a signal ends a
// restartable sequence, as a preemption does), and one real-time interval timer hits whichever
// thread it likes. Contents, overlap and zeroes are checked with the oracle's blocks.
#include "support/oracle.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { THREADS = 8, SECONDS = 4 };

static struct player players[THREADS];
static volatile bool stop;
static unsigned long interruptions, hops;
static cpu_set_t allowed;
static size_t allowed_list[CPU_SETSIZE], allowed_count;

static void on_timer(int signal_number) {
    (void)signal_number;
    __atomic_add_fetch(&interruptions, 1, __ATOMIC_RELAXED);
}

static void own_timer_start(struct dice *dice) {
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR1;
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "no timer");
    struct itimerspec when;
    memset(&when, 0, sizeof when);
    when.it_value.tv_nsec = when.it_interval.tv_nsec = 40000 + (long)dice_below(dice, 30000);
    CHECK(timer_settime(timer, 0, &when, NULL) == 0, "the timer does not start");
}

static void hop(struct dice *dice) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(allowed_list[dice_below(dice, allowed_count)], &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0) __atomic_add_fetch(&hops, 1, __ATOMIC_RELAXED);
}

static void *thread_run(void *argument) {
    struct player *player = argument;
    struct dice dice = dice_make(1000 + player->number);
    own_timer_start(&dice);
    while (!stop) {
        uint64_t run = dice_below(&dice, 200);
        for (uint64_t i = 0; i < run; i++) operation_do(player, operation_make(player));
        // The plain pairs, where nearly every instruction is in a sequence.
        for (size_t i = 0; i < 300; i++) free(launder(malloc(i)));
        hop(&dice);
    }
    player_finish(player);
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    unsigned long long steps = 0;
    test_begin(120);
    printf("seed %llu\n", (unsigned long long)test_seed_value);
    CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "no affinity");
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &allowed)) allowed_list[allowed_count++] = i;
    if (allowed_count == 1) printf("one processor only: preemption is tested, migration is not\n");
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_timer;
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        players[i].number = i;
        players[i].dice = dice_make(i + 1);
        CHECK(pthread_create(&threads[i], NULL, thread_run, &players[i]) == 0, "no thread");
    }
    struct itimerval interval = {{0, 300}, {0, 300}};
    setitimer(ITIMER_REAL, &interval, NULL);
    uint64_t start = clock_ns();
    while (seconds_since(start) < SECONDS) sleep_ms(50);
    stop = true;
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        steps += players[i].steps;
    }
    memset(&interval, 0, sizeof interval);
    setitimer(ITIMER_REAL, &interval, NULL);
    heap_is_whole("after them");
    mailboxes_finish(&players[0]);
    heap_is_whole("when all is free");
    printf("%llu operations, %lu interruptions, %lu hops over %zu processors\n", steps,
           interruptions, hops, allowed_count);
    CHECK(interruptions > 100, "only %lu interruptions", interruptions);
    return 0;
}
