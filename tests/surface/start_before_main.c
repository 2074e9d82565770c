// Promise: the heap works before any constructor, in constructors, atexit handlers and destructors.
// TEST: cflags=-fno-builtin
//
// A child runs a whole life: .preinit_array (before any library is initialised), constructors of
// several priorities, main, atexit and on_exit handlers, destructors. Each phase checks and frees
// what the phase before left, allocates anew, and says its name. The parent knows the names in order.
#include "support/child.h"
#include <malloc.h>

enum { LEFT = 60 };

static unsigned char *left[LEFT];
static size_t left_sizes[LEFT];
static unsigned phases;
static bool living; // set by --life; the parent itself stays silent

static void phase(const char *name) {
    for (size_t i = 0; i < LEFT; i++) {
        unsigned char *old = left[i];
        CHECK(!old || pattern_check(old, left_sizes[i], left_sizes[i], i) == left_sizes[i],
              "%s: block %zu changed", name, i);
        // In each of three ways: freed and new, resized, aligned.
        size_t size = (i * i * 31 + phases * 100) % (i == 7 ? 400000 : 3000);
        if (i % 3 == 0) {
            left[i] = realloc(old, size + 1);
        } else {
            free(old);
            left[i] = i % 3 == 1 ? malloc(size + 1) : memalign((size_t)64 << i % 5, size + 1);
        }
        CHECK(left[i] != NULL, "%s: no memory", name);
        CHECK(malloc_usable_size(left[i]) > size, "%s: too small", name);
        left_sizes[i] = size + 1;
        pattern_fill(left[i], size + 1, i);
    }
    unsigned char *zero = calloc(10, 100);
    CHECK(zero && zero_check(zero, 1000) == 1000, "%s: calloc is not zero", name);
    free(zero);
    phases++;
    if (living) {
        say(1, name, strlen(name));
        say(1, " ", 1);
    }
}

static void preinit(int argc, char **argv, char **envp) {
    (void)envp;
    living = argc > 1 && strcmp(argv[1], "--life") == 0;
    phase("preinit");
}
__attribute__((section(".preinit_array"), used)) static void (*preinit_entry)(int, char **,
                                                                              char **) = preinit;

static void at_exit_early(void) {
    phase("atexit-of-constructor");
}
__attribute__((constructor(101))) static void constructor_first(void) {
    phase("constructor-101");
    atexit(at_exit_early);
}
__attribute__((constructor(500))) static void constructor_later(void) {
    phase("constructor-500");
}
__attribute__((constructor)) static void constructor_plain(void) {
    phase("constructor");
}
__attribute__((destructor)) static void destructor_plain(void) {
    phase("destructor");
}
__attribute__((destructor(500))) static void destructor_later(void) {
    phase("destructor-500");
}
__attribute__((destructor(101))) static void destructor_last(void) {
    phase("destructor-101");
    for (size_t i = 0; i < LEFT; i++) free(left[i]);
    memset(left, 0, sizeof left);
}

static void at_exit(void) {
    phase("atexit");
}
static void on_the_exit(int status, void *argument) {
    CHECK(status == 0, "exit status %d", status);
    phase(argument);
    free(argument);
}

static void quick(void) {
    phase("at_quick_exit");
}

static struct child child;

static void life_is(const char *argument, const char *wanted) {
    child_exec(&child, argument, environ);
    CHECK(child_exited(&child, 0), "status %#x after: %s", child.status, child.output);
    CHECK(strcmp(child.output, wanted) == 0, "the phases were: %s", child.output);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--life") == 0) {
        phase("main");
        atexit(at_exit);
        on_exit(on_the_exit, strdup("on_exit"));
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--quick") == 0) {
        living = true;
        at_quick_exit(quick);
        phase("main");
        quick_exit(0);
    }
    test_begin(60);
    life_is("--life",
            "preinit constructor-101 constructor-500 constructor main on_exit atexit "
            "atexit-of-constructor destructor destructor-500 destructor-101 ");
    life_is("--quick", "main at_quick_exit ");
    return 0;
}
