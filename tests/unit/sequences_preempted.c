/* The four sequences on real tables, by more threads than processors, under a storm of timers, and moved from processor to
 * processor while they run: no node is ever in two hands, and none is lost.
 *
 * The nodes are the test's own, so that nothing but the sequences is at work. The processor's index is taken once as the
 * library takes it, once as the plain number of the processor. The negative control stores the descriptors where the kernel does
 * not look; it must go wrong, or the test says that this machine cannot show it, and is skipped. */
#define _GNU_SOURCE 1
#include "cache/inside.h"
#include "os/cpu.h"
#include "os/pages.h"
#include "unit.h"
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

enum { THREADS = 8, NODES = 1200, LISTS = 3, HELD = 12, TABLES = 256, RSEQ_CPU_ID_AT = 4, ROOM = 1 << 28 };

struct node {
    struct block link;
    uint32_t owner; /* 0: in a list */
    uint32_t seen; /* by the reckoning at the end */
    char rest[48];
};
static struct node nodes[NODES];

static struct worker {
    pthread_t thread;
    pid_t tid;
    uint32_t number; /* from 1 */
    struct random random;
    struct node *held[HELD];
    uint32_t count;
    uint64_t pops, pushes, takes, installs;
} workers[THREADS];

static bool stop;
static double seconds;
static __thread uint32_t nobodys_area[8] __attribute__((aligned(32)));

static void own(struct worker *w, struct node *node)
{
    if (node < nodes || node >= nodes + NODES)
        FAIL("a list holds %p, which is no node", (void *)node);
    uint32_t was = __atomic_exchange_n(&node->owner, w->number, __ATOMIC_RELAXED);
    if (was != 0)
        FAIL("thread %u got node %d, which thread %u has", w->number, (int)(node - nodes), was);
}

static void disown(struct worker *w, struct node *node)
{
    uint32_t was = __atomic_exchange_n(&node->owner, 0, __ATOMIC_RELAXED);
    if (was != w->number)
        FAIL("thread %u gives back node %d, which thread %u has", w->number, (int)(node - nodes), was);
}

static bool push(struct worker *w, uint32_t class, struct node *node)
{
    disown(w, node);
    enum sequence_result result = sequence_push_again(class, node);
    if (result == SEQUENCE_TWICE)
        FAIL("node %d is at its list's head already", (int)(node - nodes));
    if (result == SEQUENCE_DONE)
        w->pushes++;
    else
        own(w, node);
    return result == SEQUENCE_DONE;
}

static void pop(struct worker *w, uint32_t class)
{
    struct node *node = sequence_pop_again(table_place(class));
    if (!node)
        return;
    own(w, node);
    w->held[w->count++] = node;
    w->pops++;
}

/* Takes a whole list and puts it elsewhere whole, as overflow and refill do; what finds no place is pushed one by one. */
static void move_whole(struct worker *w, uint32_t class)
{
    bool spare = random_below(&w->random, 2);
    uintptr_t from = table_place(class) + (spare ? TABLE_SPARE : 0),
              to = table_place(class) + (spare ? 0 : TABLE_SPARE);
    struct block *head = NULL;
    uint32_t left = 0;
    if (!sequence_take(from, spare ? 0 : ROOM, &head, &left) || !head)
        return;
    uint32_t n = 0;
    for (struct block *block = head; block; block = block->next) {
        own(w, (struct node *)(void *)block);
        if (++n > NODES)
            FAIL("a list runs in a circle");
    }
    w->takes++;
    for (struct block *block = head; block; block = block->next)
        disown(w, (struct node *)(void *)block);
    if (sequence_install(to, head, spare ? ROOM : n)) {
        w->installs++;
        return;
    }
    for (struct block *block = head, *next; block; block = next) {
        next = block->next;
        own(w, (struct node *)(void *)block);
        while (!push(w, class, (struct node *)(void *)block)) {
        }
    }
}

static void storm_begin(timer_t *timer, pid_t tid)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
    event._sigev_un._tid = tid;
    EXPECT(timer_create(CLOCK_MONOTONIC, &event, timer) == 0);
    struct itimerspec often = {{0, 150000}, {0, 150000}};
    EXPECT(timer_settime(*timer, 0, &often, NULL) == 0);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    timer_t timer;
    __atomic_store_n(&w->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
    if (w->number % 2)
        storm_begin(&timer, w->tid);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        uint32_t what = random_below(&w->random, 1000), class = 1 + what % LISTS;
        if (what < 2)
            move_whole(w, class);
        else if (w->count == 0 || (w->count < HELD && what % 2))
            pop(w, class);
        else if (push(w, class, w->held[w->count - 1]))
            w->count--;
    }
    if (w->number % 2)
        timer_delete(timer);
    return NULL;
}

static void on_signal(int signal_number)
{
    (void)signal_number;
}

/* Moves threads about from outside, whatever they are doing. */
static void hop(double until, struct random *random)
{
    cpu_set_t all;
    EXPECT(sched_getaffinity(0, sizeof all, &all) == 0);
    while (unit_seconds() < until) {
        const struct worker *w = &workers[random_below(random, THREADS)];
        pid_t tid = __atomic_load_n(&w->tid, __ATOMIC_ACQUIRE);
        uint32_t cpu = random_below(random, CPU_SETSIZE);
        for (uint32_t i = 0; i < CPU_SETSIZE && !CPU_ISSET(cpu, &all); i++)
            cpu = (cpu + 1) % CPU_SETSIZE;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (tid)
            sched_setaffinity(tid, sizeof one, random_below(random, 4) ? &one : &all);
        struct timespec soon = {0, 20000};
        nanosleep(&soon, NULL);
    }
}

static uint32_t reckon_list(const struct block *block)
{
    uint32_t n = 0;
    for (; block; block = block->next, n++) {
        struct node *node = (struct node *)(uintptr_t)block;
        if (node < nodes || node >= nodes + NODES)
            FAIL("a list holds %p, which is no node", (const void *)block);
        if (node->seen++ || node->owner)
            FAIL("node %d is in two lists, or in a list and in a hand", (int)(node - nodes));
    }
    return n;
}

static void reckon(void)
{
    uint32_t listed = 0, held = 0, tables = 0;
    uint64_t pops = 0, pushes = 0, takes = 0, installs = 0;
    for (uint32_t id = 0; id < TABLES; id++) {
        uint32_t here = 0;
        for (uint32_t class = 1; class <= LISTS; class ++)
            here += reckon_list(cache_made[id]->active[class].head) + reckon_list(cache_made[id]->spare[class].head);
        listed += here;
        tables += here > 0;
    }
    for (int i = 0; i < THREADS; i++) {
        held += workers[i].count;
        pops += workers[i].pops;
        pushes += workers[i].pushes;
        takes += workers[i].takes;
        installs += workers[i].installs;
    }
    if (listed + held != NODES)
        FAIL("%u nodes in lists and %u in hands, expected %d in all", listed, held, NODES);
    printf("  %llu pops, %llu pushes, %llu takes, %llu installs; nodes in %u tables at the end\n",
           (unsigned long long)pops, (unsigned long long)pushes, (unsigned long long)takes,
           (unsigned long long)installs, tables);
    EXPECT(pops > 10000 && takes > 10 && installs > 10);
}

struct setting {
    bool plain_index, without_descriptor;
    uint64_t seed;
};

static void storm(void *arg)
{
    const struct setting *setting = arg;
    struct random random;
    random_seed(&random, setting->seed);
    os_start();
    cache_start(CACHE_WISH_AUTO);
    for (uint32_t id = 0; id < TABLES; id++) {
        struct table *table = table_get(id);
        EXPECT(table != NULL);
        for (uint32_t class = 1; class <= LISTS; class ++)
            table->active[class].left = ROOM;
    }
    if (setting->plain_index)
        sequence.index = sequence.area + RSEQ_CPU_ID_AT;
    if (setting->without_descriptor)
        sequence.area = (intptr_t)((uintptr_t)nobodys_area - thread_pointer());
    struct table *first = table_get(0);
    for (int i = 0; i < NODES; i++) {
        struct table_list *list = &first->active[1 + i % LISTS];
        nodes[i].link.next = list->head;
        list->head = &nodes[i].link;
    }
    alarm(60);
    signal(SIGRTMIN, on_signal);
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i].number = i + 1;
        random_seed(&workers[i].random, setting->seed + i + 1);
        EXPECT(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    hop(unit_seconds() + seconds, &random);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    reckon();
}

int main(void)
{
    struct setting setting = {.seed = unit_seed()};
    cache_start(CACHE_WISH_AUTO);
    if (LOAM_TSAN || cache_mode() != CACHE_SEQUENCES) {
        printf("no sequences here: %s\n", LOAM_TSAN ? "ThreadSanitizer does not see into them" : cache_why_locked());
        return UNIT_SKIP;
    }
    seconds = 2;
    for (int plain = 0; plain < 2; plain++) {
        setting.plain_index = plain;
        printf("%s\n", plain ? "by the processor's number:" : "by the library's index:");
        EXPECT_CHILD(storm, &setting);
    }
    setting.without_descriptor = true;
    for (seconds = 0.5; seconds < 9; seconds *= 2) {
        struct unit_end end = unit_child(storm, &setting);
        if (end.status != 0) {
            printf("control, without descriptors, within %.1f s: status %#x: %s", seconds, (unsigned)end.status,
                   end.text);
            return 0;
        }
    }
    puts("the control, whose sequences the kernel does not know, came to no harm in 8 s: this machine cannot show it");
    return UNIT_SKIP;
}
