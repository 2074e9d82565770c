/* The promises of mymalloc and its family, over a break of the test's own (fake_break.h). One case a run: promises CASE. */
#define _GNU_SOURCE
#include "alloc.h"
#include "fake_break.h"
#include <malloc.h>
#include <stdbool.h>
#include <time.h>
#include "../support/check.h"

enum { KIB = 1024, SMALL_BREAK = 128 * KIB };

/* The C library's stdio must not take buffers from the heap under test. */
static void quiet_stdio(void)
{
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
}

static void *must(size_t size)
{
    void *at = mymalloc(size);
    CHECK(at != NULL, "%zu bytes", size);
    CHECK((uintptr_t)at % 8 == 0, "aligned to 8: %p", at);
    return at;
}

/* ---- the break ---- */

static void untouched(void)
{
    /* main calls this first: the loader, the constructors and the C library are through */
    CHECK(fake_calls == 0, "nothing asks for the break before the first allocation: %zu calls", fake_calls);
    CHECK(mymalloc(8) != NULL && fake_ups > 0, "then the memory is from it");
}

static void batches(void)
{
    for (size_t size = 1; size <= 128; size += 127) {
        size_t before = fake_ups;
        for (int i = 0; i < 128; i++)
            must(size);
        CHECK(fake_ups - before < 8, "128 objects of %zu move the break %zu times", size, fake_ups - before);
        printf("128 objects of %zu: the break moved %zu times\n", size, fake_ups - before);
    }
}

/* All that the limit allows can be used: a batch that would pass it must not be the end. */
static void limits(void)
{
    static void *objects[SMALL_BREAK / 8];
    static const size_t sizes[] = {8, 24, 100, 128, 1000, 5000, 30000};
    for (size_t limit = SMALL_BREAK; limit <= SMALL_BREAK + 5000; limit += 1667) {
        fake_limit = limit;
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            size_t first = 0;
            for (int turn = 0; turn < 2; turn++) {
                size_t count = 0;
                while ((objects[count] = mymalloc(sizes[s])) != NULL)
                    memset(objects[count++], 0x77, sizes[s]);
                CHECK(errno == ENOMEM, "errno at the limit: %d", errno);
                CHECK(fake_used() <= limit, "the limit");
                size_t used = count * ((sizes[s] + 7) / 8 * 8);
                CHECK(used + 3 * sizes[s] >= limit * 9 / 10, "%zu of %zu bytes could be used by objects of %zu", used,
                      limit, sizes[s]);
                CHECK(turn == 0 || count >= first * 99 / 100, "as many again after all were freed: %zu, at first %zu",
                      count, first);
                first = count;
                for (size_t i = 0; i < count; i++)
                    myfree(objects[turn ? count - 1 - i : i]);
            }
        }
    }
    void *large = mymalloc(SMALL_BREAK * 9 / 10);
    CHECK(large != NULL, "what was small objects serves one large one");
    CHECK(mymalloc(SMALL_BREAK) == NULL && errno == ENOMEM, "more than there can be: NULL");
    void *small = must(8);
    memset(large, 1, SMALL_BREAK * 9 / 10);
    myfree(small);
    myfree(large);
}

/* The break comes in steps of 128 KiB, each time after it was refused: what is there is used up first, each time, whatever the
 * sizes, and nothing that lives is touched. */
static void steps(void)
{
    static unsigned char *objects[100000];
    static unsigned sizes[100000];
    size_t count = 0, live = 0;
    for (fake_limit = SMALL_BREAK; fake_limit <= 16 * SMALL_BREAK; fake_limit += SMALL_BREAK) {
        for (;;) {
            unsigned size = 1 + check_random(check_random(20) ? 200 : 4000);
            unsigned char *at = mymalloc(size);
            if (at == NULL)
                break;
            memset(at, (int)(size & 255), size);
            objects[count] = at;
            sizes[count++] = size;
            live += size;
        }
        CHECK(errno == ENOMEM && fake_used() <= fake_limit, "refused at the limit");
        CHECK(live >= fake_limit * 85 / 100, "%zu bytes live of the %zu that there are", live, fake_limit);
        for (size_t i = 0; i < count; i++)
            CHECK(objects[i][0] == (sizes[i] & 255) && objects[i][sizes[i] - 1] == (sizes[i] & 255), "object %zu", i);
    }
    while (count > 0)
        myfree(objects[--count]);
    CHECK(fake_used() <= 64 * KIB, "all given back: %zu", fake_used());
}

static void lowering(void)
{
    enum { COUNT = 1024 };
    static char *objects[COUNT];
    for (int i = 0; i < COUNT; i++)
        objects[i] = must(1024);
    size_t top = fake_used();
    for (int i = COUNT - 1; i >= COUNT / 2; i--)
        myfree(objects[i]);
    CHECK(fake_used() <= top - 400 * KIB, "the upper half is free, and gone: from %zu to %zu", top, fake_used());
    for (int i = 0; i < COUNT / 2; i += 2)
        myfree(objects[i]);
    size_t before = fake_used();
    CHECK(before >= 512 * KIB, "what is in use cannot go: %zu", before);
    for (int i = 1; i < COUNT / 2; i += 2)
        myfree(objects[i]);
    CHECK(fake_used() <= 64 * KIB, "all is free, and gone: %zu left", fake_used());
    CHECK(fake_least_down >= 4096, "in steps of at least a page: %zu", fake_least_down);
    char *large = must(1 << 20);
    memset(large, 1, 1 << 20);
    myfree(large);
    CHECK(fake_used() <= 64 * KIB, "a large one too: %zu left", fake_used());
    printf("1024 objects of 1 KiB freed: %zu moves down, at least %zu bytes each\n", fake_downs, fake_least_down);
    size_t moves = fake_ups + fake_downs;
    for (int i = 0; i < 10000; i++)
        myfree(must(100));
    printf("one object taken and freed 10,000 times at the top: %zu moves\n", fake_ups + fake_downs - moves);
}

/* Others move the break as well, by odd amounts: their memory is theirs, ours goes on behind it. */
static void neighbours(void)
{
    enum { COUNT = 3000 };
    static unsigned char *ours[COUNT], *theirs[COUNT];
    fake_at = fake_memory + 13; /* and it may start anywhere */
    for (int i = 0; i < COUNT; i++) {
        ours[i] = must(200);
        memset(ours[i], i & 127, 200);
        if (i % 30 == 0) {
            theirs[i] = sbrk(37);
            CHECK(theirs[i] != (void *)-1, "the test's own break");
            memset(theirs[i], 0xee, 37);
        }
    }
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < 200; k++)
            CHECK(ours[i][k] == (i & 127), "object %d, byte %d", i, k);
    for (int i = 0; i < COUNT; i++)
        myfree(ours[COUNT - 1 - i]);
    for (int i = 0; i < COUNT; i += 30)
        for (int k = 0; k < 37; k++)
            CHECK(theirs[i][k] == 0xee, "memory of somebody else, byte %d", k);
    CHECK(fake_at >= theirs[COUNT - 30] + 37, "and it was not given back with ours");
}

/* ---- the objects ---- */

static void contiguous(void)
{
    fake_limit = SMALL_BREAK;
    char *first = must(8);
    for (int i = 1; i < 500; i++) {
        char *at = must(1 + (size_t)i % 8);
        CHECK(at == first + 8 * i, "object %d is at %+ld", i, (long)(at - first));
    }
}

/* Break growth less live bytes, over 10,000 objects of a fresh heap: of all sizes up to 128 as they are asked for; or of one
 * size (this case is run for each), where the rounding to the 8 bytes of alignment that the interface demands is not counted. */
static void overhead(const char *which)
{
    enum { COUNT = 10000 };
    size_t one = strtoul(which, NULL, 10), live = 0;
    for (int i = 0; i < COUNT; i++) {
        size_t size = one ? one : 1 + check_random(128);
        memset(must(size), 1, size);
        live += one ? (size + 7) / 8 * 8 : size;
    }
    double each = (double)(fake_used() - live) / COUNT;
    printf("10,000 objects of %s bytes: %.2f bytes of overhead each\n", one ? which : "1 to 128", each);
    CHECK(each < 9, "10,000 objects of %s bytes: %.2f bytes of overhead each", one ? which : "1 to 128", each);
}

static void garbage(void)
{
    for (size_t size = 1; size < 3000; size += 7) {
        unsigned char *at = mycalloc(size, 1);
        CHECK(at != NULL, "%zu", size);
        for (size_t i = 0; i < size; i++)
            CHECK(at[i] == 0, "byte %zu of %zu is %d", i, size, at[i]);
        memset(at, 0xff, size);
        if (size % 3)
            myfree(at);
    }
    CHECK(mycalloc(SIZE_MAX / 2, 3) == NULL && errno == ENOMEM, "a product that overflows");
    CHECK(mycalloc(0, 8) != NULL && mycalloc(8, 0) != NULL, "0 as in the C library: a pointer");
}

static void lifo(void)
{
    static const size_t sizes[] = {1, 8, 24, 100, 128, 500, 1000, 1024, 4000, 20000};
    void *keep[sizeof sizes / sizeof *sizes];
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        void *a = must(sizes[s]), *gap = must(8), *b = must(sizes[s]), *gap2 = must(8), *c = must(sizes[s]);
        keep[s] = must(sizes[s]); /* so that none of them is at the top, which goes back to the kernel */
        myfree(b);
        myfree(a);
        myfree(c);
        CHECK(mymalloc(sizes[s]) == c && mymalloc(sizes[s]) == a && mymalloc(sizes[s]) == b,
              "the slot freed last comes first: %zu", sizes[s]);
        (void)gap;
        (void)gap2;
    }
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        myfree(keep[s]);
}

/* Between two live objects: a row of freed ones serves a large one, and that, freed, serves the small ones again. */
static void merging(void)
{
    static char *small[128];
    for (int order = 0; order < 6; order++)
        for (int mixed = 0; mixed < 2; mixed++) {
            char *before = must(64);
            size_t total = 0;
            int count = 0;
            while (total < 1024) {
                size_t size = mixed ? 8 * (1 + check_random(12)) : 8;
                size = size > 1024 - total ? 1024 - total : size;
                small[count] = must(size);
                CHECK(count == 0 || small[count] == small[0] + total, "in a row");
                total += size;
                count++;
            }
            char *behind = must(64);
            CHECK(behind == small[0] + 1024, "closed in by live ones");
            for (int i = 0; i < count; i++) {
                int which = order == 0   ? i
                            : order == 1 ? count - 1 - i
                            : order == 2 ? (i * 2 < count ? i * 2 : (i - (count + 1) / 2) * 2 + 1)
                                         : -1;
                if (which < 0) {
                    which = i + (int)check_random((uint32_t)(count - i));
                    char *at = small[which];
                    small[which] = small[i];
                    small[i] = at;
                    which = i;
                }
                myfree(small[which]);
            }
            size_t used = fake_used();
            char *low = behind - 1024;
            char *large = must(1024);
            CHECK(large == low, "%d freed neighbours hold 1024 bytes again (order %d): %p, not %p", count, order,
                  (void *)large, (void *)low);
            CHECK(fake_used() == used, "the break stays");
            memset(large, 3, 1024);
            myfree(large);
            for (int i = 0; i < 128; i++) {
                small[i] = must(8);
                CHECK(small[i] >= low && small[i] < low + 1024,
                      "a freed block serves smaller ones: object %d is at %+ld", i, (long)(small[i] - low));
            }
            (void)before; /* the neighbours stay */
        }
}

static void resizing(void)
{
    for (size_t size = 1; size < 5000; size += 1 + size / 9) {
        unsigned char *at = must(size);
        memset(at, 0x5a, size);
        CHECK(myrealloc(at, size) == at, "the same size keeps the pointer: %zu", size);
        for (size_t less = size; less > 0; less -= 1 + less / 5)
            CHECK(myrealloc(at, less) == at, "a smaller size keeps the pointer: %zu to %zu", size, less);
        CHECK(*at == 0x5a, "and the contents");
        unsigned char *more = myrealloc(at, size * 3);
        CHECK(more != NULL && *more == 0x5a, "grown");
        memset(more, 1, size * 3);
        if (size % 2)
            myfree(more);
    }
    char *a = must(100);
    memcpy(a, "contents", 9);
    void *wall = must(8);
    char *b = myrealloc(a, 5000);
    CHECK(b != a && strcmp(b, "contents") == 0, "moved with its contents");
    CHECK(mymalloc(100) == (void *)a, "and the old place is free");
    CHECK(myrealloc(b, 0) == NULL, "realloc to 0 frees, as in the C library");
    void *zero = myrealloc(NULL, 0), *other = mymalloc(0);
    CHECK(zero != NULL && other != NULL && zero != other, "0 bytes are an object of their own");
    myfree(zero);
    myfree(other);
    myfree(wall);
    myfree(NULL);
    CHECK(mymalloc(SIZE_MAX) == NULL && errno == ENOMEM, "too much");
    CHECK(mymalloc((size_t)PTRDIFF_MAX) == NULL && mymalloc((size_t)PTRDIFF_MAX + 1) == NULL, "too much");
    errno = 77;
    myfree(a);
    CHECK(errno == 77, "free keeps errno");
}

static void alignment(void)
{
    for (size_t size = 0; size < 2000; size++) {
        void *volatile a = malloc(size);
        void *volatile b = calloc(1, size);
        void *volatile c = realloc(malloc(8), size + 1);
        void *volatile d = mymalloc(size);
        size_t to = size >= 16 ? 16 : 8;
        CHECK((uintptr_t)a % to == 0 && (uintptr_t)b % to == 0, "malloc(%zu): %p, calloc: %p", size, a, b);
        CHECK((uintptr_t)c % (size + 1 >= 16 ? 16 : 8) == 0, "realloc to %zu: %p", size + 1, c);
        CHECK((uintptr_t)d % 8 == 0, "mymalloc(%zu): %p", size, d);
        CHECK(malloc_usable_size(a) >= size && malloc_usable_size(d) >= size, "usable");
        void *volatile e = realloc(d, size + 40); /* one family's pointer in the other's hands */
        CHECK((uintptr_t)e % 16 == 0, "realloc of mymalloc's: %p", e);
        myfree(a);
        free(b);
        myfree(c);
        free(e);
    }
    for (size_t to = 8; to <= 65536; to *= 2) {
        void *at = NULL;
        CHECK(posix_memalign(&at, to, 100) == 0 && (uintptr_t)at % to == 0, "posix_memalign to %zu: %p", to, at);
        void *other = memalign(to, 10);
        CHECK(other != NULL && (uintptr_t)other % to == 0, "memalign to %zu: %p", to, other);
        memset(at, 1, 100);
        free(at);
        free(other);
    }
    void *at;
    CHECK(posix_memalign(&at, 24, 8) == EINVAL && posix_memalign(&at, 4, 8) == EINVAL, "no alignment");
}

/* ---- many ---- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Fills, frees two of three in a scattered order, fills again: nanoseconds an operation. */
static double many_of(void **objects, size_t count)
{
    double begin = seconds();
    for (size_t i = 0; i < count; i++)
        objects[i] = must(8);
    for (size_t i = 0, at = 0; i < count; i++, at = (at + 1000003) % count)
        if (at % 3) {
            myfree(objects[at]);
            objects[at] = NULL;
        }
    size_t freed = 0;
    for (size_t i = 0; i < count; i++)
        if (objects[i] == NULL) {
            objects[i] = must(8);
            freed++;
        }
    for (size_t i = 0; i < count; i++)
        *(size_t *)objects[i] = i;
    for (size_t i = 0; i < count; i++)
        CHECK(*(size_t *)objects[i] == i, "object %zu of %zu", i, count);
    for (size_t i = 0, at = 0; i < count; i++, at = (at + 1000003) % count)
        myfree(objects[at]);
    return (seconds() - begin) / (double)(2 * (count + freed)) * 1e9;
}

static void four_million(void)
{
    static void *objects[4000000];
    fake_limit = (size_t)256 << 20;
    double few = many_of(objects, 4000), all = many_of(objects, 4000000);
    printf("8-byte objects, scattered frees: %.0f ns an operation with 4,000 alive, %.0f with 4,000,000 (%.1f times)\n",
           few, all, all / few);
    printf("the break's peak: %.1f MiB for 30.5 MiB of objects\n", (double)fake_peak / (1 << 20));
    CHECK(fake_used() <= 64 * KIB, "all given back: %zu", fake_used());
}

/* Random calls against what the test itself remembers. */
static void random_calls(void)
{
    enum { SLOTS = 3000, CALLS = 600000 };
    static struct {
        unsigned char *at;
        size_t size;
        unsigned char seed;
    } slots[SLOTS];
    for (int n = 0; n < CALLS; n++) {
        size_t i = check_random(n / 100000 % 2 ? SLOTS : 200);
        uint32_t kind = check_random(100);
        size_t size = check_random(10) ? check_random(300) : check_random(20000);
        unsigned char *at = slots[i].at;
        if (n % 50000 == 0)
            fake_limit = fake_used() + check_random(1 << 20); /* from here on the break may refuse */
        for (size_t k = 0; k < slots[i].size; k++)
            CHECK(at[k] == (unsigned char)(slots[i].seed + k), "call %d: byte %zu of %zu at %p", n, k, slots[i].size,
                  (void *)at);
        if (at == NULL) {
            at = kind < 50 ? mymalloc(size) : kind < 70 ? malloc(size) : mycalloc(1, size);
        } else if (kind < 30) {
            unsigned char *moved = myrealloc(at, size + 1);
            if (moved == NULL)
                continue;
            size_t kept = size + 1 < slots[i].size ? size + 1 : slots[i].size;
            for (size_t k = 0; k < kept; k++)
                CHECK(moved[k] == (unsigned char)(slots[i].seed + k), "call %d: byte %zu after realloc", n, k);
            at = moved;
            size++;
        } else {
            myfree(at);
            at = NULL;
        }
        slots[i].at = at;
        slots[i].size = at ? size : 0;
        slots[i].seed = (unsigned char)check_random(256);
        for (size_t k = 0; k < slots[i].size; k++)
            at[k] = (unsigned char)(slots[i].seed + k);
    }
    for (int i = 0; i < SLOTS; i++)
        myfree(slots[i].at);
    CHECK(fake_used() <= 64 * KIB, "all given back: %zu", fake_used());
}

/* ---- mistakes: each must end the program, in words; the script looks at them ---- */

static void mistake(const char *name)
{
    char *a = must(64), *b = must(64);
    if (strcmp(name, "double") == 0) {
        myfree(a);
        myfree(a);
    } else if (strcmp(name, "interior") == 0) {
        myfree(b + 8);
    } else if (strcmp(name, "misaligned") == 0) {
        myfree(b + 1);
    } else if (strcmp(name, "foreign") == 0) {
        myfree(&name);
    } else {
        CHECK(0, "no such mistake: %s", name);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {{"untouched", untouched},       {"batches", batches},    {"limits", limits},
                 {"lowering", lowering},         {"steps", steps},        {"neighbours", neighbours},
                 {"contiguous", contiguous},     {"garbage", garbage},    {"lifo", lifo},
                 {"merging", merging},           {"resizing", resizing},  {"alignment", alignment},
                 {"four_million", four_million}, {"random", random_calls}};
    if (argc > 1 && strcmp(argv[1], "untouched") == 0)
        untouched();
    quiet_stdio();
    const char *name = argc > 1 ? argv[1] : "";
    if (argc > 2 && strcmp(name, "mistake") == 0) {
        mistake(argv[2]);
        return 0;
    }
    check_seed(3);
    if (argc > 2 && strcmp(name, "overhead") == 0) {
        overhead(argv[2]);
        return 0;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, name) == 0) {
            if (cases[i].run != untouched)
                cases[i].run();
            return 0;
        }
    CHECK(0, "no such case: %s", name);
    return 1;
}
