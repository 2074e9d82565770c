// The oracle's blocks and operations: what is done to the heap, and what must be true of the answer.
//
// An operation names its slot, size and alignment itself and means something whatever the slot
// holds, so any subset of a sequence is a sequence: that is what lets a failing run be shrunk.
// Every answer is checked: alignment, usable size, zeroes of calloc, overlap with every live block
// (shadow.h), contents when a block is given up or resized, usable size unchanged while it lives.
// The whole usable size is written to: it is the program's. But only what was asked for must
// survive a realloc.
#ifndef SURFACE_ORACLE_H
#define SURFACE_ORACLE_H

#include "shadow.h"
#include "surface.h"
#include <malloc.h>

extern void cfree(void *) __attribute__((weak));
// Loam's own check of the whole heap: NULL, or words.
extern const char *surface_loam_check(void) __asm__("loam_check") __attribute__((weak));
extern void free_sized(void *, size_t) __attribute__((weak));
extern void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));
// C++: operator new(n), new(n, align), delete(p), delete(p, n), delete(p, align).
extern void *_Znwm(size_t) __attribute__((weak));
extern void *_ZnwmSt11align_val_t(size_t, size_t) __attribute__((weak));
extern void _ZdlPv(void *) __attribute__((weak));
extern void _ZdlPvm(void *, size_t) __attribute__((weak));
extern void _ZdlPvSt11align_val_t(void *, size_t) __attribute__((weak));

// Who made a block: decides by which sized or C++ free it may end.
enum maker { BY_MALLOC, BY_ALIGNED_ALLOC, BY_NEW, BY_NEW_ALIGNED, BY_OTHER };

struct block {
    unsigned char *p;
    size_t size;      // asked for
    size_t usable;    // filled
    size_t alignment; // asked for
    uint64_t tag;
    enum maker maker;
};

enum kind {
    DO_MALLOC, DO_CALLOC, DO_REALLOC, DO_REALLOCARRAY, DO_ALIGNED_ALLOC, DO_POSIX_MEMALIGN,
    DO_MEMALIGN, DO_VALLOC, DO_PVALLOC, DO_NEW, DO_NEW_ALIGNED, LAST_ALLOCATION = DO_NEW_ALIGNED,
    DO_FREE, DO_FREE_OTHERWISE, DO_REALLOC_TO_0, DO_LOOK, DO_HAND_OVER, DO_TAKE, DO_TRIM, DO_INFO
};

static const char *const kind_names[] = {
    "malloc", "calloc", "realloc", "reallocarray", "aligned_alloc", "posix_memalign", "memalign",
    "valloc", "pvalloc", "operator new", "operator new aligned", "free", "sized or C++ or c free",
    "realloc to 0", "look", "hand over", "take", "malloc_trim", "mallinfo2"};

struct operation {
    uint16_t kind;
    uint16_t slot;
    uint32_t alignment;
    uint32_t size;
};

enum { SLOTS = 1024, MAILBOXES = 256 };

// A mailbox holds one block on its way between threads.
struct mailbox {
    int state; // 0 empty, 1 being filled or emptied, 2 full; changed by compare-and-swap
    struct block block;
};
static struct mailbox mailboxes[MAILBOXES];

struct player {
    struct dice dice;
    unsigned number;
    uint64_t steps; // operations done
    uint64_t tags;
    // The mood of the coming operations: sizes around one value, and how eagerly it frees.
    unsigned mood, mood_left, frees;
    size_t mood_size;
    struct operation now;
    struct block slots[SLOTS];
};

static uint64_t *oracle_progress; // shared with the parent: the operation under way

#define EXPECT(player, condition, format, ...) \
    CHECK(condition, "thread %u, operation %llu, %s of %u bytes (alignment %u): " format, \
          (player)->number, (unsigned long long)(player)->steps, kind_names[(player)->now.kind], \
          (player)->now.size, (player)->now.alignment, __VA_ARGS__)

static inline struct operation operation_make(struct player *player) {
    struct dice *dice = &player->dice;
    if (player->mood_left-- == 0) {
        player->mood_left = 200 + (unsigned)dice_below(dice, 4000);
        player->mood = (unsigned)dice_below(dice, 6);
        player->mood_size = dice_size(dice);
        player->frees = 30 + (unsigned)dice_below(dice, 40);
    }
    struct operation operation = {0};
    operation.slot = (uint16_t)dice_below(dice, SLOTS);
    size_t size = dice_size(dice);
    if (player->mood == 0) size = player->mood_size;
    if (player->mood == 1) size = player->mood_size + dice_below(dice, 64);
    if (player->mood == 2) size = ((size_t)1 << dice_below(dice, 17)) - 8 + dice_below(dice, 17);
    if (player->mood == 3) size = dice_below(dice, 1040);
    if (dice_below(dice, 3000) == 0) size = dice_below(dice, 6 * MIB);
    operation.size = (uint32_t)(size > 8 * MIB ? 0 : size);
    operation.alignment = 1u << (dice_below(dice, 4) ? dice_below(dice, 9) : dice_below(dice, 17));
    if (dice_below(dice, 2000) == 0) operation.alignment = 1u << 20;
    uint64_t roll = dice_below(dice, 100);
    if (roll < player->frees) {
        operation.kind = (uint16_t)(DO_FREE + dice_below(dice, 8) / 6);
        if (dice_below(dice, 50) == 0) operation.kind = DO_REALLOC_TO_0;
    } else if (roll < player->frees + 6) {
        operation.kind = (uint16_t)(DO_LOOK + dice_below(dice, 3));
    } else if (dice_below(dice, 2)) {
        operation.kind = dice_below(dice, 3) ? DO_MALLOC : DO_REALLOC;
    } else {
        operation.kind = (uint16_t)dice_below(dice, LAST_ALLOCATION + 1);
    }
    if (dice_below(dice, 5000) == 0) operation.kind = DO_INFO;
    if (dice_below(dice, 20000) == 0) operation.kind = DO_TRIM;
    return operation;
}

static inline void block_look(struct player *player, const struct block *block) {
    size_t at = pattern_check(block->p, block->usable, block->usable, block->tag);
    EXPECT(player, at == block->usable, "block %p of %zu bytes: byte %zu of %zu changed",
           (void *)block->p, block->size, at, block->usable);
    size_t usable = malloc_usable_size(block->p);
    EXPECT(player, usable == block->usable, "block %p: usable size was %zu, is %zu",
           (void *)block->p, block->usable, usable);
}

// Takes a fresh answer into a slot: everything that must be true of it.
static inline void block_enter(struct player *player, struct block *block, void *p, size_t size,
                               size_t alignment, enum maker maker) {
    EXPECT(player, p != NULL, "%s", "no memory");
    block->p = p;
    block->size = size;
    block->alignment = alignment < 16 ? 16 : alignment;
    block->maker = maker;
    block->tag = ((uint64_t)(player->number + 1) << 48) + (++player->tags << 16);
    EXPECT(player, (uintptr_t)p % block->alignment == 0, "%p is not at a multiple of %zu", p,
           block->alignment);
    block->usable = malloc_usable_size(p);
    EXPECT(player, block->usable >= size, "%zu usable of %zu", block->usable, size);
    EXPECT(player, shadow_change(p, block->usable, true), "%p and %zu bytes overlap a live block",
           p, block->usable);
    pattern_fill(p, block->usable, block->tag);
}

// A block is about to be given back: it must be as it was left.
static inline void block_leave(struct player *player, struct block *block) {
    block_look(player, block);
    EXPECT(player, shadow_change(block->p, block->usable, false), "%p was not ours alone",
           (void *)block->p);
}

static inline void block_free(struct player *player, struct block *block, bool otherwise) {
    if (!block->p) return;
    block_leave(player, block);
    void *p = block->p;
    block->p = NULL;
    int before = errno = 1234;
    if (!otherwise) free(p);
    else if (block->maker == BY_NEW && _ZdlPvm) _ZdlPvm(p, block->size);
    else if (block->maker == BY_NEW_ALIGNED && _ZdlPvSt11align_val_t)
        _ZdlPvSt11align_val_t(p, block->alignment);
    else if (block->maker == BY_MALLOC && free_sized) free_sized(p, block->size);
    else if (block->maker == BY_ALIGNED_ALLOC && free_aligned_sized)
        free_aligned_sized(p, block->alignment, block->size);
    else if (cfree) cfree(p);
    else free(p);
    EXPECT(player, errno == before, "free changed errno to %d", errno);
}

static inline void block_resize(struct player *player, struct block *block) {
    size_t size = player->now.size;
    void *p;
    if (block->p) block_leave(player, block);
    if (size == 0) size = 1; // 0 would free it
    if (player->now.kind == DO_REALLOC) p = realloc(block->p, size);
    else p = reallocarray(block->p, 1, size);
    EXPECT(player, p != NULL, "%s", "no memory");
    if (block->p) {
        size_t kept = block->size < size ? block->size : size;
        size_t at = pattern_check(p, block->usable, kept, block->tag);
        EXPECT(player, at == kept, "of %zu bytes byte %zu was lost (was usable: %zu)", block->size,
               at, block->usable);
    }
    block_enter(player, block, p, size, 16, BY_MALLOC);
}

static inline void block_allocate(struct player *player, struct block *block) {
    struct operation now = player->now;
    void *p = NULL;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), alignment = now.alignment;
    switch (now.kind) {
    case DO_MALLOC: block_enter(player, block, malloc(now.size), now.size, 16, BY_MALLOC); return;
    case DO_CALLOC: {
        size_t members = now.alignment % 7 + 1, size = now.size / members;
        p = calloc(members, size);
        EXPECT(player, p && zero_check(p, members * size) == members * size,
               "%p: byte %zu is not zero", p, p ? zero_check(p, members * size) : 0);
        block_enter(player, block, p, members * size, 16, BY_MALLOC);
        return;
    }
    case DO_ALIGNED_ALLOC:
        p = aligned_alloc(alignment, now.size);
        block_enter(player, block, p, now.size, alignment, BY_ALIGNED_ALLOC);
        return;
    case DO_POSIX_MEMALIGN: {
        if (alignment < sizeof(void *)) alignment = sizeof(void *);
        int error = posix_memalign(&p, alignment, now.size);
        EXPECT(player, error == 0, "error %d", error);
        block_enter(player, block, p, now.size, alignment, BY_OTHER);
        return;
    }
    case DO_MEMALIGN:
        block_enter(player, block, memalign(alignment, now.size), now.size, alignment, BY_OTHER);
        return;
    case DO_VALLOC: block_enter(player, block, valloc(now.size), now.size, page, BY_OTHER); return;
    case DO_PVALLOC:
        p = pvalloc(now.size);
        block_enter(player, block, p, (now.size + page - 1) / page * page, page, BY_OTHER);
        return;
    case DO_NEW:
        p = _Znwm ? _Znwm(now.size) : malloc(now.size);
        block_enter(player, block, p, now.size, 16, _Znwm ? BY_NEW : BY_MALLOC);
        return;
    default:
        p = _ZnwmSt11align_val_t ? _ZnwmSt11align_val_t(now.size, alignment)
                                 : memalign(alignment, now.size);
        block_enter(player, block, p, now.size, alignment,
                    _ZnwmSt11align_val_t ? BY_NEW_ALIGNED : BY_OTHER);
    }
}

// Puts the slot's block into a mailbox, or takes one out of it; nothing if somebody is there.
static inline void mailbox_use(struct player *player, struct block *block) {
    struct mailbox *box = &mailboxes[dice_below(&player->dice, MAILBOXES)];
    bool put = player->now.kind == DO_HAND_OVER;
    if (put != (block->p != NULL)) return;
    int from = put ? 0 : 2;
    if (!__atomic_compare_exchange_n(&box->state, &from, 1, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        return;
    if (put) {
        box->block = *block;
        block->p = NULL;
    } else {
        *block = box->block;
    }
    __atomic_store_n(&box->state, put ? 2 : 0, __ATOMIC_RELEASE);
}

static inline void operation_do(struct player *player, struct operation operation) {
    struct block *block = &player->slots[operation.slot];
    player->now = operation;
    if (oracle_progress && player->number == 0) *oracle_progress = player->steps;
    switch (operation.kind) {
    case DO_FREE: block_free(player, block, false); break;
    case DO_FREE_OTHERWISE: block_free(player, block, true); break;
    case DO_REALLOC_TO_0:
        if (!block->p) break;
        block_leave(player, block);
        EXPECT(player, realloc(block->p, 0) == NULL, "%s", "realloc(p, 0) is not NULL");
        block->p = NULL;
        break;
    case DO_LOOK:
        if (block->p) block_look(player, block);
        break;
    case DO_HAND_OVER:
    case DO_TAKE: mailbox_use(player, block); break;
    case DO_TRIM: malloc_trim(0); break;
    case DO_INFO: {
        struct mallinfo2 info = mallinfo2();
        EXPECT(player, info.uordblks < (size_t)1 << 40, "%zu live bytes", info.uordblks);
        break;
    }
    case DO_REALLOC:
    case DO_REALLOCARRAY: block_resize(player, block); break;
    default:
        block_free(player, block, false);
        block_allocate(player, block);
    }
    player->steps++;
}

// No other thread may run meanwhile.
static inline void heap_is_whole(const char *when) {
    const char *wrong = surface_loam_check ? surface_loam_check() : NULL;
    CHECK(wrong == NULL, "%s: %s", when, wrong);
}

static inline void player_finish(struct player *player) {
    player->now.kind = DO_FREE;
    for (size_t i = 0; i < SLOTS; i++) block_free(player, &player->slots[i], i % 2);
}

static inline void mailboxes_finish(struct player *player) {
    for (size_t i = 0; i < MAILBOXES; i++)
        if (mailboxes[i].state == 2) {
            block_free(player, &mailboxes[i].block, false);
            mailboxes[i].state = 0;
        }
}

#endif
