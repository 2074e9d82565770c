/* What the heap finds out when a program has written where it must not, or freed what it must not: each in a child, in both
 * modes, with the line it must say. None may pass, hang, or end in any other way. */
#include "api/names.h"
#include "arena/arena.h"
#include "cache/inside.h"
#include "loam/loam.h"
#include "unit.h"

enum { SIZE = 48, MANY = 64 };
static char *blocks[MANY];
static char zero_array[64], set_array[64] = {1};

static void begin(void)
{
    alarm(20);
    for (int i = 0; i < MANY; i++)
        blocks[i] = memset(API(malloc)(SIZE), 'x', SIZE);
}

static void flush(void)
{
    cache_drain();
    loam_trim();
}

/* ---- links of free blocks, overwritten ---- */

static void link_to_stack(void *arg)
{
    begin();
    API(free)(blocks[1]);
    API(free)(blocks[2]);
    *(void **)(void *)blocks[2] = arg; /* used after free */
    flush();
}

static void link_to_interior(void *arg)
{
    (void)arg;
    begin();
    API(free)(blocks[1]);
    API(free)(blocks[2]);
    *(void **)(void *)blocks[2] = blocks[5] + 16;
    flush();
}

static void link_to_hole(void *arg)
{
    (void)arg;
    begin();
    char *big = API(malloc)(4096);
    char *keep = API(malloc)(4096);
    API(free)(big);
    flush(); /* big is a hole now */
    API(free)(blocks[2]);
    *(void **)(void *)blocks[2] = big;
    *(void **)(void *)keep = NULL;
    flush();
}

static void link_misaligned(void *arg)
{
    (void)arg;
    begin();
    API(free)(blocks[2]);
    *(void **)(void *)blocks[2] = blocks[5] + 8;
    flush();
}

/* As far from its block as a neighbour of its size would be, in the middle of another one. Blocks side by side are given back by one
 * mask: it must see what is none. */
static void link_to_half(void *arg)
{
    enum { SMALL = 3, LARGE = 6 }; /* classes: 48 and 96 bytes */
    bool above = arg;
    struct block *large, *small, *half;
    uint32_t arena = 0;
    begin();
    do { /* until they stand side by side */
        struct block *first = arena_take(&arena, above ? SMALL : LARGE, 1, 1).head, *second;
        second = arena_take(&arena, above ? LARGE : SMALL, 1, 1).head;
        large = above ? second : first;
        small = above ? first : second;
    } while ((char *)small - (char *)large != (above ? -48 : 96));
    half = (struct block *)(void *)((char *)large + 48);
    half->next = NULL;
    large->next = half;
    small->next = above ? large : half; /* upwards by way of the large one, which is a block; downwards at once */
    arena_give((struct list){small, 2}, SMALL);
}

/* ---- freed twice ---- */

static void twice_at_once(void *arg)
{
    (void)arg;
    begin();
    API(free)(blocks[3]);
    API(free)(blocks[3]);
}

static void twice_with_another_between(void *arg)
{
    (void)arg;
    begin();
    API(free)(blocks[3]);
    API(free)(blocks[4]);
    API(free)(blocks[3]); /* the list runs in a circle now */
    flush();
}

static void twice_and_counted(void *arg)
{
    static struct loam_stats stats;
    (void)arg;
    begin();
    API(free)(blocks[3]);
    API(free)(blocks[4]);
    API(free)(blocks[3]);
    loam_stats_get(&stats); /* must not walk for ever */
    flush();
}

static void twice_and_checked(void *arg)
{
    (void)arg;
    begin();
    API(free)(blocks[3]);
    API(free)(blocks[4]);
    API(free)(blocks[3]);
    const char *wrong = loam_check();
    EXPECT(wrong != NULL);
    fprintf(stderr, "loam_check: %s\n", wrong);
    abort();
}

static void twice_after_flush(void *arg)
{
    (void)arg;
    begin();
    API(free)(blocks[3]);
    flush();
    API(free)(blocks[3]); /* a hole now; free() does not look, the next flush does */
    flush();
}

static void twice_large(void *arg)
{
    (void)arg;
    begin();
    char *large = API(malloc)(100000);
    API(free)(large);
    API(free)(large);
}

static void twice_direct(void *arg)
{
    (void)arg;
    begin();
    char *direct = API(malloc)(200 << 20);
    EXPECT(direct != NULL);
    API(free)(direct);
    API(free)(direct);
}

/* ---- what is no block ---- */

static void free_interior(void *arg)
{
    (void)arg;
    begin();
    API(free)(blocks[3] + 16);
}

static void free_misaligned(void *arg)
{
    (void)arg;
    begin();
    API(free)(blocks[3] + 4);
}

static void free_interior_large(void *arg)
{
    (void)arg;
    begin();
    API(free)((char *)API(malloc)(300000) + 8192);
}

static void free_interior_direct(void *arg)
{
    (void)arg;
    begin();
    API(free)((char *)API(malloc)(200 << 20) + (100 << 20));
}

static void free_local(void *arg)
{
    char array[64] __attribute__((aligned(16)));
    (void)arg;
    begin();
    API(free)(array + 16);
}

static void free_static(void *arg)
{
    begin();
    API(free)((char *)arg + 16);
}

static void free_unmapped(void *arg)
{
    begin();
    API(free)(arg);
}

static void realloc_interior(void *arg)
{
    (void)arg;
    begin();
    if (API(realloc)(blocks[3] + 16, 100))
        _exit(3);
}

static void usable_interior(void *arg)
{
    (void)arg;
    begin();
    printf("%zu", API(malloc_usable_size)(blocks[3] + 16));
}

static void sized_wrong(void *arg)
{
    (void)arg;
    begin();
    API(free_sized)(blocks[3], 400);
}

static void above_48_bits(void *arg)
{
    (void)arg;
    begin();
    API(free)((void *)((uintptr_t)blocks[3] | UINT64_C(0x1234) << 48));
}

static void all(void *arg)
{
    int on_stack[4];
    (void)arg;
    EXPECT_ABORT(link_to_stack, on_stack, "is already free or no block");
    EXPECT_ABORT(link_to_stack, (void *)0x1230, "is already free or no block");
    EXPECT_ABORT(link_to_stack, (void *)(UINT64_C(0xdeadbeef) << 32), "is already free or no block");
    EXPECT_ABORT(link_to_interior, NULL, "is already free or no block");
    EXPECT_ABORT(link_to_hole, NULL, "is already free or no block");
    EXPECT_ABORT(link_misaligned, NULL, "is already free or no block");
    EXPECT_ABORT(link_to_half, NULL, "is already free or no block");
    EXPECT_ABORT(link_to_half, zero_array, "is already free or no block");
    EXPECT_ABORT(twice_at_once, NULL, "already free");
    EXPECT_ABORT(twice_with_another_between, NULL, "is already free or no block");
    EXPECT_ABORT(twice_and_counted, NULL, "already free");
    EXPECT_ABORT(twice_and_checked, NULL, "loam_check: ");
    EXPECT_ABORT(twice_after_flush, NULL, "already free");
    EXPECT_ABORT(twice_large, NULL, "already free");
    EXPECT_ABORT(twice_direct, NULL, "loam: free(");
    EXPECT_ABORT(free_interior, NULL, "interior pointer, 16 bytes into the block");
    EXPECT_ABORT(free_misaligned, NULL, "misaligned pointer, 4 bytes into the block");
    EXPECT_ABORT(free_interior_large, NULL, "interior pointer, 8192 bytes into the block");
    EXPECT_ABORT(free_interior_direct, NULL, "interior pointer, 104857600 bytes into the block");
    EXPECT_ABORT(free_local, NULL, "on the stack");
    EXPECT_ABORT(free_static, zero_array, "static address in /");
    EXPECT_ABORT(free_static, set_array, "static address in /");
    EXPECT_ABORT(free_static, (void *)(uintptr_t) "a string, longer than sixteen bytes", "static address in /");
    EXPECT_ABORT(free_unmapped, (void *)0x123450, "unmapped address");
    EXPECT_ABORT(above_48_bits, NULL, "loam: free(");
    EXPECT_ABORT(realloc_interior, NULL, "realloc(");
    EXPECT_ABORT(usable_interior, NULL, "malloc_usable_size(");
    EXPECT_ABORT(sized_wrong, NULL, "wrong size, the block has 48 bytes");
}

int main(void)
{
    unit_each_mode(all, NULL);
    return 0;
}
