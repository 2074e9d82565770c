// Promise: whichever system call of memory fails, the n-th alone or all from then on, the heap stays whole.
// TEST: cflags=-fno-builtin
//
// The same load is run once to count its calls, then for every n in a child of its own: the n-th
// mmap, munmap, mremap or madvise fails, alone or with all after it, with ENOMEM or EAGAIN. Refusals
// must be NULL and ENOMEM, contents must stay, and when memory is to be had again, so must be all
// the load asks for.
#include "support/child.h"
#include "support/faults.h"
#include "support/load.h"
#include <sys/mman.h>

enum { STEPS = 300, LARGEST = 3 * 1024, MOST = 100 };

static struct load load;

static void body(void) {
    load_run(&load, 11, STEPS, LARGEST, false);
    malloc_trim(0);
    // Growth by realloc, up to a mapping of its own, and shrinking again.
    size_t size = 1000;
    unsigned char *p = malloc(size);
    for (int i = 0; p && i < 30; i++) {
        errno = 0;
        size_t wanted = i < 15 ? size * 2 : size / 2 + 1; // never 0: that would free
        unsigned char *q = realloc(p, wanted);
        if (q) p = q, size = wanted;
        else CHECK(errno == ENOMEM, "realloc failed with another errno");
        p[0] = p[size - 1] = 1;
    }
    free(p);
    load_run(&load, 12, STEPS, LARGEST, false);
    fault_over = true;
    load_run(&load, 13, STEPS, LARGEST, true);
    load_clear(&load);
    load_run(&load, 14, STEPS / 4, LARGEST, true);
    load_clear(&load);
}

struct counts {
    unsigned long calls, failed, refused;
};
static struct counts *counts; // shared with the children

static void run_in_child(void *plan) {
    if (!fault_run(body, *(struct fault_plan *)plan)) _exit(TEST_SKIPPED);
    counts->calls = fault_plan.calls;
    counts->failed = fault_plan.failed;
    counts->refused = load.refused;
}

static struct child child;

static void run(struct fault_plan plan) {
    child_run(&child, 2, run_in_child, &plan);
    if (child_exited(&child, TEST_SKIPPED))
        test_skip("this kernel has no seccomp listener (SECCOMP_RET_USER_NOTIF, Linux 5.5)");
    CHECK(child_exited(&child, 0), "call %lu fails%s with %s: status %#x: %s", plan.first,
          plan.only_first ? "" : " and all after it", plan.error == ENOMEM ? "ENOMEM" : "EAGAIN",
          child.status, child.output);
}

int main(void) {
    test_begin(110);
    counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(counts != MAP_FAILED, "no memory for the test");
    struct fault_plan plan = {0, false, ENOMEM, 0, 0};
    run(plan);
    unsigned long calls = counts->calls, step = calls / MOST + 1, failed = 0, refused = 0, runs = 0;
    printf("the load makes %lu calls\n", calls);
    CHECK(calls > 3, "only %lu calls: nothing to fail", calls);
    for (unsigned way = 0; way < 4; way++)
        for (unsigned long n = 1 + way * (step / 4); n <= calls; n += step) {
            struct fault_plan next = {n, way % 2 == 1, way < 2 ? ENOMEM : EAGAIN, 0, 0};
            run(next);
            failed += counts->failed;
            refused += counts->refused;
            runs++;
        }
    printf("%lu runs: %lu system calls failed, %lu requests were refused\n", runs, failed, refused);
    CHECK(failed >= runs / 2 && refused > 0, "%lu failed, %lu refused", failed, refused);
    return 0;
}
