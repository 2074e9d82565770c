/* Every size has a class that holds it, the smallest such class, and every class's blocks are found again by their length;
 * every chunk that a bin says fits, fits. Exhaustive. */
#include "arena/bins.h"
#include "cache/table.h"
#include "unit.h"

static void classes(void)
{
    for (uint32_t class = 1; class < SIZE_CLASSES; class ++) {
        EXPECT_EQ(size_class_of(size_granules(class)), class);
        EXPECT_EQ(size_class(size_bytes(class)), class);
        if (class > 1)
            EXPECT(size_granules(class) > size_granules(class - 1));
        EXPECT(table_cap_max(class) >= 2);
        EXPECT(table_cap_first(class) >= 1 && table_cap_first(class) <= table_cap_max(class));
        EXPECT_EQ(table_place(class), class * 16);
    }
    EXPECT_EQ(size_bytes(SIZE_CLASS_MAX), SIZE_MAX_BYTES);
    EXPECT_EQ(size_class(0), 1);
}

static void sizes(void)
{
    for (size_t bytes = 0; bytes <= SIZE_MAX_BYTES; bytes++) {
        uint32_t class = size_class(bytes);
        EXPECT(class >= 1 && class < SIZE_CLASSES);
        EXPECT(size_bytes(class) >= bytes);
        if (class > 1 && size_bytes(class - 1) >= bytes)
            FAIL("%zu bytes get class %u of %zu bytes, though class %u of %zu holds them", bytes, class,
                 size_bytes(class), class - 1, size_bytes(class - 1));
        if (bytes > 0 && bytes <= SIZE_FINE_MAX)
            EXPECT_EQ(size_bytes(class), (bytes + 15) / 16 * 16);
        else if (bytes > SIZE_FINE_MAX) /* 16 steps a doubling: at most a sixteenth and a granule is lost */
            EXPECT(size_bytes(class) - bytes < bytes / 16 + GRANULE);
    }
}

static void bins(void)
{
    uint32_t before = 0;
    for (uint32_t longest = 0; longest <= CHUNK_GRANULES; longest++) {
        uint32_t bin = bin_of(longest);
        EXPECT(bin < ARENA_BINS);
        EXPECT(bin >= before);
        before = bin;
    }
    for (uint32_t g = 1; g <= CHUNK_GRANULES; g++) {
        uint32_t bin = bin_for(g);
        EXPECT(bin < ARENA_BINS);
        EXPECT(bin_of(CHUNK_GRANULES) >= bin); /* an empty chunk serves everything */
        for (uint32_t longest = 0; longest <= CHUNK_GRANULES; longest++)
            if (bin_of(longest) >= bin && longest < g)
                FAIL("a chunk whose longest hole is %u stands in bin %u; a request of %u takes from bin %u on", longest,
                     bin_of(longest), g, bin);
    }
    for (uint32_t class = 1; class < SIZE_CLASSES;
         class ++) /* a class's own length starts a bin: no chunk that fits is missed */
        EXPECT_EQ(bin_for(size_granules(class)), bin_of(size_granules(class)));
}

/* Insert, remove, find over all bins against a plain array. */
static void bin_lists(void)
{
    enum { CHUNKS = 300 };
    static struct arena arena;
    static struct chunk chunks[CHUNKS];
    static uint32_t in_bin[CHUNKS];
    struct random random;
    random_seed(&random, unit_seed());
    for (int i = 0; i < CHUNKS; i++)
        in_bin[i] = UINT32_MAX;
    for (int step = 0; step < 200000; step++) {
        uint32_t i = random_below(&random, CHUNKS);
        if (in_bin[i] != UINT32_MAX) {
            bin_remove(&arena, &chunks[i]);
            in_bin[i] = UINT32_MAX;
        } else {
            in_bin[i] = random_below(&random, ARENA_BINS);
            bin_insert(&arena, &chunks[i], in_bin[i], random_below(&random, 2));
        }
        uint32_t from = random_below(&random, ARENA_BINS), lowest = UINT32_MAX;
        for (int k = 0; k < CHUNKS; k++)
            if (in_bin[k] != UINT32_MAX && in_bin[k] >= from && in_bin[k] < lowest)
                lowest = in_bin[k];
        const struct chunk *found = bin_find(&arena, from);
        if ((found ? in_bin[found - chunks] : UINT32_MAX) != lowest)
            FAIL("step %d: from bin %u on the lowest chunk is in %u, found %u", step, from, lowest,
                 found ? in_bin[found - chunks] : UINT32_MAX);
    }
}

int main(void)
{
    classes();
    sizes();
    bins();
    bin_lists();
    return 0;
}
