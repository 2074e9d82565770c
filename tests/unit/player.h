/* A player: one thread that calls all of malloc's family at random, and knows what it holds.
 *
 * Blocks are exchanged with the other players through a table, so that every block may be freed by any of them. Each call's
 * promise is checked: no overlap, alignment, usable size, contents, zeros. A failed call must say ENOMEM, and is counted. */
#ifndef LOAM_TESTS_PLAYER_H
#define LOAM_TESTS_PLAYER_H

#include "api/names.h"
#include "marks.h"

enum { PLAYER_HOLDS = 500, PLAYERS_SHARE = 256, PLAYERS_MAX = 64 };

struct piece {
    char *start;
    size_t asked;
    size_t align; /* asked for; 0: by a call without alignment */
    size_t usable;
    size_t kept; /* bytes that still hold what `key` wrote; of `written` */
    size_t written;
    uint64_t key;
};

struct player {
    struct random random;
    struct piece pieces[PLAYER_HOLDS];
    uint32_t count;
    uint32_t limit; /* pieces to hold, at most PLAYER_HOLDS */
    size_t largest; /* bytes of a block */
    uint64_t keys;
    uint64_t failed; /* calls that found no memory */
    bool may_fail; /* else such a call fails the test */
};

static struct piece players_shared[PLAYERS_SHARE];
static char players_locks[PLAYERS_SHARE]; /* one byte each: test and set */

static inline uint32_t player_pick(struct player *player, uint32_t n)
{
    return random_below(&player->random, n);
}

static inline size_t player_size(struct player *player)
{
    uint32_t what = player_pick(player, 64);
    if (what == 0)
        return player_pick(player, (uint32_t)player->largest + 1);
    if (what < 4)
        return player_pick(player, 70000);
    if (what < 16)
        return player_pick(player, 5000);
    return player_pick(player, what < 40 ? 128 : 1100);
}

static inline void piece_verify(const struct piece *piece)
{
    size_t wrong = contents_wrong(piece->start, piece->written, piece->kept, piece->key);
    if (wrong != SIZE_MAX)
        FAIL("%p of %zu bytes: byte %zu is not what was written there", (void *)piece->start, piece->asked, wrong);
}

/* Takes up what a call gave for `asked` bytes; false if it gave nothing. */
static inline bool piece_begin(struct player *player, struct piece *piece, void *p, size_t asked, size_t align)
{
    if (!p) {
        if (!player->may_fail)
            FAIL("no memory for %zu bytes", asked);
        if (errno != ENOMEM)
            FAIL("no memory for %zu bytes, and errno is %d", asked, errno);
        player->failed++;
        return false;
    }
    if ((uintptr_t)p % align != 0)
        FAIL("%p was to be aligned to %zu", p, align);
    size_t usable = API(malloc_usable_size)(p);
    if (usable < asked)
        FAIL("%p of %zu bytes has %zu usable", p, asked, usable);
    *piece = (struct piece){p, asked, 0, usable, usable, usable, (uint64_t)(uintptr_t)p ^ ++player->keys << 20};
    marks_take(p, usable);
    contents_put(p, usable, piece->key);
    return true;
}

static inline void piece_end(const struct piece *piece)
{
    piece_verify(piece);
    marks_drop(piece->start, piece->usable);
}

static inline void player_alloc(struct player *player)
{
    size_t size = player_size(player), align = 16;
    void *p = NULL;
    bool zero = false, aligned = false;
    switch (player_pick(player, 8)) {
    case 0:
        p = API(calloc)(size / 8 + 1, 8);
        size = (size / 8 + 1) * 8;
        zero = true;
        break;
    case 1:
        align = (size_t)8 << player_pick(player, 10);
        if (API(posix_memalign)(&p, align, size) != 0)
            errno = ENOMEM;
        align = align < 16 ? 16 : align;
        aligned = true;
        break;
    case 2:
        align = (size_t)16 << player_pick(player, player->largest > 100000 ? 14 : 8);
        p = API(aligned_alloc)(align, size);
        aligned = true;
        break;
    default:
        p = API(malloc)(size);
        break;
    }
    if (p && zero && !contents_zero(p, size))
        FAIL("calloc of %zu bytes gave %p, which is not zero", size, p);
    struct piece *piece = &player->pieces[player->count];
    if (!piece_begin(player, piece, p, size, align))
        return;
    piece->align = aligned ? align : 0;
    player->count++;
}

static inline void player_free(struct player *player, uint32_t at)
{
    struct piece piece = player->pieces[at];
    player->pieces[at] = player->pieces[--player->count];
    piece_end(&piece);
    int error = errno = (int)player_pick(player, 100);
    if (player_pick(player, 8) == 0 && piece.align)
        API(free_aligned_sized)(piece.start, piece.align, piece.asked);
    else if (player_pick(player, 8) == 0 && !piece.align)
        API(free_sized)(piece.start, piece.asked);
    else
        API(free)(piece.start);
    if (errno != error)
        FAIL("free changed errno from %d to %d", error, errno);
}

static inline void player_realloc(struct player *player, uint32_t at)
{
    struct piece *piece = &player->pieces[at], was = *piece;
    size_t size = player_pick(player, 2) ? player_size(player) : was.asked + was.asked / 8 + 1;
    size = size == 0 ? 1 : size > player->largest * 2 ? 100 : size;
    piece_end(piece);
    void *p = API(realloc)(was.start, size);
    if (!p) { /* the old one is as it was */
        marks_take(was.start, was.usable);
        piece_verify(&was);
        piece_begin(player, piece, NULL, size, 16);
        *piece = was;
        return;
    }
    size_t wrong = contents_wrong(p, was.written, was.asked < size ? was.asked : size, was.key);
    if (wrong != SIZE_MAX)
        FAIL("realloc of %p from %zu to %zu bytes lost byte %zu", (void *)was.start, was.asked, size, wrong);
    piece_begin(player, piece, p, size, 16);
}

/* One of ours for what lies in the table. */
static inline void player_exchange(struct player *player, uint32_t at)
{
    uint32_t slot = player_pick(player, PLAYERS_SHARE);
    if (__atomic_test_and_set(&players_locks[slot], __ATOMIC_ACQUIRE))
        return;
    struct piece got = players_shared[slot];
    players_shared[slot] = player->pieces[at];
    __atomic_clear(&players_locks[slot], __ATOMIC_RELEASE);
    if (got.start)
        player->pieces[at] = got;
    else
        player->pieces[at] = player->pieces[--player->count];
}

static inline void player_step(struct player *player)
{
    uint32_t what = player_pick(player, 100);
    if (player->count == 0 || (player->count < player->limit && what < 42)) {
        player_alloc(player);
        return;
    }
    uint32_t at = player_pick(player, player->count);
    if (what < 80)
        player_free(player, at);
    else if (what < 88)
        player_realloc(player, at);
    else
        player_exchange(player, at);
}

/* At rest: what all hold, as malloc_usable_size has it. */
static inline void players_sum(const struct player *players, uint32_t count, size_t *blocks, size_t *bytes)
{
    *blocks = *bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < players[i].count; k++) {
            ++*blocks;
            *bytes += players[i].pieces[k].usable;
        }
    for (uint32_t i = 0; i < PLAYERS_SHARE; i++)
        if (players_shared[i].start) {
            ++*blocks;
            *bytes += players_shared[i].usable;
        }
}

/* At rest: everything is freed by the first. */
static inline void players_end(struct player *players, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        while (players[i].count > 0)
            player_free(&players[i], players[i].count - 1);
    for (uint32_t i = 0; i < PLAYERS_SHARE; i++)
        if (players_shared[i].start) {
            piece_end(&players_shared[i]);
            API(free)(players_shared[i].start);
            players_shared[i].start = NULL;
        }
}

#endif
