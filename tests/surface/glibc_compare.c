// Promise: errno, alignment, NULL rules and limits of every C entry are the C library's, call by call.
// TEST: cflags=-fno-builtin
//
// The program writes a transcript of calls and of what a caller can see of their results (never an
// address or an exact usable size, which are an allocator's own business). It runs itself twice:
// without LD_PRELOAD, on the C library's own malloc, and as it was started, on Loam. The two must
// agree line by line: the expected values are measured at run time, not remembered.
// Easy to get wrong: a line must not depend on how much memory the machine has left, so each block
// is freed before the next is asked for.
#define OUTPUT_LIMIT (1 << 20) // all of a transcript
#include "support/child.h"
#include <malloc.h>

enum { ERRNO_SENTINEL = 4095 };

extern void cfree(void *) __attribute__((weak));

static const size_t ordinary_sizes[] = {0,    1,    7,     8,     15,      16,        17,
                                        24,   25,   31,    32,    33,      63,        64,
                                        100,  255,  256,   1000,  1023,    1024,      1025,
                                        4095, 4096, 4097,  8192,  32767,   32768,     65535,
                                        65536, 65537, 131072, 262144, 1 << 20, (1 << 22) + 1, 40 << 20};
static const size_t absurd_sizes[] = {(size_t)1 << 47,       ((size_t)1 << 62),
                                      (size_t)PTRDIFF_MAX - (1 << 20),
                                      (size_t)PTRDIFF_MAX - 4096, (size_t)PTRDIFF_MAX - 63,
                                      (size_t)PTRDIFF_MAX - 16, (size_t)PTRDIFF_MAX - 1,
                                      (size_t)PTRDIFF_MAX,   (size_t)PTRDIFF_MAX + 1,
                                      (size_t)PTRDIFF_MAX + 2, (size_t)PTRDIFF_MAX + 4096,
                                      SIZE_MAX - (1 << 21),  SIZE_MAX - 8192,
                                      SIZE_MAX - 4096,       SIZE_MAX - 4095,
                                      SIZE_MAX - 64,         SIZE_MAX - 16,
                                      SIZE_MAX - 15,         SIZE_MAX - 8,
                                      SIZE_MAX - 7,          SIZE_MAX - 1,
                                      SIZE_MAX};
static const size_t alignments[] = {0,    1,        2,         3,         4,        5,          7,
                                    8,    12,       15,        16,        17,       24,         31,
                                    32,   33,       48,        64,        100,      128,        256,
                                    1000, 1024,     2048,      4095,      4096,     4097,       8192,
                                    65536, 100000,  1 << 20,   1 << 21,   (1 << 22) + 1, 1 << 25};
static const size_t absurd_alignments[] = {(size_t)1 << 47, (size_t)1 << 62, ((size_t)1 << 62) + 1,
                                           (size_t)1 << 63, ((size_t)1 << 63) + 1,
                                           SIZE_MAX - 1, SIZE_MAX};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static size_t page_size;

// The next power of two, as the C library rounds an alignment that is none.
static size_t power_over(size_t alignment) {
    size_t power = 16;
    while (power < alignment && power << 1 != 0) power <<= 1;
    return power;
}

static const char *errno_name(int error) {
    if (error == ERRNO_SENTINEL) return "kept";
    return error == ENOMEM ? "ENOMEM" : error == EINVAL ? "EINVAL" : "another";
}

// One line: null or not; aligned as asked (16 at least); enough usable and writable; errno.
static void record(const char *call, size_t a, size_t b, void *p, size_t alignment, size_t size) {
    int error = errno;
    if (!p) {
        printf("%s(%zu, %zu): NULL, errno %s\n", call, a, b, errno_name(error));
        return;
    }
    size_t usable = malloc_usable_size(p);
    bool aligned = (uintptr_t)p % 16 == 0 && (uintptr_t)p % power_over(alignment) == 0;
    if (usable >= size && size > 0) {
        ((volatile char *)p)[0] = 1;
        ((volatile char *)p)[size - 1] = 1;
        ((volatile char *)p)[usable - 1] = 1;
    }
    printf("%s(%zu, %zu): block, %s, %s, errno %s\n", call, a, b,
           aligned ? "aligned" : "MISALIGNED", usable >= size ? "large enough" : "TOO SMALL",
           errno_name(error));
}

static void record_free(const char *call, size_t a, void *p) {
    errno = ERRNO_SENTINEL;
    free(p);
    printf("%s(%zu): free, errno %s\n", call, a, errno_name(errno));
}

static void plain_calls(size_t size) {
    errno = ERRNO_SENTINEL;
    void *p = malloc(size);
    record("malloc", size, 0, p, 1, size);
    record_free("malloc", size, p);

    errno = ERRNO_SENTINEL;
    p = calloc(1, size);
    record("calloc 1", 1, size, p, 1, size);
    printf("zero: %d\n", !p || zero_check(p, size) == size);
    record_free("calloc", size, p);
    errno = ERRNO_SENTINEL;
    p = calloc(size, 1);
    record("calloc n", size, 1, p, 1, size);
    free(p);

    errno = ERRNO_SENTINEL;
    p = realloc(NULL, size);
    record("realloc NULL", size, 0, p, 1, size);
    free(p);
    errno = ERRNO_SENTINEL;
    p = reallocarray(NULL, 1, size);
    record("reallocarray NULL", 1, size, p, 1, size);
    free(p);
    errno = ERRNO_SENTINEL;
    p = valloc(size);
    record("valloc", size, 0, p, page_size, size);
    free(p);
    errno = ERRNO_SENTINEL;
    p = pvalloc(size);
    size_t rounded = size + page_size - 1 < size ? 0 : (size + page_size - 1) / page_size * page_size;
    record("pvalloc", size, 0, p, page_size, rounded);
    free(p);
}

static void realloc_calls(size_t size) {
    static const size_t first_sizes[] = {1, 100, 5000, 200000};
    for (size_t i = 0; i < COUNT(first_sizes); i++) {
        size_t first = first_sizes[i];
        unsigned char *p = malloc(first);
        pattern_fill(p, first, first);
        errno = ERRNO_SENTINEL;
        void *q = realloc(p, size);
        record("realloc", first, size, q, 1, size);
        // realloc to 0 has freed the block; any other NULL has left it as it was.
        if (!q && size == 0) continue;
        size_t kept = q && size < first ? size : first;
        printf("contents: %d\n", pattern_check(q ? q : p, first, kept, first) == kept);
        free(q ? q : p);
    }
}

static void product_calls(size_t members, size_t size) {
    bool overflows = size != 0 && members > SIZE_MAX / size;
    size_t total = overflows ? 0 : members * size;
    errno = ERRNO_SENTINEL;
    void *p = calloc(members, size);
    record("calloc", members, size, p, 1, total);
    printf("zero: %d\n", !p || zero_check(p, total) == total);
    free(p);
    errno = ERRNO_SENTINEL;
    p = reallocarray(NULL, members, size);
    record("reallocarray", members, size, p, 1, total);
    free(p);
    unsigned char *old = malloc(300);
    pattern_fill(old, 300, 5);
    errno = ERRNO_SENTINEL;
    p = reallocarray(old, members, size);
    record("reallocarray of a block", members, size, p, 1, total);
    if (!p && !overflows && total == 0) return; // freed
    size_t kept = p && total < 300 ? total : 300;
    printf("contents: %d\n", pattern_check(p ? p : old, 300, kept, 5) == kept);
    free(p ? p : old);
}

static void aligned_calls(size_t alignment, size_t size) {
    errno = ERRNO_SENTINEL;
    void *p = aligned_alloc(alignment, size);
    record("aligned_alloc", alignment, size, p, alignment, size);
    free(p);
    errno = ERRNO_SENTINEL;
    p = memalign(alignment, size);
    record("memalign", alignment, size, p, alignment, size);
    record_free("memalign", alignment, p);

    void *const untouched = &page_size;
    p = untouched;
    errno = ERRNO_SENTINEL;
    int result = posix_memalign(&p, alignment, size);
    printf("posix_memalign(%zu, %zu) = %d, errno %s, pointer %s\n", alignment, size, result,
           errno_name(errno), p == untouched ? "untouched" : "set");
    if (result != 0) return;
    errno = ERRNO_SENTINEL;
    record("posix_memalign", alignment, size, p, alignment, size);
    free(p);
}

// realloc of an aligned block keeps its contents (the alignment need not survive).
static void aligned_then_realloc(size_t alignment, size_t first, size_t second) {
    void *p = memalign(alignment, first);
    pattern_fill(p, first, alignment);
    errno = ERRNO_SENTINEL;
    void *q = realloc(p, second);
    record("realloc of aligned", first, second, q, 1, second);
    size_t kept = first < second ? first : second;
    printf("contents: %d\n", q && pattern_check(q, first, kept, alignment) == kept);
    free(q);
}

static void null_rules(void) {
    errno = ERRNO_SENTINEL;
    free(NULL);
    printf("free(NULL): errno %s\n", errno_name(errno));
    errno = ERRNO_SENTINEL;
    size_t usable = malloc_usable_size(NULL);
    printf("malloc_usable_size(NULL) = %zu, errno %s\n", usable, errno_name(errno));
    errno = ERRNO_SENTINEL;
    void *p = realloc(NULL, 0);
    record("realloc(NULL, 0)", 0, 0, p, 1, 0);
    errno = ERRNO_SENTINEL;
    p = realloc(p, 0);
    record("realloc(p, 0) of 0", 0, 0, p, 1, 0);
    errno = ERRNO_SENTINEL;
    p = reallocarray(NULL, 0, 0);
    record("reallocarray(NULL, 0, 0)", 0, 0, p, 1, 0);
    free(p);
    void *a = malloc(0), *b = malloc(0);
    printf("two empty blocks are %s\n", a == b ? "the same" : "different");
    free(a);
    free(b);
    errno = ERRNO_SENTINEL;
    printf("malloc_info(1) = %d, errno %s\n", malloc_info(1, stdout), errno_name(errno));
    if (cfree) {
        errno = ERRNO_SENTINEL;
        cfree(NULL);
        cfree(malloc(10));
        cfree(malloc(3 << 20));
    }
}

static void free_keeps_errno(void) {
    enum { BLOCKS = 4000 };
    static void *blocks[BLOCKS];
    struct dice dice = {99};
    bool kept = true;
    for (int round = 0; round < 4; round++) {
        errno = ERRNO_SENTINEL;
        for (size_t i = 0; i < BLOCKS; i++) blocks[i] = malloc(dice_size(&dice));
        kept &= errno == ERRNO_SENTINEL;
        for (size_t i = 0; i < BLOCKS; i++) free(blocks[i]);
        kept &= errno == ERRNO_SENTINEL;
    }
    printf("malloc and free of thousands: errno %s\n", kept ? "kept" : "changed");
}

// mallopt's answers: each parameter there is, sensible and senseless values, unknown parameters.
static void mallopt_calls(void) {
    static const int parameters[] = {M_MXFAST, M_NLBLKS, M_GRAIN, M_KEEP, M_TRIM_THRESHOLD,
                                     M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_CHECK_ACTION,
                                     M_PERTURB, M_ARENA_TEST, M_ARENA_MAX, 0, 77, -77};
    static const int values[] = {0, 1, 64, 128, 160, 161, 1 << 20, 32 << 20, (32 << 20) + 1, -1};
    for (size_t i = 0; i < COUNT(parameters); i++)
        for (size_t j = 0; j < COUNT(values); j++) {
            errno = ERRNO_SENTINEL;
            int result = mallopt(parameters[i], values[j]);
            printf("mallopt(%d, %d) = %d, errno %s\n", parameters[i], values[j], result,
                   errno_name(errno));
        }
    mallopt(M_MMAP_MAX, 65536);
    mallopt(M_PERTURB, 0);
    void *p = malloc(5000);
    record("malloc after mallopt", 5000, 0, p, 1, 5000);
    free(p);
}

static void transcript_write(void) {
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    null_rules();
    for (size_t i = 0; i < COUNT(ordinary_sizes); i++) {
        plain_calls(ordinary_sizes[i]);
        realloc_calls(ordinary_sizes[i]);
        product_calls(ordinary_sizes[i], 0);
        product_calls(3, ordinary_sizes[i]);
    }
    for (size_t i = 0; i < COUNT(absurd_sizes); i++) {
        plain_calls(absurd_sizes[i]);
        realloc_calls(absurd_sizes[i]);
        product_calls(absurd_sizes[i], 0);
        product_calls(2, absurd_sizes[i]);
        product_calls(absurd_sizes[i], 3);
        product_calls(absurd_sizes[i], absurd_sizes[i]);
    }
    product_calls((size_t)1 << 32, (size_t)1 << 32);
    product_calls((size_t)1 << 33, (size_t)1 << 31);
    product_calls(SIZE_MAX / 16 + 1, 16);
    for (size_t i = 0; i < COUNT(alignments); i++) {
        for (size_t j = 0; j < COUNT(ordinary_sizes); j++)
            aligned_calls(alignments[i], ordinary_sizes[j]);
        for (size_t j = 0; j < COUNT(absurd_sizes); j++)
            aligned_calls(alignments[i], absurd_sizes[j]);
        aligned_then_realloc(alignments[i], 100, 5000);
        aligned_then_realloc(alignments[i], 70000, 90);
        aligned_then_realloc(alignments[i], 300000, 3000000);
    }
    for (size_t i = 0; i < COUNT(absurd_alignments); i++) {
        aligned_calls(absurd_alignments[i], 0);
        aligned_calls(absurd_alignments[i], 1);
        aligned_calls(absurd_alignments[i], 4096);
        aligned_calls(absurd_alignments[i], (size_t)PTRDIFF_MAX);
        aligned_calls(absurd_alignments[i], SIZE_MAX);
    }
    free_keeps_errno();
    mallopt_calls();
    fflush(stdout);
}

static struct child theirs;
static struct child ours;

static int transcripts_compare(void) {
    char *a = theirs.output, *b = ours.output;
    size_t lines = 0, differences = 0;
    while (*a || *b) {
        size_t m = strcspn(a, "\n"), n = strcspn(b, "\n");
        if (m != n || memcmp(a, b, m) != 0) {
            if (++differences <= 20)
                printf("line %zu\n  C library: %.*s\n  here:      %.*s\n", lines + 1, (int)m, a,
                       (int)n, b);
        }
        lines++;
        a += m + (a[m] == '\n');
        b += n + (b[n] == '\n');
    }
    printf("%zu calls compared, %zu differ\n", lines, differences);
    fflush(stdout);
    CHECK(lines > 1000, "only %zu lines", lines);
    return differences != 0;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--transcript") == 0) {
        setvbuf(stdout, NULL, _IOLBF, 0); // so that a crash shows the last call
        transcript_write();
        return 0;
    }
    test_begin(120);
    child_exec(&theirs, "--transcript", environment_without_preload(NULL));
    child_exec(&ours, "--transcript", environ);
    CHECK(child_exited(&theirs, 0), "the C library's run ended with %#x", theirs.status);
    CHECK(child_exited(&ours, 0), "this allocator's run ended with %#x after: %s", ours.status,
          ours.length > 200 ? ours.output + ours.length - 200 : ours.output);
    CHECK(theirs.length < OUTPUT_LIMIT - 1, "the transcript does not fit");
    return transcripts_compare();
}
