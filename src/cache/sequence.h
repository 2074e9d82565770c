/* Restartable sequences: what a processor's lists are worked with, without lock or atomic.
 *
 * A thread tells the kernel, by one store, that it is inside a sequence. If it is preempted, moved or signalled between that store
 * and the end, the kernel sends it to the abort address instead of going on; so a sequence that ran to its end ran as if it
 * were alone on its processor. The last instruction of each is one store, the commit; before it nothing has changed that counts
 * (a list's `left` may drift, table.h). Inside: no call, no system call.
 *
 * The area that the kernel looks at is the one the C library registered; its place relative to the thread pointer is in
 * `sequence.area`, 0 while there is none, which sends everything the slow way. The processor's index is read inside the sequence,
 * as 16 bits, for each of which there is a table. A thread that the kernel does not know has a negative cpu_id, whatever its index
 * says.
 *
 * Each asm block: (1) store the descriptor's address into rseq_cs; 1: start; look at cpu_id and index; load the table; work;
 * commit; 2: end. 4: abort, behind the signature the kernel insists on.
 *
 * Easy to get wrong: start_ip is the instruction after the store of rseq_cs; asm goto must be volatile; a list pointer
 * must not be kept across sequences. The invariant to hold: between taking a whole list and committing, no other store is visible
 * that would lose a block. */
#ifndef LOAM_CACHE_SEQUENCE_H
#define LOAM_CACHE_SEQUENCE_H

#include "cache/table.h"

enum {
    SEQUENCE_TRIES = 64,       /* restarts of one call before the arena serves it (single-stepping, a sick kernel) */
    SEQUENCE_INDEXES = 1 << 16 /* what 16 bits of index can say: the look-up needs no bound */
};

struct sequence {
    intptr_t area;           /* struct rseq relative to the thread pointer; 0: no sequences. Set once, before the first block */
    intptr_t index;          /* the field with the processor's index, relative to the thread pointer */
    struct table closed;     /* no block, no room; only `left` is ever written, by pushes that find it full */
    ptrdiff_t tables[SEQUENCE_INDEXES]; /* the processor's table, from `closed`: untouched zero pages lead to that; release */
};
extern struct sequence sequence;

#if defined(__x86_64__)

#define SEQUENCE_DESCRIPTOR                                                                                            \
    ".pushsection .data.rel.ro.loam_rseq, \"aw\"\n"                                                                    \
    ".balign 32\n"                                                                                                     \
    "3: .long 0, 0\n"                                                                                                  \
    ".quad 1f, 2f - 1f, 4f\n"                                                                                          \
    ".popsection\n"
#define SEQUENCE_ABORT                                                                                                 \
    ".pushsection .text.loam_rseq_abort, \"ax\"\n"                                                                     \
    ".byte 0x0f, 0xb9, 0x3d\n"                                                                                         \
    ".long 0x53053053\n"                                                                                               \
    "4: jmp %l[aborted]\n"                                                                                             \
    ".popsection\n"
/* Leaves in %[list] what SEQUENCE_HEAD and SEQUENCE_LEFT need to be the list's; goes to `slow` if the kernel does not know this thread. The
 * table is found meanwhile: what is waited for in the end is %[place], where free has the size from memory (docs/decisions.md 21). */
#define SEQUENCE_BEGIN                                                                                                 \
    SEQUENCE_DESCRIPTOR                                                                                                \
    "leaq 3b(%%rip), %[list]\n"                                                                                        \
    "movq %[list], %%fs:8(%[area])\n"                                                                                  \
    "1: cmpl $0, %%fs:4(%[area])\n"                                                                                    \
    "js %l[slow]\n"                                                                                                    \
    "movzwl %%fs:(%[index]), %k[list]\n"                                                                               \
    "movq %c[tables](%[sequence], %[list], 8), %[list]\n"                                                              \
    "addq %[sequence], %[list]\n"
#define SEQUENCE_HEAD "%c[bias](%[list], %[place])"
#define SEQUENCE_LEFT "8+%c[bias](%[list], %[place])"
#define SEQUENCE_CAP "12+%c[bias](%[list], %[place])"
#define SEQUENCE_NEXT "16+" /* of the list behind the one at `place` */

#define SEQUENCE_INPUTS                                                                                                \
    [area] "r"(sequence.area), [index] "r"(sequence.index), [sequence] "r"(&sequence),                                 \
        [tables] "i"(offsetof(struct sequence, tables)), [place] "r"(place), [bias] "i"(offsetof(struct sequence, closed))

/* The first block of the list at `place` in its table, and *from, the table; NULL if it is empty, there is no sequence to be had, or it was
 * restarted, which *restarted then says. */
INLINE void *sequence_pop_try(uintptr_t place, struct table **from, bool *restarted)
{
    void *list, *block, *link;
    if (unlikely(sequence.area == 0))
        return NULL;
    __asm__ volatile goto(SEQUENCE_BEGIN
                          "movq " SEQUENCE_HEAD ", %[block]\n"
                          "testq %[block], %[block]\n"
                          "jz %l[slow]\n"
                          "movq (%[block]), %[link]\n"
                          "incl " SEQUENCE_LEFT "\n"
                          "movq %[link], " SEQUENCE_HEAD "\n"
                          "2:\n" SEQUENCE_ABORT
                          : [list] "=&r"(list), [block] "=&a"(block), [link] "=&r"(link)
                          : SEQUENCE_INPUTS
                          : "memory", "cc"
                          : aborted, slow);
    if (!block)
        __builtin_unreachable();
    *from = (struct table *)((uintptr_t)list + offsetof(struct sequence, closed));
    return block;
aborted:
    *restarted = true;
slow:
    return NULL;
}

enum sequence_result { SEQUENCE_DONE, SEQUENCE_SLOW, SEQUENCE_ABORTED, SEQUENCE_TWICE };

/* Puts a block in front of the active list of the class. SLOW: the list is full, or the kernel does not know this thread; ABORTED:
 * it was restarted; TWICE: the block is at the list's head already. sequence.area must not be 0: the caller knows that
 * there are sequences, because the fast path may work the block's chunk. A full list's `left` goes to -1, and stays full.
 * It is told the place of the list before: free counts to one less than the class, and has nothing to add. */
INLINE enum sequence_result sequence_push_behind(uintptr_t place, void *block)
{
    void *list, *head;
    __asm__ volatile goto(SEQUENCE_BEGIN
                          "decl " SEQUENCE_NEXT SEQUENCE_LEFT "\n"
                          "js %l[slow]\n"
                          "movq " SEQUENCE_NEXT SEQUENCE_HEAD ", %[head]\n"
                          "cmpq %[head], %[block]\n"
                          "je %l[twice]\n"
                          "movq %[head], (%[block])\n"
                          "movq %[block], " SEQUENCE_NEXT SEQUENCE_HEAD "\n"
                          "2:\n" SEQUENCE_ABORT
                          : [list] "=&r"(list), [head] "=&r"(head)
                          : SEQUENCE_INPUTS, [block] "r"(block)
                          : "memory", "cc"
                          : aborted, slow, twice);
    return SEQUENCE_DONE;
aborted:
    return SEQUENCE_ABORTED;
slow:
    return SEQUENCE_SLOW;
twice:
    return SEQUENCE_TWICE;
}

/* Takes the whole list at `place`, which is empty afterwards and has room for `left` blocks. *had: its `left` before.
 * False: there is no table (closed, or not made) or no sequence to be had. */
static inline bool sequence_take(uintptr_t place, uint32_t left, struct block **head, uint32_t *had)
{
    if (unlikely(sequence.area == 0))
        return false;
    for (int tries = 0; tries < SEQUENCE_TRIES; tries++) {
        void *list, *first;
        uint32_t before;
        __asm__ volatile goto(SEQUENCE_BEGIN
                              "cmpl $0, " SEQUENCE_CAP "\n"
                              "je %l[slow]\n"
                              "movq " SEQUENCE_HEAD ", %[first]\n"
                              "movl " SEQUENCE_LEFT ", %[before]\n"
                              "movl %[left], " SEQUENCE_LEFT "\n"
                              "movq $0, " SEQUENCE_HEAD "\n"
                              "2:\n" SEQUENCE_ABORT
                              : [list] "=&r"(list), [first] "=&r"(first), [before] "=&r"(before)
                              : SEQUENCE_INPUTS, [left] "r"(left)
                              : "memory", "cc"
                              : aborted, slow);
        *head = first;
        *had = before;
        return true;
    aborted:
        continue;
    slow:
        return false;
    }
    return false;
}

/* Makes the chain at `head` the list at `place`, with `left` room, if that list is empty now. */
static inline bool sequence_install(uintptr_t place, struct block *head, uint32_t left)
{
    if (unlikely(sequence.area == 0))
        return false;
    for (int tries = 0; tries < SEQUENCE_TRIES; tries++) {
        void *list;
        __asm__ volatile goto(SEQUENCE_BEGIN
                              "cmpl $0, " SEQUENCE_CAP "\n"
                              "je %l[slow]\n"
                              "cmpq $0, " SEQUENCE_HEAD "\n"
                              "jne %l[slow]\n"
                              "movl %[left], " SEQUENCE_LEFT "\n"
                              "movq %[head], " SEQUENCE_HEAD "\n"
                              "2:\n" SEQUENCE_ABORT
                              : [list] "=&r"(list)
                              : SEQUENCE_INPUTS, [left] "r"(left), [head] "r"(head)
                              : "memory", "cc"
                              : aborted, slow);
        return true;
    aborted:
        continue;
    slow:
        return false;
    }
    return false;
}

#else
#include "cache/sequence_aarch64.h"
#endif

/* The fast path's pop: restarted counts as empty, the slow path tries again. */
INLINE void *sequence_pop(uintptr_t place)
{
    struct table *table;
    bool restarted;
    return sequence_pop_try(place, &table, &restarted);
}

/* Push for those who know the class. */
INLINE enum sequence_result sequence_push(uint32_t class, void *block) { return sequence_push_behind(table_place(class - 1), block); }

/* Pop and push that try again when they are restarted; for the slow paths. */
static inline void *sequence_pop_again(uintptr_t place)
{
    for (int tries = 0; tries < SEQUENCE_TRIES; tries++) {
        struct table *table;
        bool restarted = false;
        void *block = sequence_pop_try(place, &table, &restarted);
        if (block || !restarted)
            return block;
    }
    return NULL;
}

static inline enum sequence_result sequence_push_again(uint32_t class, void *block)
{
    enum sequence_result result = SEQUENCE_SLOW;
    for (int tries = 0; sequence.area != 0 && tries < SEQUENCE_TRIES; tries++) {
        result = sequence_push(class, block);
        if (result != SEQUENCE_ABORTED)
            break;
    }
    return result;
}

#endif
