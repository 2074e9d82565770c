/* The map leads from each address to the one who owns its 64 KiB, and from all others to nobody: over the borders of leaves, at
 * both ends of what a process can map, above 48 bits; while other threads make the same leaves. */
#include "map/map.h"
#include "map/meta.h"
#include "os/pages.h"
#include "unit.h"
#include <pthread.h>

enum { LEAF_SHIFT = 32 };
static struct owner owners[64];

static const void *at(uint64_t address)
{
    return (const void *)(uintptr_t)address;
}

static void range_is(uint64_t start, uint64_t size, const struct owner *owner)
{
    EXPECT(map_find(at(start)) == owner);
    EXPECT(map_find(at(start + 1)) == owner);
    EXPECT(map_find(at(start + MAP_GRANULE - 1)) == owner);
    EXPECT(map_find(at(start + size / 2)) == owner);
    EXPECT(map_find(at(start + size - 1)) == owner);
}

static void borders(void)
{
    static const uint64_t starts[] = {
        UINT64_C(1) << 16, /* the lowest that can be */
        (UINT64_C(5) << LEAF_SHIFT) - MAP_GRANULE, /* over a leaf's end */
        (UINT64_C(0x7fff) << LEAF_SHIFT) - 3 * MAP_GRANULE,
        (UINT64_C(1) << 47) - 4 * MAP_GRANULE, /* the top of a process */
        (UINT64_C(1) << 48) - 4 * MAP_GRANULE, /* the top of the map (aarch64) */
    };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        uint64_t size = 4 * MAP_GRANULE;
        EXPECT(map_find(at(starts[i])) == NULL);
        EXPECT(map_set(at(starts[i]), size, &owners[i]));
        range_is(starts[i], size, &owners[i]);
        EXPECT(map_find(at(starts[i] - 1)) == NULL);
        if (starts[i] + size < UINT64_C(1) << 48)
            EXPECT(map_find(at(starts[i] + size)) == NULL);
        map_change(at(starts[i] + MAP_GRANULE), MAP_GRANULE, &owners[40 + i]);
        EXPECT(map_find(at(starts[i])) == &owners[i]);
        EXPECT(map_find(at(starts[i] + MAP_GRANULE)) == &owners[40 + i]);
        EXPECT(map_find(at(starts[i] + 2 * MAP_GRANULE)) == &owners[i]);
        map_change(at(starts[i]), size, NULL);
        range_is(starts[i], size, NULL);
    }
}

/* What is near ends with the 4 GiB of the first range ever set, and begins 16 GiB before; over either border both ways of looking
 * are taken. The first address of all asked the map before that, and was nobody's. */
static void nearness(void)
{
    const uint64_t end = UINT64_C(1) << LEAF_SHIFT, start = (UINT64_C(1) << 48) - 3 * end; /* around zero, for `borders` came first */
    const uint64_t over[] = {end - 2 * MAP_GRANULE, start - 2 * MAP_GRANULE};
    size_t leaves = meta_numbers().leaves;
    for (size_t i = 0; i < 2; i++) {
        EXPECT(map_set(at(over[i]), 4 * MAP_GRANULE, &owners[50 + i]));
        range_is(over[i], 4 * MAP_GRANULE, &owners[50 + i]);
        EXPECT(map_find(at(over[i] - 1)) == NULL);
        EXPECT(map_find(at(over[i] + 4 * MAP_GRANULE)) == NULL);
    }
    EXPECT_EQ(meta_numbers().leaves - leaves, 2); /* one behind the end, one before the start: what is near needs none */
    EXPECT(map_set(at(end / 2), MAP_GRANULE, &owners[52]));
    EXPECT_EQ(meta_numbers().leaves - leaves, 2);
    for (size_t i = 0; i < 2; i++)
        map_change(at(over[i]), 4 * MAP_GRANULE, NULL);
    map_change(at(end / 2), MAP_GRANULE, NULL);
}

/* In a process whose first range lies at 12 to 16 GiB, where what is near would begin at 0: it is chosen once all the same. */
static void first_is_low(void *arg)
{
    const uint64_t first = UINT64_C(3) << LEAF_SHIFT, high = UINT64_C(500) << LEAF_SHIFT, border = UINT64_C(5) << LEAF_SHIFT;
    (void)arg;
    EXPECT(map_set(at(first), MAP_GRANULE, &owners[53]));
    EXPECT(map_set(at(high), MAP_GRANULE, &owners[54]));
    range_is(first, MAP_GRANULE, &owners[53]);
    range_is(high, MAP_GRANULE, &owners[54]);
    EXPECT_EQ(meta_numbers().leaves, 1);
    EXPECT(map_set(at(border - 2 * MAP_GRANULE), 4 * MAP_GRANULE, &owners[55])); /* its end */
    range_is(border - 2 * MAP_GRANULE, 4 * MAP_GRANULE, &owners[55]);
    EXPECT_EQ(meta_numbers().leaves, 2);
}

/* A run that is no multiple of the granule owns its last, begun one; one byte owns its granule. Over many leaves at once too. */
static void lengths(void)
{
    uint64_t start = UINT64_C(9) << LEAF_SHIFT;
    EXPECT(map_set(at(start), 1, &owners[1]));
    range_is(start, MAP_GRANULE, &owners[1]);
    EXPECT(map_find(at(start + MAP_GRANULE)) == NULL);
    EXPECT(map_set(at(start), 3 * MAP_GRANULE + 4096, &owners[2]));
    range_is(start, 4 * MAP_GRANULE, &owners[2]);
    uint64_t long_start = (UINT64_C(20) << LEAF_SHIFT) - MAP_GRANULE,
             size = (UINT64_C(2) << LEAF_SHIFT) + 2 * MAP_GRANULE;
    EXPECT(map_set(at(long_start), size, &owners[3]));
    for (uint64_t a = long_start; a < long_start + size; a += 97 * MAP_GRANULE)
        EXPECT(map_find(at(a)) == &owners[3]);
    range_is(long_start, size, &owners[3]);
    EXPECT(map_find(at(long_start + size)) == NULL);
    map_change(at(long_start), size, NULL);
    EXPECT(map_find(at(long_start + size / 2)) == NULL);
}

/* Addresses nobody can map, and all that a program may hand in: the map answers, and reads nothing that is not there. */
static void strangers(void)
{
    struct random random;
    random_seed(&random, unit_seed());
    static const uint64_t odd[] = {0,
                                   1,
                                   0xffff,
                                   UINT64_MAX,
                                   UINT64_MAX - 65535,
                                   UINT64_C(1) << 63,
                                   UINT64_C(0x8000000000000000) - 1,
                                   UINT64_C(0xdeadbeefdeadbeef),
                                   UINT64_C(1) << 47,
                                   UINT64_C(1) << 48};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        EXPECT(map_find(at(odd[i])) == NULL);
    /* above 48 bits the root sees the lower ones: what it finds must be told apart by whoever asks (fast_base) */
    uint64_t start = UINT64_C(33) << LEAF_SHIFT;
    EXPECT(map_set(at(start), MAP_GRANULE, &owners[7]));
    EXPECT(map_find(at(start | UINT64_C(0x1234) << 48)) == &owners[7]);
    for (int i = 0; i < 1000000; i++) {
        uint64_t address = random_next(&random);
        uint64_t low = address & ((UINT64_C(1) << 48) - 1);
        const struct owner *found = map_find(at(address));
        if (found && low - start >= MAP_GRANULE && (low >> LEAF_SHIFT) != 9)
            FAIL("%#llx has an owner", (unsigned long long)address);
    }
    int local;
    EXPECT(map_find(&local) == NULL);
    EXPECT(map_find(odd) == NULL);
    EXPECT(map_find(owners) == NULL);
    free(malloc(100)); /* the process's own */
}

/* Many threads set neighbouring ranges in leaves that nobody has made: each finds its own, and no leaf is counted twice. */
enum { RACERS = 8, RACES = 60 };
static pthread_barrier_t gate;

static void *race(void *number)
{
    uint64_t n = (uint64_t)(uintptr_t)number;
    for (uint64_t r = 0; r < RACES; r++) {
        uint64_t start = ((UINT64_C(100) + r) << LEAF_SHIFT) + n * 16 * MAP_GRANULE;
        pthread_barrier_wait(&gate);
        EXPECT(map_set(at(start), 16 * MAP_GRANULE, &owners[n]));
        range_is(start, 16 * MAP_GRANULE, &owners[n]);
    }
    return NULL;
}

static void races(void)
{
    size_t leaves = meta_numbers().leaves;
    pthread_t threads[RACERS];
    pthread_barrier_init(&gate, NULL, RACERS);
    for (uintptr_t i = 0; i < RACERS; i++)
        EXPECT(pthread_create(&threads[i], NULL, race, (void *)i) == 0);
    for (int i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    for (uint64_t r = 0; r < RACES; r++)
        for (uint64_t n = 0; n < RACERS; n++)
            range_is(((UINT64_C(100) + r) << LEAF_SHIFT) + n * 16 * MAP_GRANULE, 16 * MAP_GRANULE, &owners[n]);
    EXPECT_EQ(meta_numbers().leaves - leaves, RACES);
}

/* No memory for a leaf: false, and nothing has changed. */
static void no_memory(void *arg)
{
    (void)arg;
    uint64_t start = (UINT64_C(500) << LEAF_SHIFT) - 2 * MAP_GRANULE; /* the first leaf is there, the second is not */
    EXPECT(map_set(at(start), MAP_GRANULE, &owners[1]));
    struct rlimit none = {4096, 4096};
    EXPECT(setrlimit(RLIMIT_AS, &none) == 0);
    EXPECT(!map_set(at(start), 4 * MAP_GRANULE, &owners[2]));
    EXPECT(map_find(at(start)) == &owners[1]);
    EXPECT(map_find(at(start + MAP_GRANULE)) == NULL);
    EXPECT(map_find(at(start + 2 * MAP_GRANULE)) == NULL);
}

int main(void)
{
    os_start();
    EXPECT(map_find(at(UINT64_C(1) << 16)) == NULL);
    EXPECT_CHILD(first_is_low, NULL);
    borders();
    nearness();
    lengths();
    strangers();
    races();
    EXPECT_CHILD(no_memory, NULL);
    return 0;
}
