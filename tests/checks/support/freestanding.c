/* A program without a C library and without a system, but for the call by which it ends: each strategy over a static buffer.
 * checks/region_freestanding compiles and runs it. Ends with 0, or with the number of the check that failed. */
#include <loam/region.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);

/* All that a region asks for. The compiler must not make a memcpy of the loop in memcpy: hence volatile. */
void *memmove(void *to, const void *from, size_t size)
{
    volatile char *t = to;
    const volatile char *f = from;
    for (size_t i = 0; i < size; i++) {
        size_t at = (uintptr_t)to < (uintptr_t)from ? i : size - 1 - i;
        t[at] = f[at];
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    return memmove(to, from, size);
}

void *memset(void *to, int byte, size_t size)
{
    volatile char *t = to;
    for (size_t i = 0; i < size; i++)
        t[i] = (char)byte;
    return to;
}

_Noreturn static void leave(long status)
{
    for (;;) {
#if defined(__x86_64__)
        __asm__ volatile("syscall" : : "a"(60L), "D"(status) : "rcx", "r11", "memory");
#else
        register long number __asm__("x8") = 93;
        register long x0 __asm__("x0") = status;
        __asm__ volatile("svc #0" : : "r"(number), "r"(x0) : "memory");
#endif
    }
}

static void check(int number, bool good)
{
    if (!good)
        leave(number);
}

static char memory[100000];

static void check_strategy(enum loam_region_kind kind)
{
    struct loam_region_options options = {.kind = kind,
                                          .source = LOAM_SOURCE_BUFFER,
                                          .buffer = memory,
                                          .buffer_size = sizeof memory,
                                          .cell = kind == LOAM_REGION_CELLS ? 40 : 0};
    loam_region *region = NULL;
    char *block[100];
    check(1, loam_region_create(&region, &options) == LOAM_OK);
    for (int i = 0; i < 100; i++) {
        block[i] = loam_region_alloc(region, 40);
        check(2, block[i] != NULL && loam_region_owns(region, block[i]));
        memset(block[i], i, 40);
    }
    for (int i = 0; i < 100; i++)
        check(3, block[i][0] == i && block[i][39] == i);
    for (int i = 0; i < 100; i += 2)
        check(4, loam_region_free(region, block[i]) == LOAM_OK);
    check(5, loam_region_free(region, memory + sizeof memory) == LOAM_ERROR_FOREIGN);
    if (kind != LOAM_REGION_CELLS) {
        char *grown = loam_region_resize(region, block[1], 400);
        check(6, grown != NULL && grown[39] == 1);
        check(7, loam_region_alloc(region, sizeof memory) == NULL && loam_region_error(region) == LOAM_ERROR_SPENT);
    }
    check(8, loam_region_check(region) == NULL);
    check(9, loam_region_destroy(region) == LOAM_OK);

    options.flags = LOAM_REGION_LOCKED;
    check(10, loam_region_create(&region, &options) == LOAM_ERROR_UNSUPPORTED);
    options = (struct loam_region_options){
        .kind = kind, .source = LOAM_SOURCE_MAP, .cell = kind == LOAM_REGION_CELLS ? 40 : 0};
    check(11, loam_region_create(&region, &options) == LOAM_ERROR_UNSUPPORTED);
    options.source = LOAM_SOURCE_BREAK;
    check(12, loam_region_create(&region, &options) == LOAM_ERROR_UNSUPPORTED);
}

#if defined(__x86_64__)
__attribute__((force_align_arg_pointer))
#endif
_Noreturn void
_start(void);

void _start(void)
{
    for (int kind = LOAM_REGION_BUMP; kind <= LOAM_REGION_BITMAP; kind++)
        check_strategy((enum loam_region_kind)kind);
    leave(0);
}
