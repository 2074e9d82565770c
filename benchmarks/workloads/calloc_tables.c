// calloc_tables: hash tables whose arrays come from calloc and double as they fill, with chained nodes from calloc.
// Modelled on symbol tables, dictionaries of interpreters and caches: a cleared array of which few slots are touched at
// first, rehashed into one of twice the size; many small tables, few large; whole tables are dropped.
#include "workload.h"

enum { side_by_side = 48 };

struct node {
    struct node *next;
    uint64_t key, value, unused; // `unused` is never written: calloc promises zero
};

struct table {
    struct node **slots;
    size_t room, used, goal;
};

static uint64_t sum;

static void *cleared_take(size_t n, size_t size)
{
    void *p = block_hide(calloc(n, size));
    if (p == NULL)
        workload_fail("calloc(%zu, %zu) gave nothing", n, size);
    return p;
}

static void table_begin(struct table *t, struct random *r)
{
    size_t dice = random_below(r, 100);
    size_t goal = dice < 85 ? random_size(r, 16, 512) : dice < 99 ? random_size(r, 512, 16384) : random_size(r, 16384, 131072);
    *t = (struct table){cleared_take(16, sizeof(struct node *)), 16, 0, goal};
}

static void table_drop(struct table *t)
{
    for (size_t i = 0; i < t->room; i++)
        for (struct node *n = t->slots[i]; n != NULL;) {
            struct node *next = n->next;
            sum += n->value + n->unused;
            block_give(n);
            n = next;
        }
    block_give(t->slots);
}

static void table_double(struct table *t)
{
    struct node **slots = cleared_take(t->room * 2, sizeof *slots);
    for (size_t i = 0; i < t->room; i++)
        for (struct node *n = t->slots[i]; n != NULL;) {
            struct node *next = n->next;
            size_t at = n->key & (t->room * 2 - 1);
            n->next = slots[at];
            slots[at] = n;
            n = next;
        }
    block_give(t->slots);
    t->slots = slots;
    t->room *= 2;
}

static void table_put(struct table *t, uint64_t key)
{
    size_t at = key & (t->room - 1);
    for (struct node *n = t->slots[at]; n != NULL; n = n->next)
        if (n->key == key) {
            n->value++;
            return;
        }
    struct node *n = cleared_take(1, sizeof *n);
    n->next = t->slots[at];
    n->key = key;
    n->value += key & 0xff;
    t->slots[at] = n;
    if (++t->used > t->room)
        table_double(t);
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    static struct table tables[side_by_side];
    struct random r = random_from(13);
    for (size_t i = 0; i < side_by_side; i++)
        table_begin(&tables[i], &r);
    size_t puts = workload_times(3500000, 1000);
    for (size_t i = 0; i < puts; i++) {
        struct table *t = &tables[i % side_by_side];
        if (t->used >= t->goal) {
            table_drop(t);
            table_begin(t, &r);
        }
        table_put(t, random_next(&r) >> 20);
    }
    for (size_t i = 0; i < side_by_side; i++)
        table_drop(&tables[i]);
    return workload_end(sum);
}
