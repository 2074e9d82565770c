// Promise: malloc_stats writes its numbers to stderr, nothing to stdout, and returns.
// TEST: cflags=-fno-builtin
#include "support/child.h"
#include <ctype.h>
#include <malloc.h>

static struct child child;

static void stats_print(void *unused) {
    (void)unused;
    void *live = malloc(5000);
    malloc_stats();
    free(live);
}

static void stats_print_full(void *unused) {
    // stderr is full or closed: malloc_stats must still return.
    (void)unused;
    int full = open("/dev/full", O_WRONLY);
    if (full >= 0) dup2(full, 2);
    malloc_stats();
    close(2);
    malloc_stats();
}

int main(void) {
    test_begin(60);
    child_run(&child, 2, stats_print, NULL);
    CHECK(child_exited(&child, 0), "ended with %#x", child.status);
    size_t digits = 0, lines = 0;
    for (size_t i = 0; i < child.length; i++) {
        digits += isdigit((unsigned char)child.output[i]) != 0;
        lines += child.output[i] == '\n';
    }
    printf("%s", child.output);
    CHECK(lines >= 3 && digits >= 6, "%zu lines with %zu digits", lines, digits);
    child_run(&child, 1, stats_print, NULL);
    CHECK(child_exited(&child, 0) && child.length == 0, "%zu bytes on stdout", child.length);
    child_run(&child, 1, stats_print_full, NULL);
    CHECK(child_exited(&child, 0), "with a broken stderr it ended with %#x", child.status);
    return 0;
}
