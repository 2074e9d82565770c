/* Arenas under random use: batches of every class, aligned blocks, growing and shrinking where they stand, pages given back
 * meanwhile. After each step every chunk is sound, no two blocks overlap, contents stay, and the numbers are exact. */
#include "arena/arena.h"
#include "map/meta.h"
#include "os/pages.h"
#include "shadow.h"
#include "span/span.h"

enum { LIVE_MAX = 4000, LIVE_BYTES_MAX = 24 << 20 };

static struct shadow shadow;
static struct random randomness;
static uint64_t keys;
static size_t live_granules;

static uint32_t pick(uint32_t n)
{
    return random_below(&randomness, n);
}

static uint32_t pick_class(void)
{
    switch (pick(4)) {
    case 0:
        return 1 + pick(SIZE_CLASS_MAX);
    case 1:
        return 1 + pick(SIZE_FINE);
    default:
        return 1 + pick(12);
    }
}

static struct chunk *chunk_of(const void *p)
{
    struct owner *owner = map_find(p);
    if (!owner || owner->kind != OWNER_CHUNK)
        FAIL("%p lies in no chunk", p);
    return (struct chunk *)owner;
}

/* What free() will see of it, without a lock. */
static void length_is(char *p, uint32_t granules)
{
    struct chunk *chunk = chunk_of(p);
    uintptr_t i = chunk_granule(chunk, p);
    EXPECT(i < CHUNK_GRANULES);
    uint32_t seen = chunk_block_granules(chunk, (uint32_t)i);
    uint32_t class = seen <= SIZE_FINE ? seen : chunk_block_class_long(chunk, (uint32_t)i);
    EXPECT_EQ(size_granules(class), granules);
    struct bounds_segment at = arena_segment_of(chunk, (uintptr_t)p + ((size_t)granules << GRANULE_SHIFT) - 1);
    EXPECT(at.occupied && chunk_address(chunk, at.start) == p);
    EXPECT_EQ(at.length, granules);
}

static void block_new(char *p, uint32_t class)
{
    struct shadow_block block = {p, size_bytes(class), size_bytes(class), ++keys};
    EXPECT((uintptr_t)p % GRANULE == 0);
    shadow_add(&shadow, block);
    length_is(p, size_granules(class));
    contents_put(p, block.size, block.key);
    live_granules += size_granules(class);
}

static void step_take(void)
{
    uint32_t class = pick_class(), k = pick(2) ? 1 + pick(8) : 1 + pick(256);
    while ((size_t)k * size_bytes(class) > 256 << 10)
        k = (k + 1) / 2;
    uint32_t preferred = pick(ARENA_MAX);
    struct list list = arena_take(&preferred, class, pick(2) ? k : (k + 1) / 2, k);
    EXPECT(list.head != NULL && list.count >= 1 && list.count <= k);
    uint32_t count = 0;
    for (struct block *block = list.head, *next; block; block = next) {
        next = block->next;
        block_new((char *)block, class);
        count++;
    }
    EXPECT_EQ(count, list.count);
}

static void step_take_aligned(void)
{
    uint32_t class = pick_class();
    size_t align = (size_t)GRANULE << (1 + pick(11));
    uint32_t preferred = pick(ARENA_MAX), k = 1 + pick(8);
    struct list list = arena_take_aligned(&preferred, class, align, k);
    EXPECT(list.head != NULL && list.count >= 1 && list.count <= k);
    uint32_t count = 0;
    for (struct block *block = list.head, *next; block; block = next, count++) {
        next = block->next;
        if ((uintptr_t)block % align != 0)
            FAIL("%p is not aligned to %zu", (void *)block, align);
        block_new((char *)block, class);
    }
    EXPECT_EQ(count, list.count);
}

static struct shadow_block take_out(uint32_t at)
{
    struct shadow_block block = shadow_remove(&shadow, at);
    shadow_verify(&block, SIZE_MAX);
    live_granules -= block.size >> GRANULE_SHIFT;
    return block;
}

/* A batch of one block, of neighbours, or of any: in any order, of several chunks and arenas. */
static void step_give(void)
{
    struct list list = {0};
    uint32_t of_one_class = 0; /* the class of all, if it is one */
    uint32_t k = pick(3) == 0 ? 1 : 1 + pick(300);
    bool neighbours = pick(2);
    uint32_t from = shadow.count ? pick(shadow.count) : 0;
    while (k-- > 0 && shadow.count > 0) {
        uint32_t at = neighbours ? (from < shadow.count ? from : shadow.count - 1) : pick(shadow.count);
        struct shadow_block block = take_out(at);
        uint32_t class = size_class(block.size);
        of_one_class = !list.head || of_one_class == class ? class : 0;
        list_push(&list, (struct block *)(void *)block.start);
    }
    if (list.head)
        arena_give(list, pick(2) ? 0 : of_one_class);
}

static void step_resize(void)
{
    if (shadow.count == 0)
        return;
    uint32_t at = pick(shadow.count);
    struct shadow_block block = take_out(at);
    uint32_t from = (uint32_t)(block.size >> GRANULE_SHIFT);
    uint32_t to = size_granules(pick(2) ? pick_class() : size_class_of(from + (from < SIZE_MAX_GRANULES)));
    uint32_t roomy = to > from && pick(2) && to < SIZE_MAX_GRANULES ? size_granules(size_class_of(to + 1)) : to;
    if (to != from && arena_resize(chunk_of(block.start), block.start, from, to, roomy)) {
        uint32_t got = arena_segment_of(chunk_of(block.start), (uintptr_t)block.start).length;
        EXPECT(got == to || got == roomy);
        size_t size = (size_t)got << GRANULE_SHIFT;
        size_t wrong = contents_wrong(block.start, block.size, size, block.key);
        if (wrong != SIZE_MAX)
            FAIL("resizing %zu bytes to %zu lost byte %zu", block.size, size, wrong);
        block.size = block.asked = size;
        contents_put(block.start, size, block.key);
    } else {
        EXPECT(to >= from); /* to shrink always works */
    }
    shadow_add(&shadow, block);
    length_is(block.start, (uint32_t)(block.size >> GRANULE_SHIFT));
    live_granules += block.size >> GRANULE_SHIFT;
}

static void numbers_exact(void)
{
    static struct arena_numbers numbers;
    arena_numbers(&numbers);
    EXPECT_EQ(numbers.blocks, shadow.count);
    EXPECT_EQ(numbers.occupied_bytes, live_granules << GRANULE_SHIFT);
    EXPECT_EQ(span_numbers().chunk_bytes, numbers.chunks * SPAN_CHUNK);
    EXPECT(numbers.occupied_peak >= numbers.occupied_bytes && numbers.blocks_peak >= numbers.blocks);
    EXPECT(numbers.clean_bytes <= numbers.chunks * SPAN_CHUNK);
    static size_t blocks[SIZE_CLASSES], counted[SIZE_CLASSES];
    memset(blocks, 0, sizeof blocks);
    memset(counted, 0, sizeof counted);
    arena_class_blocks(blocks);
    for (uint32_t i = 0; i < shadow.count; i++)
        counted[size_class(shadow.blocks[i].size)]++;
    for (uint32_t class = 0; class < SIZE_CLASSES; class ++)
        EXPECT_EQ(blocks[class], counted[class]);
}

static void step(uint32_t what)
{
    switch (what) {
    case 0 ... 34:
        step_take();
        break;
    case 35 ... 49:
        step_take_aligned();
        break;
    case 50 ... 74:
        step_give();
        break;
    case 75 ... 96:
        step_resize();
        break;
    case 97:
        arena_purge(pick(2));
        break;
    case 98:
        arena_release_empty();
        break;
    default:
        arena_use(1 + pick(6));
        break;
    }
}

static void model(int steps)
{
    for (int i = 0; i < steps; i++) {
        uint32_t what = pick(100);
        bool full = shadow.count > LIVE_MAX || live_granules << GRANULE_SHIFT > LIVE_BYTES_MAX;
        if ((full || i / 400 % 2) && what < 50 && pick(4))
            what = 50;
        step(what);
        EXPECT_SOUND(arena_check());
        if (i % 8 == 0)
            numbers_exact();
    }
    numbers_exact();
    for (uint32_t i = 0; i < shadow.count; i++)
        shadow_verify(&shadow.blocks[i], SIZE_MAX);
}

/* With nothing live, no arena keeps anything once it is told to let go; and clean pages read zero. */
static void all_back(void)
{
    while (shadow.count > 0)
        step_give();
    numbers_exact();
    arena_release_empty();
    EXPECT_SOUND(arena_check());
    EXPECT_EQ(span_numbers().chunk_bytes, 0);
    span_trim();
    EXPECT_EQ(span_numbers().mapped, 0);
}

/* Pages said to be clean were really given back: blocks cut from them read zero where no link was written. */
static void purged_pages_are_zero(void)
{
    uint32_t preferred = 0;
    struct list list = arena_take(&preferred, SIZE_CLASS_MAX, 1, 1); /* 32 KiB */
    struct list keep = arena_take(&preferred, 1, 1, 1); /* holds the chunk */
    struct block *first = list.head;
    struct chunk *chunk = chunk_of(list.head);
    EXPECT(chunk == chunk_of(keep.head));
    memset(list.head, 0xaa, SIZE_MAX_BYTES);
    list.head->next = NULL;
    arena_give(list, 0);
    EXPECT(arena_purge(true) >= SIZE_MAX_BYTES / 2);
    EXPECT_SOUND(arena_check());
    struct list again = arena_take(&preferred, SIZE_CLASS_MAX, 1, 1);
    if (again.head == first)
        EXPECT(contents_zero((char *)again.head + os_page, SIZE_MAX_BYTES - 2 * os_page));
    arena_give(again, SIZE_CLASS_MAX);
    arena_give(keep, 1);
    all_back();
}

/* Batches of one size, given back upwards, downwards, to and fro, and with gaps: what comes back as a row of neighbours leaves the bits as
 * one by one would. Sizes that divide a chunk fill three, so that neighbours stand on both sides of a chunk's end. Every seventh
 * block lives on meanwhile, and goes with the next batch. */
static void rows_come_back(void)
{
    enum { FEW = 256, MOST = 3 * CHUNK_GRANULES, ORDERS = 4 };
    static struct block *blocks[MOST];
    struct list kept = {0};
    for (uint32_t class = 1; class <= SIZE_FINE; class++)
        for (uint32_t order = 0; order < ORDERS; order++) {
            uint32_t arena = 0, n = 0, all = bits_is_power2(class) ? MOST / class : FEW;
            while (n < all)
                for (struct block *block = arena_take(&arena, class, all - n, all - n).head; block; block = block->next)
                    blocks[n++] = block;
            struct list list = {0}, living = {0};
            for (uint32_t i = 0; i < all; i++) {
                uint32_t at = order == 0 ? i : order == 1 ? all - 1 - i : order == 2 ? i ^ 1 : (uint32_t)(i * 5 % all);
                list_push(at % 7 == 0 ? &living : &list, blocks[at]);
            }
            arena_give(list, class);
            arena_give(kept, 0);
            kept = living;
            EXPECT_SOUND(arena_check());
        }
    arena_give(kept, 0);
    all_back();
}

int main(void)
{
    os_start();
    random_seed(&randomness, unit_seed());
    purged_pages_are_zero();
    rows_come_back();
    model(UNIT_SLOW ? 5000 : 20000);
    all_back();
    model(UNIT_SLOW ? 2000 : 10000);
    all_back();
    return 0;
}
