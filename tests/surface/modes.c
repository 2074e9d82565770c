// Promise: sequences are used wherever the C library registered them, locks wherever not or when asked, and it is said which.
// TEST: cflags=-fno-builtin
//
// A run under LOAM=rseq:off must really be on locks, and a plain one on sequences where they are to
// be had, else the tests of one mode would be tests of the other. The program is also run anew
// under a tunable that keeps the C library from registering sequences, and with nonsense in LOAM.
#include "support/child.h"
#include <pthread.h>

extern const char *loam_mode(void) __attribute__((weak));
extern const char *loam_mode_reason(void) __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

enum { THREADS = 4 };

static void *thread_run(void *unused) {
    void *blocks[200] = {0};
    for (size_t i = 0; i < 100000; i++) {
        free(blocks[i % 200]);
        blocks[i % 200] = launder(malloc(i % 1500));
    }
    for (size_t i = 0; i < 200; i++) free(blocks[i]);
    return unused;
}

static int life(void) {
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, thread_run, NULL) == 0, "no thread");
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    bool registered = &__rseq_size && __rseq_size > 0;
    printf("%s, %s registered, reason: %s\n", loam_mode(), registered ? "is" : "not",
           loam_mode_reason() ? loam_mode_reason() : "none");
    return 0;
}

static struct child child;

// Runs anew with one more (or other) variable; the line that it says.
static void life_under(char *variable, bool without_loam) {
    char *environment[ENVIRONMENT_LIMIT];
    size_t n = 0;
    for (char **e = environ; *e && n < ENVIRONMENT_LIMIT - 2; e++)
        if (!without_loam || strncmp(*e, "LOAM=", 5) != 0) environment[n++] = *e;
    if (variable) environment[n++] = variable;
    environment[n] = NULL;
    child_exec(&child, "--life", environment);
    CHECK(child_exited(&child, 0), "under %s it ended with %#x", variable ? variable : "nothing",
          child.status);
    printf("%-40s %s", variable ? variable : "as it came", child.output);
}

static bool mode_was(const char *mode) {
    return strncmp(child.output, mode, strlen(mode)) == 0 && child.output[strlen(mode)] == ',';
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--life") == 0) return life();
    test_begin(60);
    if (!is_loam()) test_skip("only Loam has modes");
    const char *options = getenv("LOAM");
    bool off = options && strstr(options, "rseq:off");
    life_under(NULL, false);
    bool registered = strstr(child.output, "is registered") != NULL;
    CHECK(mode_was(!off && registered ? "sequences" : "locked"), "with LOAM=%s: %s",
          options ? options : "", child.output);
    CHECK(mode_was("locked") == (strstr(child.output, "reason: none") == NULL),
          "locked has a reason, sequences need none: %s", child.output);

    life_under((char *)"GLIBC_TUNABLES=glibc.pthread.rseq=0", false);
    CHECK(mode_was("locked"), "without registration: %s", child.output);
    life_under((char *)"LOAM=rseq:off", true);
    CHECK(mode_was("locked"), "asked for locks: %s", child.output);
    life_under((char *)"LOAM=rseq:auto", true);
    CHECK(mode_was(registered ? "sequences" : "locked"), "asked for the best: %s", child.output);
    life_under((char *)"LOAM=rseq:perhaps,nonsense,,:,rseq", true);
    CHECK(mode_was(registered ? "sequences" : "locked"), "nonsense changes nothing: %s", child.output);
    return 0;
}
