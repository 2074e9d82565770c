// Promise: no block overlaps another, loses contents, is misaligned, too small, or not zero when it must be.
// TEST: cflags=-fno-builtin
//
// Random operations over every entry point (support/oracle.h) against a shadow map kept by the
// test. First one thread with a fixed sequence in a child: if that fails, the sequence is shrunk to
// the few operations that are needed, and they are printed. Then 2, 4 and 8 threads that also hand
// blocks to each other through mailboxes and free what others allocated.
// LOAM_TEST_SEED repeats a run (exactly, for one thread); LOAM_TEST_SECONDS lengthens it.
#include "support/child.h"
#include "support/oracle.h"
#include <pthread.h>
#include <sys/mman.h>

enum { SEQUENCE = 600000, SHRINK_SECONDS = 20, THREADS_MOST = 8 };

static struct operation *sequence; // in shared memory, as is `left_out`
static bool *left_out;
static struct player players[THREADS_MOST];
static volatile bool stop;

static void *map_shared(size_t size) {
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED, "no memory for the test");
    return p;
}

static void sequence_run(void *length) {
    struct player *player = &players[0];
    size_t n = *(size_t *)length;
    player->dice = dice_make(77); // for mailboxes
    for (size_t i = 0; i < n; i++) {
        player->steps = i;
        if (!left_out[i]) operation_do(player, sequence[i]);
    }
    player->now.kind = DO_FREE;
    heap_is_whole("after the sequence");
    player_finish(player);
    mailboxes_finish(player);
    heap_is_whole("when all is free");
}

static struct child child;

static bool sequence_fails(size_t length) {
    child_run(&child, 2, sequence_run, &length);
    return !child_exited(&child, 0);
}

// Leaves out ever smaller pieces as long as it still fails (delta debugging), within a time.
static size_t sequence_shrink(size_t length) {
    uint64_t start = clock_ns();
    length = (size_t)*oracle_progress + 1; // nothing after the failing operation matters
    if (length > SEQUENCE || !sequence_fails(length)) length = SEQUENCE;
    for (size_t piece = length / 2; piece > 0; piece /= 2)
        for (size_t at = 0; at < length; at += piece) {
            if (seconds_since(start) > SHRINK_SECONDS) return length;
            size_t end = at + piece < length ? at + piece : length, changed = 0;
            static bool saved[SEQUENCE];
            memcpy(saved, left_out, sizeof saved);
            for (size_t i = at; i < end; i++) {
                changed += !left_out[i];
                left_out[i] = true;
            }
            if (changed && !sequence_fails(length)) memcpy(left_out, saved, sizeof saved);
        }
    return length;
}

static void sequence_show(size_t length) {
    size_t shown = 0;
    for (size_t i = 0; i < length; i++) {
        if (left_out[i]) continue;
        if (++shown <= 80)
            printf("  %zu: slot %u: %s, %u bytes, alignment %u\n", i, sequence[i].slot,
                   kind_names[sequence[i].kind], sequence[i].size, sequence[i].alignment);
    }
    printf("%zu operations fail (of %d); seed %llu\n", shown, SEQUENCE,
           (unsigned long long)test_seed_value);
}

static void one_thread(void) {
    uint64_t start = clock_ns();
    sequence = map_shared(SEQUENCE * sizeof *sequence);
    left_out = map_shared(SEQUENCE);
    oracle_progress = map_shared(4096);
    struct player *player = &players[0];
    player->dice = dice_make(1);
    for (size_t i = 0; i < SEQUENCE; i++) sequence[i] = operation_make(player);
    if (sequence_fails(SEQUENCE)) {
        printf("one thread failed (status %#x): %s", child.status, child.output);
        size_t length = sequence_shrink(SEQUENCE);
        sequence_show(length);
        sequence_fails(length);
        printf("they end with status %#x: %s", child.status, child.output);
        fflush(stdout);
        CHECK(false, "one thread failed, see above%s", "");
    }
    oracle_progress = NULL;
    printf("1 thread: %d operations, %.1f s\n", SEQUENCE, seconds_since(start));
}

static void *player_run(void *argument) {
    struct player *player = argument;
    while (!stop)
        for (int i = 0; i < 64; i++) operation_do(player, operation_make(player));
    // Some leave their blocks to the others through the mailboxes, the rest are freed here.
    for (size_t i = 0; i < SLOTS; i++) {
        player->now.kind = DO_HAND_OVER;
        mailbox_use(player, &player->slots[i]);
    }
    player_finish(player);
    return NULL;
}

static void threads_run(unsigned count, double seconds) {
    pthread_t threads[THREADS_MOST];
    uint64_t start = clock_ns(), steps = 0;
    stop = false;
    for (unsigned i = 0; i < count; i++) {
        memset(&players[i], 0, sizeof players[i]);
        players[i].number = i;
        players[i].dice = dice_make(count * 100 + i);
        CHECK(pthread_create(&threads[i], NULL, player_run, &players[i]) == 0, "no thread");
    }
    while (seconds_since(start) < seconds) sleep_ms(20);
    stop = true;
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        steps += players[i].steps;
    }
    heap_is_whole("after threads");
    mailboxes_finish(&players[0]);
    printf("%u threads: %llu operations, %.1f s\n", count, (unsigned long long)steps,
           seconds_since(start));
}

int main(void) {
    const char *longer = getenv("LOAM_TEST_SECONDS");
    double seconds = longer ? atof(longer) : 8;
    test_begin(120 + (unsigned)seconds);
    printf("seed %llu\n", (unsigned long long)test_seed_value);
    fflush(stdout);
    one_thread();
    for (unsigned count = 2; count <= THREADS_MOST; count *= 2) threads_run(count, seconds / 4);
    return 0;
}
