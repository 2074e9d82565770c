// Promise: a double free is told where it can be seen: at once, after a flush, and of large blocks.
// TEST: cflags=-fno-builtin
//
// The default build sees a second free of the block freed last in its list, of any block that has
// gone back to the chunks (after malloc_trim, or when many more were freed), of a run of pages and
// of a direct mapping. Between those a freed block lies in a list, and only the hardened build sees it.
#include "support/misuse.h"
#include <pthread.h>

static void free_again(void *p) {
    free(p);
    p = launder(p);
    misuse_says(p);
    free(p);
}

static void at_once_small(void) {
    void *keep = malloc(48);
    free_again(malloc(48));
    free(keep);
}
static void at_once_1000(void) {
    free_again(malloc(1000));
}
static void at_once_20000(void) {
    free_again(malloc(20000));
}
static void at_once_50000(void) { // such a run waits whole for the next who asks for it
    free_again(malloc(50000));
}
static void at_once_run(void) {
    free_again(malloc(200000));
}
static void at_once_large(void) {
    void *p = malloc(3 << 20);
    memset(p, 1, 3 << 20);
    free_again(p);
}
static void at_once_very_large(void) {
    free_again(malloc(300u << 20));
}
static void at_once_aligned(void) {
    void *p = NULL;
    if (posix_memalign(&p, 4096, 5000) == 0) free_again(p);
}

// realloc of a freed block, where a block of the new size waits in its list, to which the old one would be copied.
static void realloc_after_free(size_t from, size_t to) {
    void *p = malloc(from);
    free(launder(malloc(to)));
    free(p);
    p = launder(p);
    misuse_says(p);
    if (launder(realloc(p, to)) == NULL) _exit(3);
}
static void realloc_grows_small(void) {
    realloc_after_free(100, 200);
}
static void realloc_grows_middle(void) {
    realloc_after_free(2000, 4000);
}
static void realloc_shrinks(void) {
    realloc_after_free(20000, 9000);
}
static void realloc_stays(void) {
    realloc_after_free(2000, 1990);
}
static void realloc_run(void) {
    realloc_after_free(50000, 60000);
}
static void realloc_run_stays(void) {
    realloc_after_free(50000, 50001);
}

enum { MANY = 200000 };
static void *many[MANY];

// The block lies in the middle of so many that all have gone back to their chunks.
static void after_many(void) {
    for (size_t i = 0; i < MANY; i++) many[i] = malloc(64);
    for (size_t i = 0; i < MANY; i++) free(many[i]);
    misuse_says(many[MANY / 3]);
    free(launder(many[MANY / 3]));
}
static void after_trim(void) {
    for (size_t i = 0; i < 1000; i++) many[i] = malloc(200);
    for (size_t i = 0; i < 1000; i++)
        if (i < 450 || i > 550 || (i > 490 && i < 510)) free(many[i]);
    malloc_trim(0);
    misuse_says(many[500]);
    free(launder(many[500]));
}
// Between two live neighbours a hole looks like a block from outside: then it is told at the latest
// when it comes back to the chunks a second time.
static void after_trim_alone(void) {
    for (size_t i = 0; i < 1000; i++) many[i] = malloc(200);
    for (size_t i = 0; i < 1000; i += 2) free(many[i]);
    malloc_trim(0);
    misuse_says(many[500]);
    free(launder(many[500]));
    malloc_trim(0);
}
static void large_after_others(void) {
    void *p = malloc(5 << 20);
    free(p);
    for (size_t i = 0; i < 100; i++) free(launder(malloc(100 + i * 10)));
    p = launder(p);
    misuse_says(p);
    free(p);
}
static void *free_in_thread(void *p) {
    free(p);
    return NULL;
}
static void by_two_threads(void) {
    for (size_t i = 0; i < 1000; i++) many[i] = malloc(100);
    pthread_t thread;
    if (pthread_create(&thread, NULL, free_in_thread, many[500]) != 0) _exit(3);
    pthread_join(thread, NULL);
    malloc_trim(0);
    misuse_says(many[500]);
    free(launder(many[500])); // into a list of this processor: seen when that goes back to the chunk
    malloc_trim(0);
}

int main(void) {
    static const struct misuse list[] = {
        {"48 bytes, at once", "already free|double free", at_once_small},
        {"1000 bytes, at once", "already free|double free", at_once_1000},
        {"20000 bytes, at once", "already free|double free", at_once_20000},
        {"50000 bytes, at once", "already free|double free", at_once_50000},
        {"realloc of 50000 freed bytes to 60000", "already free|double free", realloc_run},
        {"realloc of 50000 freed bytes to 50001", "already free|double free", realloc_run_stays},
        {"200000 bytes, at once", "already free|double free|unmapped", at_once_run},
        {"3 MiB, at once", "already free|double free|unmapped", at_once_large},
        {"300 MiB, at once", "already free|double free|unmapped", at_once_very_large},
        {"an aligned block, at once", "already free|double free", at_once_aligned},
        {"realloc of 100 freed bytes to 200", "already free", realloc_grows_small},
        {"realloc of 2000 freed bytes to 4000", "already free", realloc_grows_middle},
        {"realloc of 20000 freed bytes to 9000", "already free", realloc_shrinks},
        {"realloc of 2000 freed bytes to 1990", "already free", realloc_stays},
        {"after 200,000 other frees", "already free|double free", after_many},
        {"after malloc_trim", "already free|double free", after_trim},
        {"after malloc_trim, live neighbours", "already free|double free", after_trim_alone},
        {"5 MiB, after other calls", "already free|double free|unmapped", large_after_others},
        {"freed by two threads", "already free|double free", by_two_threads},
    };
    test_begin(60);
    misuse_check_all(list, sizeof list / sizeof *list);
    return 0;
}
