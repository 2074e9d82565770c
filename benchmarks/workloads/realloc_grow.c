// realloc_grow: many vectors that grow by realloc, some by doubling, some by half, some by a fixed step.
// Modelled on string builders, parsers' token arrays, JSON encoders and Rust's Vec: a few hundred grow side by side, most
// end small, a few reach megabytes, then shrink to fit and live on for a while.
#include "workload.h"

enum { side_by_side = 200 };

struct vector {
    unsigned char *bytes;
    size_t used, room, goal;
    unsigned policy;
};

static uint64_t sum;

static size_t room_next(const struct vector *v)
{
    if (v->room == 0)
        return 32;
    if (v->policy == 0)
        return v->room * 2;
    return v->policy == 1 ? v->room + v->room / 2 : v->room + (v->room < 4096 ? 64 : 4096);
}

static void vector_resize(struct vector *v, size_t room)
{
    v->bytes = block_hide(realloc(v->bytes, room));
    if (v->bytes == NULL)
        workload_fail("realloc(%zu) gave nothing", room);
    v->room = room;
}

static void vector_append(struct vector *v, size_t n, unsigned tag)
{
    while (v->used + n > v->room)
        vector_resize(v, room_next(v));
    memset(v->bytes + v->used, (int)(tag & 0xff), n);
    v->used += n;
}

static void vector_begin(struct vector *v, struct random *r)
{
    if (v->bytes != NULL) {
        sum = checksum_mix(sum, block_read(v->bytes, v->used) + v->bytes[v->used / 2]);
        block_give(v->bytes);
    }
    size_t dice = random_below(r, 1000);
    size_t goal = dice < 800 ? random_size(r, 64, 2048) : dice < 993 ? random_size(r, 2048, 128 << 10)
                                                      : random_size(r, 128 << 10, 4 << 20);
    unsigned policy = (unsigned)random_below(r, 3);
    *v = (struct vector){NULL, 0, 0, policy == 2 && goal > (256 << 10) ? 256 << 10 : goal, policy};
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    static struct vector vectors[side_by_side];
    struct random r = random_from(11);
    for (size_t i = 0; i < side_by_side; i++)
        vector_begin(&vectors[i], &r);
    size_t steps = workload_times(2500000, 1000);
    for (size_t i = 0; i < steps; i++) {
        struct vector *v = &vectors[random_below(&r, side_by_side)];
        if (v->used >= v->goal) {
            vector_begin(v, &r);
            continue;
        }
        vector_append(v, v->goal > 4096 ? random_between(&r, 64, 4096) : random_between(&r, 8, 128), (unsigned)i);
        if (v->used >= v->goal)
            vector_resize(v, v->used); // shrink to fit
    }
    for (size_t i = 0; i < side_by_side; i++)
        block_give(vectors[i].bytes);
    return workload_end(sum);
}
