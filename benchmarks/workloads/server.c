// server THREADS: answers requests on connections that outlive them.
// Modelled on web and RPC servers: a connection has its state and an input buffer and lives for hundreds of requests; a
// request makes some twenty strings (method, path, headers), a body, a table of its fields and a response that grows as it
// is written, and drops all of it at its end; now and then it leaves something in the connection's session. In turns the
// connections pass to another thread, as from the queue of a thread pool, so much is given back by another thread than the
// one that took it.
#include "workload.h"

#include <pthread.h>

enum { turns = 8, headers_most = 32, session_items = 6 };

struct connection {
    struct random random;
    uint64_t sum;
    unsigned char *input;
    size_t input_size;
    void *session[session_items];
    size_t session_size[session_items];
};

static size_t threads, connections_each, requests_each;
static struct connection **connections; // threads × connections_each
static pthread_barrier_t turn_end;

static struct connection *connection_open(uint64_t id)
{
    struct connection *c = block_take(sizeof *c, 0);
    c->random = random_from(id);
    c->input_size = random_size(&c->random, 2048, 16384);
    c->input = block_take(c->input_size, (unsigned)id);
    return c;
}

static void connection_close(struct connection *c)
{
    for (size_t i = 0; i < session_items; i++)
        block_give(c->session[i]);
    block_give(c->input);
    block_give(c);
}

static void session_store(struct connection *c, size_t size)
{
    size_t at = random_below(&c->random, session_items);
    if (c->session[at] != NULL)
        c->sum += block_read(c->session[at], c->session_size[at]);
    block_give(c->session[at]);
    c->session[at] = block_take(size, (unsigned)size);
    c->session_size[at] = size;
}

// Writes the response piece by piece into a buffer that doubles.
static void response_write(struct connection *c, size_t length)
{
    size_t room = 512, used = 0;
    unsigned char *out = block_take_raw(room);
    while (used < length) {
        size_t piece = length - used < 400 ? length - used : 400;
        if (used + piece > room) {
            room *= 2;
            out = block_hide(realloc(out, room));
            if (out == NULL)
                workload_fail("realloc gave nothing");
        }
        memset(out + used, (int)(piece & 0xff), piece);
        used += piece;
    }
    c->sum += block_read(out, used);
    block_give(out);
}

static void request_answer(struct connection *c)
{
    struct random *r = &c->random;
    unsigned char *header[headers_most];
    size_t size[headers_most];
    size_t n = random_between(r, 8, headers_most);
    memset(c->input, (int)n, 512);
    void **fields = block_take(n * 2 * sizeof(void *), 0);
    for (size_t i = 0; i < n; i++) {
        size[i] = random_size(r, 16, 255);
        header[i] = block_take(size[i], (unsigned)i);
        fields[i * 2] = header[i];
    }
    size_t body_size = random_size(r, 128, 8192);
    void *body = block_take(body_size, (unsigned)n);
    response_write(c, random_size(r, 256, 16384));
    if (random_below(r, 8) == 0)
        session_store(c, random_size(r, 32, 1024));
    c->sum += block_read(body, body_size);
    block_give(body);
    for (size_t i = 0; i < n; i++) {
        c->sum += block_read(header[i], size[i]);
        block_give(fields[i * 2]);
    }
    block_give(fields);
}

static void *worker_run(void *argument)
{
    size_t id = (size_t)(uintptr_t)argument;
    for (size_t turn = 0; turn < turns; turn++) {
        size_t part = (id + turn) % threads;
        struct connection **mine = connections + part * connections_each;
        struct random r = random_from(part * 1000 + turn);
        for (size_t i = 0; i < requests_each; i++) {
            size_t at = random_below(&r, connections_each);
            if (mine[at] == NULL)
                mine[at] = connection_open(part * 100000 + at);
            request_answer(mine[at]);
        }
        pthread_barrier_wait(&turn_end);
    }
    return NULL;
}

int main(int count, char **arguments)
{
    workload_begin(count, arguments);
    threads = workload_argument(count, arguments, 1, 1);
    size_t all = threads > 2000 ? threads : 2000;
    connections_each = all / threads;
    requests_each = workload_times(900000 / (threads * turns), 1);
    connections = calloc(threads * connections_each, sizeof(struct connection *));
    pthread_t *ids = calloc(threads, sizeof *ids);
    if (connections == NULL || ids == NULL)
        workload_fail("calloc gave nothing");
    pthread_barrier_init(&turn_end, NULL, (unsigned)threads);
    for (size_t i = 1; i < threads; i++)
        if (pthread_create(&ids[i], NULL, worker_run, (void *)(uintptr_t)i) != 0)
            workload_fail("thread %zu cannot be made", i);
    worker_run(NULL);
    for (size_t i = 1; i < threads; i++)
        pthread_join(ids[i], NULL);
    uint64_t sum = 0;
    for (size_t i = 0; i < threads * connections_each; i++)
        if (connections[i] != NULL) {
            sum = checksum_mix(sum, connections[i]->sum);
            connection_close(connections[i]);
        }
    free(connections);
    free(ids);
    return workload_end(sum);
}
