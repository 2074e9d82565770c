/* Restartable sequences: what a processor's lists are worked with, without lock or atomic.
 *
 * A thread tells the kernel, by one store, that it is inside a sequence. If it is preempted, moved or signalled between that store
 * and the end, the kernel sends it to the abort address instead of going on; so a sequence that ran to its end ran as if it
 * were alone on its processor. The last instruction of each is one store, the commit; before it nothing has changed that counts
 * (a list's `left` may drift, table.h). Inside: no call, no system call.
 *
 * The area that the kernel looks at is the one the C library registered; its place relative to the thread pointer is in
 * `sequence.area`, 0 while there is none, which sends everything the slow way. The processor's index is read inside the sequence
 * and compared with `sequence.count`. A thread that the kernel does not know has a negative cpu_id, whatever its index says.
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

enum { SEQUENCE_TRIES = 64 }; /* restarts of one call before the arena serves it (single-stepping, a sick kernel) */

struct sequence {
    intptr_t area;           /* struct rseq relative to the thread pointer; 0: no sequences. Set once, before the first block */
    intptr_t index;          /* the field with the processor's index, relative to the thread pointer */
    uint32_t count;          /* entries of `tables` that may be used; release, grows */
    struct table *tables[TABLE_MAX]; /* the processor's table or the closed one; written with release */
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
/* Leaves the table in %[table]; goes to `slow` if this thread or this index has none. */
#define SEQUENCE_BEGIN                                                                                                 \
    SEQUENCE_DESCRIPTOR                                                                                                \
    "leaq 3b(%%rip), %[table]\n"                                                                                       \
    "movq %[table], %%fs:8(%[area])\n"                                                                                 \
    "1: cmpl $0, %%fs:4(%[area])\n"                                                                                    \
    "js %l[slow]\n"                                                                                                    \
    "movl %%fs:(%[index]), %k[table]\n"                                                                                \
    "cmpl %[count], %k[table]\n"                                                                                       \
    "jae %l[slow]\n"                                                                                                   \
    "movq (%[tables], %[table], 8), %[table]\n"

#define SEQUENCE_INPUTS                                                                                                \
    [area] "r"(sequence.area), [index] "r"(sequence.index), [count] "m"(sequence.count), [tables] "r"(sequence.tables)

/* The first block of the list at `offset`; NULL if it is empty or there is no sequence to be had. */
INLINE void *sequence_pop(uintptr_t offset)
{
    if (unlikely(sequence.area == 0))
        return NULL;
    for (int tries = 0; tries < SEQUENCE_TRIES; tries++) {
        void *table, *block, *link;
        __asm__ volatile goto(SEQUENCE_BEGIN
                              "addq %[offset], %[table]\n"
                              "movq (%[table]), %[block]\n"
                              "testq %[block], %[block]\n"
                              "jz %l[slow]\n"
                              "movq (%[block]), %[link]\n"
                              "incl 8(%[table])\n"
                              "movq %[link], (%[table])\n"
                              "2:\n" SEQUENCE_ABORT
                              : [table] "=&r"(table), [block] "=&r"(block), [link] "=&r"(link)
                              : SEQUENCE_INPUTS, [offset] "r"(offset)
                              : "memory", "cc"
                              : aborted, slow);
        return block;
    aborted:
        continue;
    slow:
        return NULL;
    }
    return NULL;
}

enum sequence_result { SEQUENCE_DONE, SEQUENCE_SLOW, SEQUENCE_TWICE };

/* Puts a block in front of the list at `offset`. SLOW: the list is full, or there is no sequence to be had; TWICE: the
 * block is at the list's head already. */
INLINE enum sequence_result sequence_push(uintptr_t offset, void *block)
{
    if (unlikely(sequence.area == 0))
        return SEQUENCE_SLOW;
    for (int tries = 0; tries < SEQUENCE_TRIES; tries++) {
        void *table, *head;
        __asm__ volatile goto(SEQUENCE_BEGIN
                              "addq %[offset], %[table]\n"
                              "cmpl $0, 8(%[table])\n"
                              "je %l[slow]\n"
                              "movq (%[table]), %[head]\n"
                              "cmpq %[head], %[block]\n"
                              "je %l[twice]\n"
                              "movq %[head], (%[block])\n"
                              "decl 8(%[table])\n"
                              "movq %[block], (%[table])\n"
                              "2:\n" SEQUENCE_ABORT
                              : [table] "=&r"(table), [head] "=&r"(head)
                              : SEQUENCE_INPUTS, [offset] "r"(offset), [block] "r"(block)
                              : "memory", "cc"
                              : aborted, slow, twice);
        return SEQUENCE_DONE;
    aborted:
        continue;
    slow:
        return SEQUENCE_SLOW;
    twice:
        return SEQUENCE_TWICE;
    }
    return SEQUENCE_SLOW;
}

/* Takes the whole list at `offset`, which is empty afterwards and has room for `left` blocks. *had: its `left` before.
 * False: there is no table (closed, or not made) or no sequence to be had. */
INLINE bool sequence_take(uintptr_t offset, uint32_t left, struct block **head, uint32_t *had)
{
    if (unlikely(sequence.area == 0))
        return false;
    for (int tries = 0; tries < SEQUENCE_TRIES; tries++) {
        void *table, *first;
        uint32_t before;
        __asm__ volatile goto(SEQUENCE_BEGIN
                              "addq %[offset], %[table]\n"
                              "cmpl $0, 12(%[table])\n"
                              "je %l[slow]\n"
                              "movq (%[table]), %[first]\n"
                              "movl 8(%[table]), %[before]\n"
                              "movl %[left], 8(%[table])\n"
                              "movq $0, (%[table])\n"
                              "2:\n" SEQUENCE_ABORT
                              : [table] "=&r"(table), [first] "=&r"(first), [before] "=&r"(before)
                              : SEQUENCE_INPUTS, [offset] "r"(offset), [left] "r"(left)
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

/* Makes the chain at `head` the list at `offset`, with `left` room, if that list is empty now. */
INLINE bool sequence_install(uintptr_t offset, struct block *head, uint32_t left)
{
    if (unlikely(sequence.area == 0))
        return false;
    for (int tries = 0; tries < SEQUENCE_TRIES; tries++) {
        void *table;
        __asm__ volatile goto(SEQUENCE_BEGIN
                              "addq %[offset], %[table]\n"
                              "cmpl $0, 12(%[table])\n"
                              "je %l[slow]\n"
                              "cmpq $0, (%[table])\n"
                              "jne %l[slow]\n"
                              "movl %[left], 8(%[table])\n"
                              "movq %[head], (%[table])\n"
                              "2:\n" SEQUENCE_ABORT
                              : [table] "=&r"(table)
                              : SEQUENCE_INPUTS, [offset] "r"(offset), [left] "r"(left), [head] "r"(head)
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

#endif
