/* osmem against a model that was written from its specification: every block, every system call, every byte.
 *
 *     model random [OPERATIONS]     random calls of all four functions
 *
 * After each call the list of blocks is walked through the headers (the first one lies where the break was at the start) and
 * compared with the model's. Each freed payload is compared with what was written there as long as its space is not used again.
 * The system calls that the model expects go, as strace would print them, to file descriptor 3, with a line for each hundred
 * operations; the traced program marks the same places by writing that line to descriptor -1. */
#define _GNU_SOURCE
#include "osmem.h"
#include "block_meta.h"
#include <string.h>
#include <unistd.h>
#include "../support/check.h"

enum {
    HEADER = 32,
    HEAP_MOST = 64 << 20,
    BLOCKS_MOST = 20000,
    LIVE_MOST = 300,
    FIRST = 128 * 1024,
    THRESHOLD = 128 * 1024
};

struct block { /* of the heap; where its payload begins, from the heap's start */
    size_t at;
    size_t size;
    int used;
};

struct live {
    unsigned char *at;
    size_t asked;
    int mapped;
};

static struct block blocks[BLOCKS_MOST];
static int block_count;
static size_t heap_end;
static unsigned char *heap;
static unsigned char shadow[HEAP_MOST], known[HEAP_MOST]; /* what the heap holds, where that is known */
static struct live lives[LIVE_MOST];
static int live_count;
static char expected[64 << 20];
static size_t expected_length;
static size_t page_bytes;

#define EXPECT(...) \
    (expected_length += (size_t)snprintf(expected + expected_length, sizeof expected - expected_length, __VA_ARGS__))

static void mark(const char *text)
{
    if (write(-1, text, strlen(text)) < 0)
        EXPECT("%s\n", text);
}

static void expect_write_out(void)
{
    for (size_t done = 0; done < expected_length;) {
        ssize_t n = write(3, expected + done, expected_length - done);
        if (n <= 0)
            return; /* nobody asked for it */
        done += (size_t)n;
    }
}

/* ---- the model ---- */

static size_t up8(size_t size)
{
    return (size + 7) / 8 * 8;
}

static void forget(size_t from, size_t length)
{
    memset(known + from, 0, length);
}

static void block_insert(int where, size_t at, size_t size, int used)
{
    CHECK(block_count < BLOCKS_MOST, "the model is full");
    memmove(blocks + where + 1, blocks + where, (size_t)(block_count - where) * sizeof *blocks);
    blocks[where] = (struct block){at, size, used};
    block_count++;
    forget(at - HEADER, HEADER);
}

/* Block i takes in the one behind it. */
static void block_join(int i)
{
    blocks[i].size += HEADER + blocks[i + 1].size;
    memmove(blocks + i + 1, blocks + i + 2, (size_t)(block_count - i - 2) * sizeof *blocks);
    block_count--;
}

static void coalesce(void)
{
    for (int i = 0; i + 1 < block_count;)
        if (!blocks[i].used && !blocks[i + 1].used)
            block_join(i);
        else
            i++;
}

static void cut(int i, size_t need)
{
    size_t rest = blocks[i].size - need;
    if (rest < HEADER + 8)
        return;
    blocks[i].size = need;
    block_insert(i + 1, blocks[i].at + need + HEADER, rest - HEADER, 0);
}

static void grow_break(size_t bytes)
{
    heap_end += bytes;
    CHECK(heap_end <= HEAP_MOST, "the model's heap is full");
    EXPECT("brk(%p)\n", (void *)(heap + heap_end));
}

static int model_take(size_t need)
{
    if (block_count == 0) {
        EXPECT("brk(NULL)\n");
        grow_break(FIRST);
        block_insert(0, HEADER, FIRST - HEADER, 0);
    }
    coalesce();
    int best = -1;
    for (int i = 0; i < block_count; i++)
        if (!blocks[i].used && blocks[i].size >= need && (best < 0 || blocks[i].size < blocks[best].size))
            best = i;
    if (best >= 0) {
        cut(best, need);
    } else if (!blocks[block_count - 1].used) {
        best = block_count - 1;
        grow_break(need - blocks[best].size);
        blocks[best].size = need;
    } else {
        best = block_count;
        grow_break(HEADER + need);
        block_insert(best, heap_end - need, need, 0);
    }
    blocks[best].used = 1;
    forget(blocks[best].at, blocks[best].size);
    return best;
}

static int model_find(const unsigned char *at)
{
    for (int i = 0; i < block_count; i++)
        if (heap + blocks[i].at == at)
            return i;
    CHECK(0, "%p is no block", (const void *)at);
    return -1;
}

/* ---- comparing ---- */

static void compare_list(void)
{
    struct block_meta *meta = (struct block_meta *)(void *)heap, *previous = NULL;
    for (int i = 0; i < block_count; i++) {
        CHECK(meta != NULL, "block %d of %d is missing", i, block_count);
        CHECK((unsigned char *)(meta + 1) == heap + blocks[i].at, "block %d is at %p", i, (void *)meta);
        CHECK(meta->size == blocks[i].size, "block %d has %zu bytes, not %zu", i, meta->size, blocks[i].size);
        CHECK(meta->status == (blocks[i].used ? STATUS_ALLOC : STATUS_FREE), "block %d has status %d", i, meta->status);
        CHECK(meta->prev == previous, "block %d: prev", i);
        previous = meta;
        meta = meta->next;
    }
    if (block_count > 0)
        CHECK(meta == NULL, "there are more than %d blocks", block_count);
}

static void compare_bytes(size_t from, size_t length)
{
    for (size_t i = from; i < from + length; i++)
        CHECK(!known[i] || heap[i] == shadow[i], "heap byte %zu is %d, was %d", i, heap[i], shadow[i]);
}

static void fill(struct live *live, size_t asked)
{
    unsigned char seed = (unsigned char)check_random(256);
    live->asked = asked;
    for (size_t i = 0; i < asked; i++)
        live->at[i] = (unsigned char)(seed + i * 7);
    if (!live->mapped) {
        size_t at = (size_t)(live->at - heap);
        memcpy(shadow + at, live->at, asked);
        memset(known + at, 1, asked);
    }
}

/* ---- the operations ---- */

/* What a new block must be: on the heap where the model has it, else mapped as it should be. Fills it. */
static void adopt(struct live *live, void *at, size_t asked, size_t threshold)
{
    size_t need = up8(asked);
    *live = (struct live){.at = at, .asked = asked, .mapped = need + HEADER >= threshold};
    CHECK(at != NULL, "%zu bytes", asked);
    CHECK((uintptr_t)at % 8 == 0, "aligned to 8: %p", at);
    const struct block_meta *meta = (const struct block_meta *)at - 1;
    if (live->mapped) {
        EXPECT("mmap(NULL, %zu, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)\n", need + HEADER);
        CHECK(meta->status == STATUS_MAPPED && meta->size == need, "a mapped block: status %d, %zu", meta->status,
              meta->size);
        return;
    }
    const struct block *block = &blocks[model_take(need)];
    CHECK((unsigned char *)at == heap + block->at, "%zu bytes at %p, expected at %p", asked, at,
          (void *)(heap + block->at));
}

static void do_malloc(size_t asked)
{
    struct live *live = &lives[live_count++];
    adopt(live, os_malloc(asked), asked, THRESHOLD);
    fill(live, asked);
}

static void do_calloc(size_t count, size_t each)
{
    struct live *live = &lives[live_count++];
    adopt(live, os_calloc(count, each), count * each, page_bytes);
    for (size_t i = 0; i < count * each; i++)
        CHECK(live->at[i] == 0, "byte %zu of %zu from os_calloc is %d", i, count * each, live->at[i]);
    fill(live, count * each);
}

static void forget_live(int index)
{
    lives[index] = lives[--live_count];
}

static void model_give(const struct live *live)
{
    if (live->mapped)
        EXPECT("munmap(%p, %zu)\n", (void *)(live->at - HEADER), up8(live->asked) + HEADER);
    else
        blocks[model_find(live->at)].used = 0;
}

static void do_free(int index)
{
    struct live live = lives[index];
    os_free(live.at);
    model_give(&live);
    if (!live.mapped) {
        const struct block *block = &blocks[model_find(live.at)];
        compare_bytes(block->at, block->size);
        CHECK(os_realloc(live.at, 8) == NULL, "os_realloc of a free block is NULL");
    }
    forget_live(index);
}

/* Whether the model's block of this live one can become `need` bytes where it is; then it has. */
static int model_resize(struct live *live, size_t need)
{
    int i = model_find(live->at);
    if (need > blocks[i].size && need + HEADER >= THRESHOLD)
        return 0;
    while (blocks[i].size < need && i + 1 < block_count && !blocks[i + 1].used)
        block_join(i);
    if (blocks[i].size >= need) {
        forget(blocks[i].at + live->asked, blocks[i].size - live->asked);
        cut(i, need);
        return 1;
    }
    if (i + 1 < block_count)
        return 0;
    grow_break(need - blocks[i].size);
    blocks[i].size = need;
    return 1;
}

static void do_realloc(int index, size_t asked)
{
    static unsigned char before[1 << 20];
    struct live *live = &lives[index], old = *live;
    size_t kept = old.asked < asked ? old.asked : asked;
    memcpy(before, old.at, kept);
    unsigned char *at = os_realloc(old.at, asked);
    if (!old.mapped && model_resize(live, up8(asked))) {
        CHECK(at == old.at, "from %zu to %zu in place, not from %p to %p", old.asked, asked, (void *)old.at,
              (void *)at);
    } else {
        adopt(live, at, asked, THRESHOLD);
        CHECK(at != old.at, "moved");
        model_give(&old);
        if (!old.mapped)
            compare_bytes((size_t)(old.at - heap), up8(old.asked));
    }
    CHECK(memcmp(at, before, kept) == 0, "the contents have come along, %zu bytes", kept);
    fill(live, asked);
}

static size_t random_size(void)
{
    uint32_t kind = check_random(1000);
    if (kind < 700)
        return 1 + check_random(300);
    if (kind < 920)
        return 300 + check_random(5000);
    if (kind < 980)
        return 5000 + check_random(40000);
    if (kind < 990)
        return 130900 + check_random(300);
    return 100000 + check_random(400000);
}

static void random_operations(long operations)
{
    char text[40];
    for (long n = 0; n < operations; n++) {
        if (n % 100 == 0) {
            snprintf(text, sizeof text, "operation %ld", n);
            mark(text);
        }
        uint32_t kind = check_random(100);
        if (live_count == LIVE_MOST || (live_count > 0 && n % 20000 > 19000))
            kind = 99; /* full; or a time to fall */
        if (kind < 33)
            do_malloc(random_size());
        else if (kind < 43)
            do_calloc(1 + check_random(4), 1 + random_size() / 4);
        else if (kind < 66 && live_count > 0)
            do_realloc((int)check_random((uint32_t)live_count), random_size());
        else if (live_count > 0)
            do_free((int)check_random((uint32_t)live_count));
        compare_list();
        if (n % 128 == 0)
            compare_bytes(0, heap_end);
    }
    while (live_count > 0)
        do_free(0);
    compare_list();
    compare_bytes(0, heap_end);
}

int main(int argc, char **argv)
{
    static char buffer[4096];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer); /* the C library is to leave the break alone */
    check_seed(4);
    fflush(stdout);
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    heap = sbrk(0);
    mark("begin");
    random_operations(argc > 1 ? atol(argv[1]) : 100000);
    mark("end");
    expect_write_out();
    return 0;
}
