// lru: a cache that drops the least recently used entries to stay under 64 MiB.
// Modelled on memcached without its slabs, on a browser's or a database's cache: an entry is a node, a key and a value of
// 64 bytes to 64 KiB, popular keys come more often, values are replaced by ones of another size. The cache counts its own
// bytes; the metric rss_per_live is the RSS over them.
#include "workload.h"

enum { slots = 1 << 15, keys = 60000 };

struct entry {
    struct entry *next;           // in the slot
    struct entry *newer, *older;  // in the order of use
    char *key;
    unsigned char *value;
    size_t value_size;
    uint32_t number;
};

static struct entry *slot[slots];
static struct entry *newest, *oldest;
static size_t bytes, cap;
static uint64_t sum;

static size_t key_length(uint32_t number)
{
    return 12 + number % 40;
}

static size_t entry_bytes(const struct entry *e)
{
    return sizeof *e + key_length(e->number) + e->value_size;
}

static void order_leave(struct entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &oldest) = e->newer;
}

static void order_enter(struct entry *e)
{
    e->newer = NULL;
    e->older = newest;
    *(newest != NULL ? &newest->newer : &oldest) = e;
    newest = e;
}

static void entry_drop(struct entry *e)
{
    struct entry **link = &slot[e->number % slots];
    while (*link != e)
        link = &(*link)->next;
    *link = e->next;
    order_leave(e);
    bytes -= entry_bytes(e);
    sum = checksum_mix(sum, block_read(e->value, e->value_size) + (unsigned char)e->key[0]);
    block_give(e->value);
    block_give(e->key);
    block_give(e);
}

static struct entry *entry_find(uint32_t number)
{
    struct entry *e = slot[number % slots];
    while (e != NULL && e->number != number)
        e = e->next;
    return e;
}

static size_t value_draw(struct random *r)
{
    size_t dice = random_below(r, 100);
    return dice < 70 ? random_size(r, 64, 2047) : dice < 97 ? random_size(r, 2048, 16383) : random_size(r, 16384, 65536);
}

static void entry_put(struct random *r, uint32_t number)
{
    struct entry *e = block_take(sizeof *e, 0);
    e->number = number;
    e->key = block_take(key_length(number), number);
    e->value_size = value_draw(r);
    e->value = block_take(e->value_size, number);
    e->next = slot[number % slots];
    slot[number % slots] = e;
    order_enter(e);
    bytes += entry_bytes(e);
    while (bytes > cap)
        entry_drop(oldest);
}

static void entry_use(struct random *r, struct entry *e)
{
    order_leave(e);
    order_enter(e);
    sum += e->value[e->value_size / 2];
    if (random_below(r, 8) != 0)
        return;
    bytes -= e->value_size;
    block_give(e->value);
    e->value_size = value_draw(r);
    e->value = block_take(e->value_size, e->number);
    bytes += e->value_size;
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    struct random r = random_from(16);
    cap = workload_times(64u << 20, 1 << 20);
    size_t steps = workload_times(2600000, 1000);
    for (size_t i = 0; i < steps; i++) {
        uint64_t dice = random_next(&r);
        // The square of an even draw: the first tenth of the keys gets about a third of the use.
        double even = (double)(dice >> 11) * 0x1p-53;
        uint32_t number = (uint32_t)(even * even * keys);
        struct entry *e = entry_find(number);
        if (e != NULL)
            entry_use(&r, e);
        else
            entry_put(&r, number);
    }
    metric_print("rss_per_live", rss_kib() * 1024.0 / (double)bytes);
    while (oldest != NULL)
        entry_drop(oldest);
    return workload_end(sum);
}
