/* Runs of pages, chunks and direct mappings under random use: no two overlap, contents stay, what is called zero is zero,
 * alignment holds, the numbers are exact after every step, and everything goes back at the end. */
#include "arena/size.h"
#include "map/meta.h"
#include "os/pages.h"
#include "shadow.h"
#include "span/area.h"
#include "span/span.h"
#include <sys/mman.h>

enum { CHUNKS_MAX = 200, LARGEST = 6 << 20 };

static struct shadow shadow;
static struct random randomness;
static struct {
    char *start;
    struct area *area;
    unsigned char *descriptor;
    unsigned char filled; /* with this */
    struct owner owner;
} chunks[CHUNKS_MAX];
static uint32_t chunk_count;
static uint64_t keys;

static uint32_t pick(uint32_t n)
{
    return random_below(&randomness, n);
}

static size_t random_size(void)
{
    switch (pick(8)) {
    case 0:
        return 1 + pick(LARGEST);
    case 1:
        return (AREA_MIN / 2 - 8192) + pick(16384); /* about where direct mappings begin */
    case 2:
        return (size_t)(1 + pick(40)) << os_page_shift;
    default:
        return (32 << 10) + pick(200 << 10);
    }
}

static struct owner *owner_of(const char *p)
{
    struct owner *owner = map_find(p);
    if (!owner)
        FAIL("%p has no owner", (const void *)p);
    return owner;
}

static void numbers_exact(void)
{
    struct span_numbers numbers = span_numbers();
    size_t bytes = 0, directs = 0, direct_bytes = 0;
    for (uint32_t i = 0; i < shadow.count; i++) {
        struct owner *owner = owner_of(shadow.blocks[i].start);
        if (owner->kind == OWNER_CHUNK)
            continue;
        bytes += shadow.blocks[i].size;
        directs += owner->kind == OWNER_DIRECT;
        direct_bytes += owner->kind == OWNER_DIRECT ? shadow.blocks[i].size : 0;
    }
    EXPECT_EQ(numbers.large_blocks, shadow.count - chunk_count);
    EXPECT_EQ(numbers.large_bytes, bytes);
    EXPECT_EQ(numbers.direct_blocks, directs);
    EXPECT_EQ(numbers.direct_bytes, direct_bytes);
    EXPECT_EQ(numbers.chunk_bytes, chunk_count * SPAN_CHUNK);
    EXPECT(numbers.used_peak >= numbers.chunk_bytes + numbers.large_bytes);
    EXPECT(numbers.mapped >= numbers.chunk_bytes + numbers.large_bytes + numbers.dirty_bytes);
}

static void block_check_found(const struct shadow_block *block)
{
    struct owner *owner = owner_of(block->start);
    struct span_block found = span_find(owner, block->start);
    EXPECT(found.in_use && found.start == block->start);
    EXPECT_EQ(found.size, block->size);
    if (owner->kind == OWNER_AREA) {
        found = span_find(owner, block->start + block->size - 1);
        EXPECT(found.in_use && found.start == block->start);
    } else {
        found = span_find_inside(block->start + block->size - 1);
        EXPECT(found.in_use && found.start == block->start);
    }
}

static void step_alloc(void)
{
    size_t size = random_size(), align = pick(4) ? GRANULE : (size_t)GRANULE << pick(18);
    bool zero = false;
    char *p = span_alloc(size, align, &zero);
    EXPECT(p != NULL);
    if ((uintptr_t)p % align != 0)
        FAIL("span_alloc(%zu, %zu) gave %p", size, align, (void *)p);
    struct span_block found = span_find(owner_of(p), p);
    EXPECT(found.size >= size && found.size < size + os_page);
    if (zero && !contents_zero(p, found.size))
        FAIL("%zu bytes at %p are said to be zero and are not", found.size, (void *)p);
    struct shadow_block block = {p, found.size, size, ++keys};
    shadow_add(&shadow, block);
    contents_put(p, size, block.key);
    block_check_found(&block);
}

/* A block of the shadow that is no chunk; UINT32_MAX if chance finds none. */
static uint32_t pick_block(void)
{
    for (int i = 0; i < 20 && shadow.count > 0; i++) {
        uint32_t at = pick(shadow.count);
        if (owner_of(shadow.blocks[at].start)->kind != OWNER_CHUNK)
            return at;
    }
    return UINT32_MAX;
}

static void step_free(void)
{
    uint32_t at = pick_block();
    if (at == UINT32_MAX)
        return;
    struct shadow_block block = shadow_remove(&shadow, at);
    shadow_verify(&block, SIZE_MAX);
    span_free(owner_of(block.start), block.start);
}

static void step_resize(void)
{
    uint32_t at = pick_block();
    if (at == UINT32_MAX)
        return;
    struct shadow_block block = shadow_remove(&shadow, at);
    size_t size = pick(2) ? random_size() : block.asked + block.asked / 4 + 1;
    size = size > LARGEST * 2 ? LARGEST : size;
    struct owner *owner = owner_of(block.start);
    char *p = span_resize(owner, block.start, size, size);
    if (!p) {
        EXPECT(size > block.size); /* to shrink always works */
        shadow_add(&shadow, block);
        shadow_verify(&block, SIZE_MAX);
        return;
    }
    if (owner->kind == OWNER_AREA)
        EXPECT(p == block.start);
    else
        EXPECT((uintptr_t)p % MAP_GRANULE == 0 && owner_of(p) == owner);
    if (p != block.start)
        EXPECT(map_find(block.start) != owner);
    struct span_block found = span_find(owner, p);
    EXPECT(found.start == p && found.size >= size && found.size < size + os_page);
    size_t wrong = contents_wrong(p, block.asked, size, block.key);
    if (wrong != SIZE_MAX)
        FAIL("resize of %zu bytes to %zu lost byte %zu", block.asked, size, wrong);
    block = (struct shadow_block){p, found.size, size, ++keys};
    shadow_add(&shadow, block);
    contents_put(p, size, block.key);
    block_check_found(&block);
}

static void step_chunk_take(void)
{
    if (chunk_count == CHUNKS_MAX)
        return;
    uint32_t clean;
    struct area *area;
    void *descriptor;
    char *p = span_chunk_take(&area, &descriptor, &clean);
    EXPECT(p != NULL && (uintptr_t)p % SPAN_CHUNK == 0);
    EXPECT(descriptor && (uintptr_t)descriptor % CACHE_LINE == 0);
    memset(descriptor, (int)keys, SPAN_DESCRIPTOR);
    for (uint32_t page = 0; page < SPAN_CHUNK >> os_page_shift; page++)
        if (clean >> page & 1)
            EXPECT(contents_zero(p + ((size_t)page << os_page_shift), os_page));
    struct shadow_block block = {p, SPAN_CHUNK, SPAN_CHUNK, ++keys};
    shadow_add(&shadow, block);
    contents_put(p, SPAN_CHUNK, block.key);
    chunks[chunk_count].start = p;
    chunks[chunk_count].area = area;
    chunks[chunk_count].descriptor = descriptor;
    chunks[chunk_count].filled = (unsigned char)(keys - 1);
    chunks[chunk_count].owner = (struct owner){OWNER_NOT_A_CHUNK, OWNER_CHUNK};
    map_change(p, SPAN_CHUNK, &chunks[chunk_count].owner);
    chunk_count++;
}

static void step_chunk_give(void)
{
    if (chunk_count == 0)
        return;
    uint32_t i = pick(chunk_count);
    char *p = chunks[i].start;
    struct shadow_block block = shadow_remove(&shadow, shadow_after(&shadow, p) - 1);
    EXPECT(block.start == p);
    shadow_verify(&block, SIZE_MAX);
    for (int k = 0; k < SPAN_DESCRIPTOR; k++) /* nobody else's, and never given back while its chunk is out */
        EXPECT_EQ(chunks[i].descriptor[k], chunks[i].filled);
    uint32_t clean = 0;
    if (pick(2)) { /* half of its pages have been given back meanwhile */
        EXPECT(os_purge(p, SPAN_CHUNK / 2));
        clean = (1u << ((SPAN_CHUNK / 2) >> os_page_shift)) - 1;
    }
    span_chunk_give(chunks[i].area, p, clean);
    EXPECT(map_find(p) == (struct owner *)chunks[i].area);
    chunks[i] = chunks[--chunk_count];
    if (i < chunk_count)
        map_change(chunks[i].start, SPAN_CHUNK, &chunks[i].owner);
}

static void step(uint32_t what)
{
    switch (what) {
    case 0 ... 29:
        step_alloc();
        break;
    case 30 ... 54:
        step_free();
        break;
    case 55 ... 69:
        step_resize();
        break;
    case 70 ... 82:
        step_chunk_take();
        break;
    case 83 ... 95:
        step_chunk_give();
        break;
    case 96:
        span_purge_excess();
        break;
    case 97:
        span_trim();
        break;
    case 98:
        span_tick();
        break;
    default:
        span_set_dirty_bound(pick(2) ? 0 : 1 + pick(8 << 20));
        break;
    }
}

static void model(int steps)
{
    for (int i = 0; i < steps; i++) {
        /* the heap breathes: now it grows, now it shrinks */
        uint32_t what = pick(100);
        if (shadow.count > 300 || (i / 1500 % 2 && what < 30 && pick(3)))
            what = what < 30 ? 30 : what < 83 && what >= 70 ? 83 : what;
        step(what);
        EXPECT_SOUND(span_check());
        if (i % 16 == 0)
            numbers_exact();
    }
    for (uint32_t i = 0; i < shadow.count; i++)
        shadow_verify(&shadow.blocks[i], SIZE_MAX);
}

static void all_back(void)
{
    while (chunk_count > 0)
        step_chunk_give();
    while (shadow.count > 0)
        step_free();
    numbers_exact();
    span_trim();
    EXPECT_SOUND(span_check());
    struct span_numbers numbers = span_numbers();
    EXPECT_EQ(numbers.dirty_bytes, 0);
    EXPECT_EQ(numbers.mapped, 0);
    EXPECT_EQ(numbers.areas, 0);
    EXPECT_EQ(numbers.large_bytes + numbers.chunk_bytes, 0);
}

/* A direct mapping grows where something stands behind it (it must move), shrinks, and keeps its contents all the time. */
static void direct_moves(void)
{
    span_set_direct_threshold(64 << 10);
    bool zero;
    char *p = span_alloc(1 << 20, GRANULE, &zero);
    struct owner *owner = owner_of(p);
    EXPECT(owner->kind == OWNER_DIRECT && zero);
    for (size_t i = 0; i < 1 << 20; i += 4096)
        p[i] = (char)(i >> 12);
    char *fence = mmap(p + (1 << 20), os_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    char *moved = span_resize(owner, p, 3 << 20, 3 << 20);
    EXPECT(moved != NULL);
    if (fence != MAP_FAILED)
        EXPECT(moved != p);
    if (moved != p) {
        EXPECT(map_find(p) == NULL || map_find(p) != owner);
        EXPECT(!span_find_inside(p + os_page).in_use);
    }
    EXPECT(map_find(moved) == owner);
    for (size_t i = 0; i < 1 << 20; i += 4096)
        EXPECT_EQ((unsigned char)moved[i], (unsigned char)(i >> 12));
    EXPECT(contents_zero(moved + (1 << 20), 2 << 20)); /* fresh pages */
    EXPECT(span_resize(owner, moved, 100 << 10, 100 << 10) == moved);
    EXPECT_EQ(span_find(owner, moved).size, 100 << 10);
    EXPECT(!span_find_inside(moved + (100 << 10)).in_use);
    EXPECT_SOUND(span_check());
    span_free(owner, moved);
    if (fence != MAP_FAILED)
        munmap(fence, os_page);
    span_set_direct_threshold(0);
    EXPECT_SOUND(span_check());
}

/* A freed run of middle size waits, whole, for the next of its length; it is free for everybody else, its bytes are dirty, and it is part
 * of its area again before the heap grows and at a trim. */
static void runs_wait(void)
{
    enum { SIZE = 48 << 10, MANY = 4 };
    bool zero;
    char *runs[MANY];
    all_back();
    for (uint32_t i = 0; i < MANY; i++)
        EXPECT((runs[i] = span_alloc(SIZE, GRANULE, &zero)) != NULL);
    struct owner *owner = owner_of(runs[0]);
    size_t dirty = span_numbers().dirty_bytes, blocks = span_numbers().large_blocks;
    for (uint32_t i = 0; i < MANY; i++) {
        EXPECT(span_free(owner_of(runs[i]), runs[i]));
        EXPECT(!span_free(owner_of(runs[i]), runs[i]));
        EXPECT(!span_find(owner_of(runs[i]), runs[i]).in_use);
        EXPECT_SOUND(span_check());
        EXPECT_EQ(span_numbers().dirty_bytes, dirty + (i + 1) * SIZE);
        EXPECT_EQ(span_numbers().large_blocks, blocks - i - 1);
    }
    EXPECT_EQ(kept_bytes(), 4 * SIZE);
    EXPECT(!span_free(owner, runs[0] + os_page) && !span_free(owner, runs[0] + 1));
    char *other = span_alloc(SIZE + os_page, GRANULE, &zero);
    EXPECT_EQ(kept_bytes(), 4 * SIZE);
    EXPECT(span_alloc(SIZE, GRANULE, &zero) == runs[3] && !zero); /* the last that was kept is the warmest */
    EXPECT(span_find(owner, runs[3]).in_use && span_find(owner, runs[3]).size == SIZE);
    EXPECT_EQ(kept_bytes(), 3 * SIZE);
    EXPECT_SOUND(span_check());
    EXPECT(span_free(owner_of(other), other) && span_free(owner, runs[3]));
    size_t mapped = span_numbers().mapped;
    char *large = span_alloc(AREA_MIN / 2 - 1, GRANULE, &zero); /* fits the area only if those that wait are part of it again */
    EXPECT_EQ(span_numbers().mapped, mapped);
    EXPECT_EQ(kept_bytes(), 0);
    EXPECT(span_free(owner_of(large), large));
    EXPECT((other = span_alloc(SIZE, GRANULE, &zero)) != NULL && span_free(owner_of(other), other));
    EXPECT_EQ(kept_bytes(), SIZE);
    all_back();
    EXPECT_EQ(kept_bytes(), 0);
}

/* Sizes that no memory has: NULL, nothing changes, for blocks of either kind. */
static void absurd_sizes(void)
{
    static const size_t sizes[] = {PTRDIFF_MAX,     (size_t)PTRDIFF_MAX - 4095, (size_t)1 << 46,
                                   (size_t)1 << 44, ((size_t)1 << 44) + 40960,  ((size_t)1 << 44) * 3 + 8192};
    bool zero;
    char *run = span_alloc(40960, GRANULE, &zero), *direct = span_alloc(40 << 20, GRANULE, &zero);
    EXPECT(run && direct);
    EXPECT(owner_of(run)->kind == OWNER_AREA && owner_of(direct)->kind == OWNER_DIRECT);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *p = span_alloc(sizes[i], GRANULE, &zero);
        if (p) { /* a machine that promises everything */
            EXPECT(span_find(owner_of(p), p).size >= sizes[i]);
            span_free(owner_of(p), p);
        }
        p = span_resize(owner_of(run), run, sizes[i], sizes[i]);
        if (p)
            FAIL("a run of 40960 bytes was resized to %zu bytes where it stands, and has %zu now", sizes[i],
                 span_find(owner_of(p), p).size);
        EXPECT_EQ(span_find(owner_of(run), run).size, 40960);
        EXPECT_SOUND(span_check());
    }
    span_free(owner_of(run), run);
    span_free(owner_of(direct), direct);
}

/* Alignments up to beyond a gigabyte's fraction; each block lies where asked. */
static void alignments(void)
{
    for (size_t align = GRANULE; align <= 64 << 20; align *= 2)
        for (size_t size = 4096; size <= 4 << 20; size *= 8) {
            bool zero;
            char *p = span_alloc(size, align, &zero);
            EXPECT(p && (uintptr_t)p % align == 0);
            EXPECT(!zero || contents_zero(p, size));
            p[0] = p[size - 1] = 1;
            EXPECT_SOUND(span_check());
            span_free(owner_of(p), p);
        }
}

/* An address above 48 bits, and one behind the end of a mapping, are nobody's. */
static void other_addresses(void)
{
    bool zero;
    char *p = span_alloc(40960, GRANULE, &zero);
    struct owner *owner = owner_of(p);
    struct span_block found = span_find(owner, (char *)((uintptr_t)p | UINT64_C(1) << 52));
    if (found.start && found.in_use)
        FAIL("%p + 2^52 is said to lie in the block %p of %zu bytes", (void *)p, (void *)found.start, found.size);
    span_free(owner, p);
}

int main(void)
{
    os_start();
    random_seed(&randomness, unit_seed());
    runs_wait();
    direct_moves();
    absurd_sizes();
    other_addresses();
    alignments();
    all_back();
    model(UNIT_SLOW ? 3000 : 12000);
    all_back();
    model(UNIT_SLOW ? 1000 : 4000);
    all_back();
    return 0;
}
