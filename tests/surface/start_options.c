// Promise: options are obeyed also when the first malloc comes before any library is initialised.
// TEST: cflags=-fno-builtin
// TEST: modes=rseq
//
// Functions in .preinit_array run before the C library has set up environ, so getenv() knows nothing
// then. An allocator that reads its options at the first malloc must find them all the same, else
// LOAM=rseq:off would silently not be.
#include "support/child.h"

extern const char *loam_mode(void) __attribute__((weak));

static bool early_was_served;

static void preinit(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    void *p = malloc(100);
    early_was_served = p != NULL;
    free(p);
}
__attribute__((section(".preinit_array"), used)) static void (*preinit_entry)(int, char **,
                                                                              char **) = preinit;

static struct child child;

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--life") == 0) {
        printf("%s", early_was_served ? loam_mode() : "no memory");
        return 0;
    }
    test_begin(30);
    if (!is_loam()) test_skip("only Loam has these options");
    char *environment[ENVIRONMENT_LIMIT];
    size_t n = 0;
    for (char **e = environ; *e && n < ENVIRONMENT_LIMIT - 2; e++)
        if (strncmp(*e, "LOAM=", 5) != 0) environment[n++] = *e;
    environment[n++] = (char *)"LOAM=rseq:off";
    environment[n] = NULL;
    child_exec(&child, "--life", environment);
    CHECK(child_exited(&child, 0), "status %#x", child.status);
    CHECK(strcmp(child.output, "locked") == 0, "under LOAM=rseq:off the mode is \"%s\"",
          child.output);
    return 0;
}
