// Promise: a pointer that no malloc gave out ends in one line that says what it is, and abort.
// TEST: cflags=-fno-builtin
#include "support/misuse.h"
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>

static char data[4096] = "not from malloc";
static char zeroed[4096];

// An address misused in each of the ways there are.
static void *misused(const void *p) {
    p = launder(p);
    misuse_says(p);
    return (void *)(uintptr_t)p;
}

static void *aligned16(char *room) {
    return (void *)(((uintptr_t)room + 15) & ~(uintptr_t)15);
}

static void free_stack(void) {
    char room[128];
    memset(room, 0, sizeof room);
    free(misused(aligned16(room)));
}
static void free_stack_of_thread_run(void) {
    char room[128];
    memset(room, 1, sizeof room);
    free(misused(aligned16(room)));
}
static void *thread_run(void *unused) {
    free_stack_of_thread_run();
    return unused;
}
static void free_stack_of_thread(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, thread_run, NULL) == 0) pthread_join(thread, NULL);
}
static void realloc_stack(void) {
    char room[128];
    memset(room, 0, sizeof room);
    launder(realloc(misused(aligned16(room)), 100));
}
static void usable_stack(void) {
    char room[128];
    memset(room, 0, sizeof room);
    launder((void *)malloc_usable_size(misused(aligned16(room))));
}
static void free_data(void) {
    free(misused(aligned16(data)));
}
static void free_zeroed(void) {
    free(misused(aligned16(zeroed + 1000)));
}
static void free_text(void) {
    free(misused((void *)(uintptr_t)free_text));
}
static void free_string(void) {
    static const char text[] __attribute__((aligned(16))) = "a string constant";
    free(misused(text));
}
static void realloc_data(void) {
    launder(realloc(misused(aligned16(data)), 500));
}
static void free_unmapped(void) {
    // Where a mapping was a moment ago.
    void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p, 1 << 20);
    free(misused((char *)p + 4096));
}
static void free_low_address(void) {
    free(misused((void *)0x30));
}
static void free_kernel_address(void) {
    free(misused((void *)(uintptr_t)0xffff888000001000u));
}
static void free_non_canonical(void) {
    free(misused((void *)(uintptr_t)0x0123456789abcde0u));
}
static void free_minus_one(void) {
    free(misused((void *)UINTPTR_MAX));
}
static void realloc_unmapped(void) {
    launder(realloc(misused((void *)0x10000), 10));
}
static void usable_unmapped(void) {
    launder((void *)malloc_usable_size(misused((void *)0x10000)));
}
static void free_own_mapping(void) {
    void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    free(misused((char *)p + 64));
}
static void free_no_access(void) {
    // Looking at it must not crash: the words, not SIGSEGV.
    void *p = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    free(misused((char *)p + 4096));
}

int main(void) {
    static const struct misuse list[] = {
        {"free of a stack address", "stack", free_stack},
        {"free of another thread's stack address", "stack", free_stack_of_thread},
        {"realloc of a stack address", "stack", realloc_stack},
        {"malloc_usable_size of a stack address", "stack", usable_stack},
        {"free of a static variable", "static|global|data", free_data},
        {"free of a zeroed static variable", "static|global|data|bss", free_zeroed},
        {"free of a function", "static|code|text|misaligned", free_text},
        {"free of a string constant", "static|string", free_string},
        {"realloc of a static variable", "static|global|data", realloc_data},
        {"free of an unmapped address", "unmapped", free_unmapped},
        {"free of a low address", "unmapped", free_low_address},
        {"free of a kernel's address", "unmapped|kernel", free_kernel_address},
        {"free of no address", "unmapped|no address", free_non_canonical},
        {"free of (void *)-1", "unmapped|misaligned", free_minus_one},
        {"realloc of an unmapped address", "unmapped", realloc_unmapped},
        {"malloc_usable_size of an unmapped address", "unmapped", usable_unmapped},
        {"free of the program's own mapping", "mapping|not allocated by malloc", free_own_mapping},
        {"free of an inaccessible page", "mapping|not allocated by malloc|access", free_no_access},
    };
    test_begin(60);
    free(launder(malloc(100)));
    misuse_check_all(list, sizeof list / sizeof *list);
    return 0;
}
