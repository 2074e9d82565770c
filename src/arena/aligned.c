/* Cutting blocks aligned to more than a granule. */
#include "arena/arena.h"
#include "arena/inside.h"
#include "observe/hook.h"

enum {
    CARVE_ALIGNED = 32,
    ALIGNED_TRIES = 4,
};

/* Cuts up to k; fewer if the chunk has no more aligned places. They are linked later, from `out`. */
static uint32_t chunk_carve_aligned(struct arena *arena, struct chunk *chunk, uint32_t class, uint32_t align, uint32_t k, char **out)
{
    const struct bounds bounds = chunk_bounds(chunk);
    uint32_t g = size_granules(class), count = 0;
    for (; count < k; count++) {
        uint32_t at = bounds_place_aligned(&bounds, g, align, 0);
        if (at == BOUNDS_NONE)
            break;
        if (g > SIZE_FINE)
            chunk->large[at / BITS_WORD] = (uint8_t)class;
        chunk_touch(chunk, at, at + g);
        out[count] = chunk_address(chunk, at);
    }
    if (count == 0)
        return 0;
    chunk->longest = (uint16_t)bounds_longest(&bounds);
    chunk_settle(arena, chunk);
    arena->carved[class] += count;
    counter_add(&arena->blocks, count);
    counter_add(&arena->occupied, (size_t)count * g);
    observe_handed_out(&arena->handed, count * size_bytes(class), size_bytes(class));
    return count;
}

struct list arena_take_aligned(uint32_t *preferred, uint32_t class, size_t align, uint32_t k)
{
    uint32_t g = size_granules(class), steps = (uint32_t)(align >> GRANULE_SHIFT), count = 0;
    char *cut[CARVE_ALIGNED];
    struct list list = {0};
    k = k < CARVE_ALIGNED ? k : CARVE_ALIGNED;
    struct arena *arena = arena_lock_one(preferred);
    struct chunk *chunk = bin_find(arena, bin_for(g)); /* the tightest may do, by luck */
    for (uint32_t i = 0; i < ALIGNED_TRIES && chunk && count == 0; i++, chunk = chunk->next)
        count = chunk_carve_aligned(arena, chunk, class, steps, k, cut);
    if (count == 0) { /* this one surely does */
        chunk = bin_find(arena, bin_for(g + steps - 1 < CHUNK_GRANULES ? g + steps - 1 : CHUNK_GRANULES));
        if (!chunk)
            chunk = chunk_new(arena);
        if (chunk)
            count = chunk_carve_aligned(arena, chunk, class, steps, k, cut);
    }
    lock_drop(&arena->lock);
    arena_count_peak();
    while (count-- > 0)
        list_push(&list, (struct block *)(void *)cut[count]);
    return list;
}
