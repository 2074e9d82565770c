// System calls of memory that fail at the n-th time: a seccomp filter on one thread, and a supervisor.
//
// The thread under test installs a filter that hands its mmap, munmap, mremap, madvise and brk to a
// listener (SECCOMP_RET_USER_NOTIF). The first thread, which never allocates meanwhile, counts them
// and answers: go on, or fail with the errno that the plan names. Exact, without ptrace, and the
// thread under test runs no code of ours at that moment.
#ifndef SURFACE_FAULTS_H
#define SURFACE_FAULTS_H

#include "surface.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

struct fault_plan {
    unsigned long first;  // the call, counted from 1, that fails first; 0: none
    bool only_first;      // or all from then on
    int error;            // ENOMEM, or EAGAIN where the call may give it
    unsigned long calls;  // counted, out
    unsigned long failed; // out
};

static struct fault_plan fault_plan;
static int fault_listener = -1;
static int fault_end[2]; // a pipe: the thread under test has ended
static volatile bool fault_over; // the thread says: from now on memory is to be had again

static inline int fault_filter_install(unsigned action) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mremap, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_brk, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, action),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

static inline int fault_answer(int number) {
    struct fault_plan *plan = &fault_plan;
    if (fault_over) return 0;
    plan->calls++;
    if (plan->first == 0 || plan->calls < plan->first) return 0;
    if (plan->only_first && plan->calls > plan->first) return 0;
    plan->failed++;
    // munmap cannot say EAGAIN.
    return number == SYS_munmap ? ENOMEM : plan->error;
}

// Answers until the thread under test has ended.
static inline void fault_supervise(void) {
    struct pollfd watched[2] = {{fault_listener, POLLIN, 0}, {fault_end[0], POLLIN, 0}};
    for (;;) {
        if (poll(watched, 2, -1) < 0 && errno == EINTR) continue;
        if (!(watched[0].revents & POLLIN)) {
            if (watched[1].revents || watched[0].revents) return;
            continue;
        }
        struct seccomp_notif request;
        struct seccomp_notif_resp answer;
        memset(&request, 0, sizeof request);
        memset(&answer, 0, sizeof answer);
        if (ioctl(fault_listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) continue;
        int error = fault_answer(request.data.nr);
        answer.id = request.id;
        answer.error = -error;
        answer.flags = error ? 0 : (uint32_t)SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        ioctl(fault_listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

static void (*fault_body)(void);
static pthread_barrier_t fault_ready;

static inline void *fault_thread(void *unused) {
    fault_listener = fault_filter_install(SECCOMP_RET_USER_NOTIF);
    pthread_barrier_wait(&fault_ready);
    if (fault_listener >= 0) fault_body();
    say(fault_end[1], "x", 1);
    return unused;
}

// Runs body on a thread of its own under the plan. False if the kernel has no such filter.
static inline bool fault_run(void (*body)(void), struct fault_plan plan) {
    pthread_t thread;
    fault_plan = plan;
    fault_body = body;
    CHECK(pipe(fault_end) == 0, "no pipe");
    pthread_barrier_init(&fault_ready, NULL, 2);
    CHECK(pthread_create(&thread, NULL, fault_thread, NULL) == 0, "no thread");
    pthread_barrier_wait(&fault_ready);
    bool possible = fault_listener >= 0;
    if (possible) fault_supervise();
    // What the thread does at its end (its stack) must still be answered: it is not joined.
    return possible;
}

#endif
