/* A block that grows or shrinks where it stands. */
#include "arena/arena.h"
#include "arena/inside.h"
#include "span/span.h"

bool arena_resize(struct chunk *chunk, void *p, uint32_t from, uint32_t to, uint32_t roomy)
{
    const struct bounds bounds = chunk_bounds(chunk);
    struct arena *arena = chunk->arena;
    uint32_t i = (uint32_t)chunk_granule(chunk, p);
    bool done = true;
    lock_take(&arena->lock);
    if (to > from) {
        uint32_t hole = bounds_extend(&bounds, i, from, roomy);
        if (hole)
            to = roomy;
        else if (roomy > to)
            hole = bounds_extend(&bounds, i, from, to);
        done = hole != 0;
        if (done)
            chunk_touch(chunk, i + from, i + to);
        if (hole == chunk->longest)
            chunk->longest = (uint16_t)bounds_longest(&bounds);
    } else {
        struct bounds_segment hole = bounds_shrink(&bounds, i, from, to);
        if (hole.length > chunk->longest)
            chunk->longest = (uint16_t)hole.length;
        chunk->stamp = span_tick_number();
    }
    if (done) {
        if (to > SIZE_FINE)
            chunk->large[i / BITS_WORD] = (uint8_t)size_class_of(to);
        counter_add(&arena->occupied, to);
        counter_sub(&arena->occupied, from);
        chunk_settle(arena, chunk);
    }
    lock_drop(&arena->lock);
    return done;
}
