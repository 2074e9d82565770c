/* osmem step by step, each step worked out by hand from the specification. Marks each step by a write to descriptor -1, so
 * that the system calls between two marks can be read from a trace (osmem_calls.sh holds what they must be). */
#define _GNU_SOURCE
#include "osmem.h"
#include "block_meta.h"
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "../support/check.h"

static void step(const char *text)
{
    if (write(-1, text, strlen(text)) >= 0)
        CHECK(0, "descriptor -1 took a write");
}

static struct block_meta *meta(void *at)
{
    return (struct block_meta *)at - 1;
}

static void is_block(void *at, size_t size, int status)
{
    CHECK(at != NULL, "a block of %zu", size);
    CHECK(meta(at)->size == size, "size %zu, not %zu", meta(at)->size, size);
    CHECK(meta(at)->status == status, "status %d, not %d", meta(at)->status, status);
    CHECK((uintptr_t)at % 8 == 0, "aligned: %p", at);
}

static void fill(void *at, int with, size_t size)
{
    memset(at, with, size);
}

static void is_filled(const void *at, int with, size_t size)
{
    for (size_t i = 0; i < size; i++)
        CHECK(((const unsigned char *)at)[i] == with, "byte %zu is %d, not %d", i, ((const unsigned char *)at)[i],
              with);
}

static void nothing(void)
{
    step("nothing");
    CHECK(os_malloc(0) == NULL && os_calloc(0, 8) == NULL && os_calloc(8, 0) == NULL, "0 is NULL");
    CHECK(os_realloc(NULL, 0) == NULL, "os_realloc(NULL, 0) is os_malloc(0)");
    os_free(NULL);
    CHECK(os_malloc(SIZE_MAX) == NULL && os_malloc(SIZE_MAX - 30) == NULL && os_malloc((size_t)PTRDIFF_MAX + 1) == NULL,
          "too much");
    CHECK(os_calloc(SIZE_MAX / 2, 3) == NULL && os_calloc(3, SIZE_MAX / 2) == NULL, "a product that overflows");
}

static void thresholds(char **heap)
{
    step("mapped before the heap");
    void *large = os_malloc(131040);
    is_block(large, 131040, STATUS_MAPPED);
    fill(large, 1, 131040);
    void *array = os_calloc(1, 4080);
    is_block(array, 4080, STATUS_MAPPED);
    is_filled(array, 0, 4080);
    step("first heap use");
    char *a = *heap = os_malloc(1000);
    is_block(a, 1000, STATUS_ALLOC);
    CHECK(meta(a)->prev == NULL && meta(a)->next == (struct block_meta *)(void *)(a + 1000), "the rest lies behind it");
    is_block(a + 1032, 128 * 1024 - 32 - 1000 - 32, STATUS_FREE);
    step("unmap");
    os_free(large);
    os_free(array);
    step("not rounded to pages");
    void *odd = os_malloc(200001);
    is_block(odd, 200008, STATUS_MAPPED);
    os_free(odd);
    step("os_calloc up to a page");
    void *below = os_calloc(4056, 1);
    is_block(below, 4056, STATUS_ALLOC);
    void *at = os_calloc(1, 4057); /* 4064 + 32 */
    is_block(at, 4064, STATUS_MAPPED);
    os_free(at);
    os_free(below);
    os_free(a);
}

static void splitting(char *heap)
{
    step("the whole heap");
    char *all = os_malloc(131032); /* leaves 8: not enough for a block */
    CHECK(all == heap, "the first block again: all was merged");
    is_block(all, 131040, STATUS_ALLOC);
    CHECK(meta(all)->next == NULL, "no other block");
    step("one more");
    char *next = os_malloc(5);
    CHECK(next == all + 131040 + 32, "behind it");
    is_block(next, 8, STATUS_ALLOC);
    step("grow by the shortfall");
    os_free(next);
    char *longer = os_malloc(100);
    CHECK(longer == next, "the last free block has grown");
    is_block(longer, 104, STATUS_ALLOC);
    os_free(all);
    fill(longer, 2, 104);
    step("forty bytes over");
    char *fits = os_malloc(131000); /* 131040 - 131000 = 40 = header + 8 */
    CHECK(fits == heap, "from the free block");
    is_block(fits, 131000, STATUS_ALLOC);
    is_block(fits + 131032, 8, STATUS_FREE);
    os_free(fits);
    char *whole = os_malloc(131001); /* 131008: 32 over */
    is_block(whole, 131040, STATUS_ALLOC);
    os_free(whole);
    is_filled(longer, 2, 104);
    os_free(longer);
}

static void best_fit(char *heap)
{
    step("best fit");
    char *at[9];
    static const size_t sizes[9] = {500, 16, 200, 16, 304, 16, 200, 16, 1000};
    for (int i = 0; i < 9; i++) {
        at[i] = os_malloc(sizes[i]);
        fill(at[i], 10 + i, sizes[i]);
    }
    CHECK(at[0] == heap, "from the start of the heap");
    for (int i = 0; i < 9; i += 2)
        os_free(at[i]);
    for (int i = 0; i < 9; i++)
        is_filled(at[i], 10 + i, sizes[i]); /* freed or not */
    CHECK(os_malloc(200) == (void *)at[2], "the lower one of two that fit exactly");
    CHECK(os_malloc(193) == (void *)at[6], "the other");
    CHECK(os_malloc(240) == (void *)at[4], "the smallest that is enough");
    is_block(at[4], 240, STATUS_ALLOC);
    is_block(at[4] + 272, 32, STATUS_FREE);
    CHECK(os_malloc(480) == (void *)at[0], "the next larger one");
    is_block(at[0], 504, STATUS_ALLOC);
    for (int i = 0; i < 8; i++)
        os_free(at[i]);
    os_free(at[0]); /* twice: it is free already */
    for (int i = 0; i < 4; i++)
        is_block(at[2 * i + 1], 16, STATUS_FREE);
    is_block(at[0], 504, STATUS_FREE); /* freeing does not merge */
    CHECK(os_malloc(600) == (void *)at[0], "the search has merged them first");
}

static void realloc_on_heap(char *heap)
{
    os_free(heap);
    step("realloc in place");
    char *a = os_malloc(400), *b = os_malloc(400), *c = os_malloc(400), *d = os_malloc(400);
    CHECK(a == heap && d == a + 3 * 432, "four in a row");
    fill(a, 1, 400);
    CHECK(os_realloc(a, 100) == (void *)a, "shrinks in place");
    is_block(a, 104, STATUS_ALLOC);
    is_block(a + 136, 264, STATUS_FREE);
    is_filled(a, 1, 100);
    CHECK(os_realloc(a, 100) == (void *)a && os_realloc(a, 104) == (void *)a, "as long as before");
    is_block(a, 104, STATUS_ALLOC);
    os_free(b);
    os_free(c);
    CHECK(os_realloc(a, 300) == (void *)a, "grows into the first free block");
    is_block(a, 304, STATUS_ALLOC);
    is_block(a + 336, 64, STATUS_FREE); /* of the first one; the others have not been touched */
    CHECK(meta(a + 336)->next == meta(b), "one at a time, and no more than are needed");
    is_block(b, 400, STATUS_FREE);
    is_filled(a, 1, 100);
    fill(a, 3, 300);
    step("realloc moves");
    fill(d, 4, 400);
    char *moved = os_realloc(a, 2000);
    CHECK(moved != a, "three free blocks are not enough");
    is_block(a, 3 * 432 - 32, STATUS_FREE); /* merged all the same */
    is_filled(moved, 3, 300);
    is_filled(a, 3, 300);
    is_filled(d, 4, 400);
    CHECK(os_realloc(a, 10) == NULL, "a free block gives NULL");
    CHECK(meta(a)->status == STATUS_FREE, "and stays free");
    step("realloc to nothing, from nothing");
    CHECK(os_realloc(moved, 0) == NULL, "0 frees");
    CHECK(meta(moved)->status == STATUS_FREE, "freed");
    char *fresh = os_realloc(NULL, 50);
    is_block(fresh, 56, STATUS_ALLOC);
    os_free(fresh);
    os_free(d);
}

static void realloc_at_the_end(char *heap)
{
    step("the last block grows");
    char *most = os_malloc(120000), *a = os_malloc(12000);
    CHECK(most == heap && a == most + 120032, "two; for the second the last free block has grown");
    fill(a, 5, 12000);
    CHECK(meta(a)->next == NULL, "the last one");
    CHECK(os_realloc(a, 12800) == (void *)a, "by the break");
    is_block(a, 12800, STATUS_ALLOC);
    is_filled(a, 5, 12000);
    step("with a free one behind it");
    CHECK(os_realloc(a, 12000) == (void *)a && meta(a)->next != NULL, "shrunk");
    CHECK(os_realloc(a, 16000) == (void *)a, "takes the free one in, then grows");
    is_block(a, 16000, STATUS_ALLOC);
    CHECK(meta(a)->next == NULL, "the last one");
    step("to a mapping");
    char *mapped = os_realloc(a, 140000);
    is_block(mapped, 140000, STATUS_MAPPED);
    is_filled(mapped, 5, 12000);
    CHECK(meta(a)->status == STATUS_FREE, "the old one is free");
    is_filled(a, 5, 12000);
    fill(mapped, 6, 140000);
    step("mapped to mapped");
    char *again = os_realloc(mapped, 140000);
    is_block(again, 140000, STATUS_MAPPED);
    CHECK(again != mapped, "mapped blocks always move");
    is_filled(again, 6, 140000);
    step("mapped to heap");
    char *small = os_realloc(again, 1000);
    is_block(small, 1000, STATUS_ALLOC);
    is_filled(small, 6, 1000);
    os_free(small);
    os_free(most);
}

/* No break and no mapping to be had: NULL, and all is as it was. The failing calls are not part of the trace's list. */
static void no_memory(void)
{
    step("no memory");
    char *a = os_malloc(1000);
    fill(a, 7, 1000);
    struct rlimit none = {0, RLIM_INFINITY}, before;
    CHECK(getrlimit(RLIMIT_AS, &before) == 0 && setrlimit(RLIMIT_AS, &none) == 0, "no address space from now on");
    errno = 0;
    CHECK(os_malloc(1 << 20) == NULL && errno == ENOMEM, "no mapping");
    CHECK(os_calloc(1, 100000) == NULL && errno == ENOMEM, "no mapping");
    while (os_malloc(100000) != NULL)
        ;
    errno = 0;
    CHECK(os_malloc(131000) == NULL && errno == ENOMEM, "no break");
    CHECK(os_realloc(a, 131000) == NULL, "no room to move to");
    CHECK(os_realloc(a, 1 << 20) == NULL, "no mapping to move to");
    is_filled(a, 7, 1000);
    CHECK(meta(a)->status == STATUS_ALLOC, "still allocated");
    CHECK(setrlimit(RLIMIT_AS, &before) == 0, "address space again");
    CHECK(os_malloc(131000) != NULL, "and memory");
}

int main(void)
{
    char *heap = NULL;
    step("main");
    CHECK(sbrk(0) != (void *)-1, "the C library knows the break from here on"); /* os_malloc must ask all the same */
    step("begin");
    nothing();
    thresholds(&heap);
    splitting(heap);
    best_fit(heap);
    realloc_on_heap(heap);
    realloc_at_the_end(heap);
    step("end");
    no_memory();
    return 0;
}
