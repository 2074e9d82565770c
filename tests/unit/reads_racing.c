/* free() reads a block's length without a lock, while its neighbours in the same words of the same chunk are cut, resized,
 * purged and released by others: it always reads the length that the block has.
 *
 * Each thread keeps blocks that it only reads (through the same functions that free and realloc use), and meanwhile takes, resizes
 * and gives others, of all small sizes, straight from and to the arenas: so that every writer of bounds is at work around them. */
#include "arena/arena.h"
#include "os/pages.h"
#include "unit.h"
#include <pthread.h>

enum { THREADS = 4, KEPT = 64, CHURN = 48 };
static uint64_t reads[THREADS];
static bool stop;

struct kept {
    char *start;
    uint32_t class;
};

static void look(const struct kept *kept)
{
    struct owner *owner = map_owner(kept->start);
    if (owner->kind != OWNER_CHUNK)
        FAIL("%p lies in no chunk", (void *)kept->start);
    struct chunk *chunk = (struct chunk *)owner;
    uintptr_t i = chunk_granule(chunk, kept->start);
    EXPECT(i < CHUNK_GRANULES);
    uint32_t g = chunk_block_granules(chunk, (uint32_t)i);
    uint32_t class = g <= SIZE_FINE ? g : chunk_block_class_long(chunk, (uint32_t)i);
    if (class != kept->class)
        FAIL("%p is seen with class %u, and has class %u", (void *)kept->start, class, kept->class);
}

static void look_inside(const struct kept *kept)
{
    struct chunk *chunk = (struct chunk *)map_owner(kept->start);
    uint32_t i = (uint32_t)chunk_granule(chunk, kept->start);
    for (uint32_t k = 1; k < size_granules(kept->class) && k < 70; k++)
        if (chunk_block_granules(chunk, i + k) != 0)
            FAIL("a block seems to start at granule %u of the block %p", k, (void *)kept->start);
}

static struct kept take(struct random *random, uint32_t *preferred)
{
    uint32_t class = random_below(random, 8) ? 1 + random_below(random, 70) : 1 + random_below(random, SIZE_CLASS_MAX);
    struct block *block = random_below(random, 4)
                              ? arena_take(preferred, class, 1, 1).head
                              : arena_take_aligned(preferred, class, 16u << random_below(random, 6), 1).head;
    EXPECT(block != NULL);
    return (struct kept){(char *)block, class};
}

static void give(struct kept *kept, uint32_t count)
{
    struct list list = {0};
    bool one_class = true;
    for (uint32_t i = 0; i < count; i++) {
        one_class &= kept[i].class == kept[0].class;
        list_push(&list, (struct block *)(void *)kept[i].start);
    }
    arena_give(list, one_class ? kept[0].class : 0);
}

static void churn(struct random *random, struct kept *mine, uint32_t *preferred)
{
    uint32_t at = random_below(random, CHURN - 8), n = 1 + random_below(random, 8);
    give(mine + at, n);
    for (uint32_t i = at; i < at + n; i++)
        mine[i] = take(random, preferred);
    struct kept *one = &mine[random_below(random, CHURN)];
    uint32_t to = 1 + random_below(random, 80);
    if (to != one->class &&
        arena_resize((struct chunk *)map_owner(one->start), one->start, size_granules(one->class), size_granules(to), size_granules(to)))
        one->class = to;
}

static void *work(void *arg)
{
    uintptr_t number = (uintptr_t)arg;
    struct random random;
    random_seed(&random, number * 17 + 3);
    uint32_t preferred = 0; /* all in the same chunks */
    struct kept kept[KEPT], mine[CHURN];
    for (int i = 0; i < KEPT || i < CHURN; i++) {
        if (i < KEPT)
            kept[i] = take(&random, &preferred);
        if (i < CHURN)
            mine[i] = take(&random, &preferred);
    }
    for (uint64_t n = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); n++) {
        for (int i = 0; i < KEPT; i++)
            look(&kept[i]);
        look_inside(&kept[n % KEPT]);
        churn(&random, mine, &preferred);
        reads[number] += KEPT;
        if (n % 64 == 0) { /* some of those that are looked at change too */
            uint32_t i = random_below(&random, KEPT);
            give(&kept[i], 1);
            kept[i] = take(&random, &preferred);
        }
        if (n % 4096 == 0)
            arena_purge(true);
    }
    give(kept, KEPT);
    give(mine, CHURN);
    return NULL;
}

/* The two ends of a chunk: the last block comes and goes while the first is looked at. No writer reaches beyond its maps. */
static void *look_at_first(void *first)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        look(first);
    return NULL;
}

static void both_ends(void)
{
    struct list list = {0}, all = {0};
    uint32_t preferred = 0;
    struct kept first = {0}, last = {0};
    while (all.count < CHUNK_GRANULES) {
        list = arena_take(&preferred, 1, 200, 200);
        while (list.head) {
            struct block *block = list_pop(&list);
            uintptr_t i = chunk_granule((struct chunk *)map_owner(block), block);
            if (i == 0)
                first = (struct kept){(char *)block, 1};
            if (i == CHUNK_GRANULES - 1)
                last = (struct kept){(char *)block, 1};
            else
                list_push(&all, block);
        }
    }
    EXPECT(first.start && last.start);
    pthread_t reader;
    EXPECT(pthread_create(&reader, NULL, look_at_first, &first) == 0);
    for (int i = 0; i < 20000; i++) {
        give(&last, 1);
        last.start = (char *)arena_take(&preferred, 1, 1, 1).head;
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(reader, NULL);
    stop = false;
    give(&last, 1);
    arena_give(all, 1);
    EXPECT_SOUND(arena_check());
    arena_release_empty();
}

int main(void)
{
    pthread_t threads[THREADS];
    uint64_t all = 0;
    os_start();
    both_ends();
    for (uintptr_t i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    for (int i = 0; i < 20; i++) {
        usleep(100000);
        EXPECT_SOUND(arena_check());
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        all += reads[i];
    }
    EXPECT_SOUND(arena_check());
    static struct arena_numbers numbers;
    arena_numbers(&numbers);
    EXPECT_EQ(numbers.blocks, 0);
    printf("%llu looks\n", (unsigned long long)all);
    return 0;
}
