/* Batches between the processors' lists and the arenas: what is put is taken, whole and once; what there is stays within
 * its bounds; what nobody takes goes back between two ticks; and it is counted block by block, whatever length was told. */
#include "arena/arena.h"
#include "arena/transfer.h"
#include "os/pages.h"
#include "span/span.h"
#include "unit.h"
#include <pthread.h>

static struct list take(uint32_t class, uint32_t k)
{
    uint32_t preferred = 0;
    struct list all = {0};
    while (all.count < k) {
        struct list list = arena_take(&preferred, class, k - all.count, k - all.count);
        EXPECT(list.head != NULL);
        while (list.head)
            list_push(&all, list_pop(&list));
    }
    return all;
}

static size_t held_blocks(void)
{
    size_t blocks, bytes, in_classes = 0;
    transfer_numbers(&blocks, &bytes);
    for (uint32_t class = 1; class < SIZE_CLASSES; class ++)
        in_classes += transfer_class_blocks(class);
    EXPECT_EQ(in_classes, blocks);
    return blocks;
}

static size_t arena_blocks(void)
{
    static struct arena_numbers numbers;
    arena_numbers(&numbers);
    return numbers.blocks;
}

static uint32_t list_length(struct block *block)
{
    uint32_t n = 0;
    for (; block; block = block->next)
        n++;
    return n;
}

static void last_first(void)
{
    struct list a = take(2, 10), b = take(2, 7);
    EXPECT(transfer_take(2).head == NULL);
    EXPECT(transfer_put(2, a) && transfer_put(2, b));
    EXPECT_EQ(held_blocks(), 17);
    EXPECT(transfer_take(3).head == NULL);
    struct list got = transfer_take(2);
    EXPECT(got.head == b.head && got.count == 7 && list_length(got.head) == 7);
    struct list second = transfer_take(2);
    EXPECT(second.head == a.head && second.count == 10 && list_length(second.head) == 10);
    EXPECT(transfer_take(2).head == NULL);
    EXPECT_EQ(held_blocks(), 0);
    arena_give(got, 2);
    arena_give(second, 0);
}

/* A length that drifted: the numbers count the blocks. */
static void told_wrong(void)
{
    struct list list = take(4, 20);
    list.count = 3;
    EXPECT(transfer_put(4, list));
    EXPECT_EQ(transfer_class_blocks(4), 20);
    EXPECT_EQ(held_blocks(), 20);
    transfer_drain();
    EXPECT_EQ(held_blocks(), 0);
    EXPECT_EQ(arena_blocks(), 0);
}

/* In all at most 1 MiB or a share of the heap, half of that for a class; refused batches stay the caller's. */
static void bounds_hold(void)
{
    size_t held = 0, most = 0;
    for (uint32_t class = 1; class < SIZE_CLASSES; class ++)
        for (int i = 0; i < 20; i++) {
            uint32_t k = (uint32_t)(8192 / size_bytes(class)) + 2;
            struct list list = take(class, k);
            if (transfer_put(class, list))
                held += k * size_bytes(class);
            else
                arena_give(list, class);
            size_t blocks, bytes, used = span_used_racy();
            size_t bound = used / 16 < (1 << 20) ? 1 << 20 : used / 16;
            transfer_numbers(&blocks, &bytes);
            EXPECT_EQ(bytes, held);
            if (bytes > bound + bound / 2) /* the heap may have shrunk a little since a batch was let in */
                FAIL("batches hold %zu bytes of a heap of %zu", bytes, used);
            EXPECT(transfer_class_blocks(class) * size_bytes(class) <= bound / 2);
            most = bytes > most ? bytes : most;
        }
    EXPECT(most > 256 << 10); /* and the room is used */
    EXPECT_SOUND(arena_check());
    transfer_drain();
    EXPECT_EQ(held_blocks(), 0);
    EXPECT_EQ(arena_blocks(), 0);
    EXPECT_SOUND(arena_check());
}

/* What was not needed between two ticks goes; what was taken and put back stays. */
static void decays(void)
{
    for (int i = 0; i < 6; i++)
        EXPECT(transfer_put(5, take(5, 4)));
    transfer_decay(); /* forgets what was before */
    EXPECT(transfer_class_blocks(5) > 0);
    size_t before = transfer_class_blocks(5) / 4;
    struct list a = transfer_take(5), b = transfer_take(5); /* two are needed */
    EXPECT(transfer_put(5, a) && transfer_put(5, b));
    transfer_decay();
    EXPECT(before == 6 ? transfer_class_blocks(5) == 2 * 4 : transfer_class_blocks(5) <= before * 4);
    transfer_decay();
    transfer_decay();
    EXPECT_EQ(transfer_class_blocks(5), 0);
    EXPECT_EQ(arena_blocks(), 0);
}

/* Threads put and take; every block is somewhere at the end, once. */
enum { THREADS = 4 };
static uint64_t batches[THREADS];

static void *trade(void *arg)
{
    uint32_t number = (uint32_t)(uintptr_t)arg;
    struct random random;
    random_seed(&random, number + 9);
    for (int i = 0; i < (UNIT_SLOW ? 3000 : 20000); i++) {
        uint32_t class = 1 + random_below(&random, 3);
        struct list list = random_below(&random, 2) ? transfer_take(class) : (struct list){0};
        if (!list.head)
            list = take(class, 2 + random_below(&random, 30));
        for (struct block *block = list.head; block; block = block->next)
            ((uint32_t *)(void *)block)[3] = number; /* behind both links: TSan sees who writes */
        if (!transfer_put(class, list))
            arena_give(list, class);
        if (i % 1000 == 0)
            transfer_decay();
        if (i % 999 == 0)
            transfer_class_blocks(class);
        batches[number]++;
    }
    return NULL;
}

static void threads(void)
{
    pthread_t all[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&all[i], NULL, trade, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(all[i], NULL);
    EXPECT_EQ(held_blocks(), arena_blocks());
    EXPECT_SOUND(arena_check());
    transfer_drain();
    EXPECT_EQ(arena_blocks(), 0);
    EXPECT_SOUND(arena_check());
}

int main(void)
{
    os_start();
    last_first();
    told_wrong();
    decays();
    bounds_hold();
    threads();
    return 0;
}
