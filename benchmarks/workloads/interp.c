// interp: objects of an interpreter: small, of mixed sizes, mostly dead after a few steps, some surviving for long.
// Modelled on what CPython, Ruby and Lua ask of malloc: boxed numbers and tuples of 16 to 64 bytes most, strings and frames
// up to 512, now and then a table's array that grows by doubling; a value overwritten in a register dies at that moment;
// one in fifty is stored in the heap of old objects, where it replaces another one.
#include "workload.h"

enum { registers = 256, olds = 60000, tables = 64, mix_count = 8192 };

struct object {
    uint32_t size;
    uint32_t kind;
};

struct table {
    uint32_t *items;
    size_t used, room;
};

static struct object *live[registers];
static struct object *old[olds];
static struct table table[tables];
static uint16_t mix[mix_count];
static uint64_t sum;

static void mix_draw(struct random *r)
{
    for (size_t i = 0; i < mix_count; i++) {
        size_t dice = random_below(r, 100);
        size_t size = dice < 45 ? random_between(r, 16, 32) : dice < 80 ? random_between(r, 33, 64)
                    : dice < 95 ? random_between(r, 65, 160) : random_between(r, 161, 512);
        mix[i] = (uint16_t)size;
    }
}

static void object_drop(struct object *o)
{
    if (o == NULL)
        return;
    sum += o->kind + block_read(o, o->size);
    block_give(o);
}

static struct object *object_make(uint32_t size, uint32_t kind)
{
    struct object *o = block_take(size, kind);
    *o = (struct object){size, kind};
    return o;
}

static void table_append(struct table *t, uint32_t item)
{
    if (t->used == t->room) {
        t->room = t->room == 0 ? 4 : t->room * 2;
        t->items = block_hide(realloc(t->items, t->room * sizeof *t->items));
        if (t->items == NULL)
            workload_fail("realloc gave nothing");
    }
    t->items[t->used++] = item;
    if (t->used == 5000) {
        sum += t->items[t->used / 2];
        block_give(t->items);
        *t = (struct table){0};
    }
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    struct random r = random_from(3);
    mix_draw(&r);
    size_t steps = workload_times(24000000, 1000);
    for (size_t i = 0; i < steps; i++) {
        uint64_t dice = random_next(&r);
        size_t at = dice % registers;
        struct object *o = live[at];
        if (o != NULL && (dice >> 8) % 50 == 0) {
            struct object **place = &old[(dice >> 16) % olds];
            object_drop(*place);
            *place = o;
        } else {
            object_drop(o);
        }
        live[at] = object_make(mix[(dice >> 32) % mix_count], (uint32_t)(i & 0xffff));
        if ((dice >> 48) % 16 == 0)
            table_append(&table[(dice >> 52) % tables], (uint32_t)i);
    }
    for (size_t i = 0; i < olds; i++)
        object_drop(old[i]);
    return workload_end(sum);
}
