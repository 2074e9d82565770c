/* Promise: who owns a live block may ask bounds for its start and length without a lock, whatever the writer does to
 * the neighbours at that moment. One thread writes; two others own blocks and read them over and over, and hand them
 * back to be released. Meant for ThreadSanitizer too, which then watches the loads and stores themselves. */
#include "base/random.h"
#include "bounds/bounds.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { GRANULES = 640, SLOTS = 24, HANDED = 20000, ROUNDS = 100000000, LOOKS = 20, READERS = 2 };
enum { EMPTY, OWNED, RETURNED };

struct slot {
    uint32_t state; /* atomic: the writer makes EMPTY to OWNED (release), the reader OWNED to RETURNED (release) */
    uint32_t start, length;
};

static struct bounds row;
static struct slot slots[READERS][SLOTS];
static uint32_t done; /* atomic, relaxed: the writer is through */
static unsigned long long seed = 1;

static void look(const struct slot *slot)
{
    uint64_t window = bounds_window(row.boundary, slot->start);
    uint64_t expected = slot->length <= 56 ? 1 | UINT64_C(1) << slot->length : 1;
    uint32_t told = slot->length < 56 ? slot->length : 56;
    if ((window & bits_mask(0, told + 1)) != expected) {
        fprintf(stderr, "%s:%d: seed %llu: the window of the live block at %u, length %u, is 0x%llx\n", __FILE__,
                __LINE__, seed, slot->start, slot->length, (unsigned long long)window);
        exit(1);
    }
}

static void *reader(void *arg)
{
    struct slot *mine = arg;
    while (!__atomic_load_n(&done, __ATOMIC_RELAXED))
        for (struct slot *slot = mine; slot < mine + SLOTS; slot++) {
            if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) != OWNED) /* pairs with hand_out */
                continue;
            for (int i = 0; i < LOOKS; i++)
                look(slot);
            __atomic_store_n(&slot->state, RETURNED, __ATOMIC_RELEASE); /* pairs with take_back */
        }
    return NULL;
}

static void hand_out(struct slot *slot, struct random *random)
{
    uint32_t g = 1 + random_below(random, 60);
    uint32_t start = random_below(random, 2) ? bounds_place(&row, g) : bounds_place_aligned(&row, g, 4, 0);
    if (start == BOUNDS_NONE)
        return;
    slot->start = start;
    slot->length = g;
    __atomic_store_n(&slot->state, OWNED, __ATOMIC_RELEASE);
}

/* Blocks that the writer keeps to itself: it changes them in all ways beside those that are being read. */
static void disturb(uint32_t *start, uint32_t *length, struct random *random)
{
    if (*length == 0) {
        uint32_t g = 1 + random_below(random, 8);
        *start = bounds_place(&row, g);
        *length = *start == BOUNDS_NONE ? 0 : g;
        return;
    }
    uint32_t to = 1 + random_below(random, 2 * *length);
    if (to > *length && bounds_extend(&row, *start, *length, to)) {
        *length = to;
    } else if (to < *length) {
        bounds_shrink(&row, *start, *length, to);
        *length = to;
    } else {
        bounds_release(&row, *start, *length);
        *length = 0;
    }
}

static void release_together(uint32_t start, uint32_t length)
{
    bounds_loosen(&row, start, length);
    uint32_t first = start / BITS_WORD, last = (start + length - 1) / BITS_WORD;
    bounds_merge(&row, first, bits_mask(0, last - first + 1));
}

int main(void)
{
    static uint64_t memory[4096];
    static uint32_t start[16], length[16];
    pthread_t thread[READERS];
    struct random random;
    uint64_t handed = 0;
    const char *text = getenv("LOAM_TEST_SEED");
    seed = text != NULL ? strtoull(text, NULL, 0) : 1;
    random_seed(&random, seed);
    if (bounds_size(GRANULES, false) > sizeof memory)
        return 2;
    bounds_init(&row, memory, GRANULES, false);
    for (int r = 0; r < READERS; r++)
        if (pthread_create(&thread[r], NULL, reader, slots[r]) != 0)
            return 2;
    for (uint32_t round = 0; round < ROUNDS && handed < HANDED; round++) {
        struct slot *slot = &slots[random_below(&random, READERS)][random_below(&random, SLOTS)];
        uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
        if (state == RETURNED) { /* the block is the writer's again */
            handed++;
            if (random_below(&random, 2))
                bounds_release(&row, slot->start, slot->length);
            else
                release_together(slot->start, slot->length);
            __atomic_store_n(&slot->state, EMPTY, __ATOMIC_RELAXED);
        } else if (state == EMPTY) {
            hand_out(slot, &random);
        }
        uint32_t i = random_below(&random, 16);
        disturb(&start[i], &length[i], &random);
        if (round % 1000 == 0 && bounds_check(&row) != NULL) {
            fprintf(stderr, "%s:%d: seed %llu: %s\n", __FILE__, __LINE__, seed, bounds_check(&row));
            return 1;
        }
    }
    __atomic_store_n(&done, 1, __ATOMIC_RELAXED);
    for (int r = 0; r < READERS; r++)
        pthread_join(thread[r], NULL);
    printf("%llu blocks were read by their owners and came back\n", (unsigned long long)handed);
    return handed == HANDED ? 0 : 1;
}
