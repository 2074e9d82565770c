/* The restartable sequences of sequence.h for aarch64; same order, same promises. Included by it only. */
#ifndef LOAM_CACHE_SEQUENCE_AARCH64_H
#define LOAM_CACHE_SEQUENCE_AARCH64_H

#define SEQUENCE_DESCRIPTOR                                                                                            \
    ".pushsection .data.rel.ro.loam_rseq, \"aw\"\n"                                                                    \
    ".balign 32\n"                                                                                                     \
    "3: .long 0, 0\n"                                                                                                  \
    ".quad 1f, 2f - 1f, 4f\n"                                                                                          \
    ".popsection\n"
#define SEQUENCE_ABORT                                                                                                 \
    ".pushsection .text.loam_rseq_abort, \"ax\"\n"                                                                     \
    ".inst 0xd428bc00\n"                                                                                               \
    "4: b %l[aborted]\n"                                                                                               \
    ".popsection\n"
/* Leaves the list's address in %[list]. */
#define SEQUENCE_BEGIN                                                                                                 \
    SEQUENCE_DESCRIPTOR                                                                                                \
    "adrp %[list], 3b\n"                                                                                               \
    "add %[list], %[list], :lo12:3b\n"                                                                                 \
    "str %[list], [%[area], #8]\n"                                                                                     \
    "1: ldr %w[list], [%[area], #4]\n"                                                                                 \
    "tbnz %w[list], #31, %l[slow]\n"                                                                                   \
    "ldr %w[list], [%[index]]\n"                                                                                       \
    "ldr %w[a], %[count]\n"                                                                                            \
    "cmp %w[list], %w[a]\n"                                                                                            \
    "b.hs %l[slow]\n"                                                                                                  \
    "ldr %[list], [%[tables], %[list], lsl #3]\n"                                                                      \
    "add %[list], %[list], %[offset]\n"
#define SEQUENCE_INPUTS                                                                                                \
    [area] "r"(thread_pointer() + (uintptr_t)sequence.area), [index] "r"(thread_pointer() + (uintptr_t)sequence.index), \
        [count] "Q"(sequence.count), [tables] "r"(sequence.tables), [offset] "r"(offset)

INLINE void *sequence_pop(uintptr_t offset)
{
    if (unlikely(sequence.area == 0))
        return NULL;
    for (int tries = 0; tries < SEQUENCE_TRIES; tries++) {
        void *list, *block, *a;
        __asm__ volatile goto(SEQUENCE_BEGIN
                              "ldr %[block], [%[list]]\n"
                              "cbz %[block], %l[slow]\n"
                              "ldr %w[a], [%[list], #8]\n"
                              "add %w[a], %w[a], #1\n"
                              "str %w[a], [%[list], #8]\n"
                              "ldr %[a], [%[block]]\n"
                              "str %[a], [%[list]]\n"
                              "2:\n" SEQUENCE_ABORT
                              : [list] "=&r"(list), [block] "=&r"(block), [a] "=&r"(a)
                              : SEQUENCE_INPUTS
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

INLINE enum sequence_result sequence_push(uintptr_t offset, void *block)
{
    if (unlikely(sequence.area == 0))
        return SEQUENCE_SLOW;
    for (int tries = 0; tries < SEQUENCE_TRIES; tries++) {
        void *list, *a, *b;
        __asm__ volatile goto(SEQUENCE_BEGIN
                              "ldr %w[b], [%[list], #8]\n"
                              "cbz %w[b], %l[slow]\n"
                              "ldr %[a], [%[list]]\n"
                              "cmp %[a], %[block]\n"
                              "b.eq %l[twice]\n"
                              "str %[a], [%[block]]\n"
                              "sub %w[b], %w[b], #1\n"
                              "str %w[b], [%[list], #8]\n"
                              "str %[block], [%[list]]\n"
                              "2:\n" SEQUENCE_ABORT
                              : [list] "=&r"(list), [a] "=&r"(a), [b] "=&r"(b)
                              : SEQUENCE_INPUTS, [block] "r"(block)
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

INLINE bool sequence_take(uintptr_t offset, uint32_t left, struct block **head, uint32_t *had)
{
    if (unlikely(sequence.area == 0))
        return false;
    for (int tries = 0; tries < SEQUENCE_TRIES; tries++) {
        void *list, *a, *first;
        uint32_t before;
        __asm__ volatile goto(SEQUENCE_BEGIN
                              "ldr %w[a], [%[list], #12]\n"
                              "cbz %w[a], %l[slow]\n"
                              "ldr %[first], [%[list]]\n"
                              "ldr %w[before], [%[list], #8]\n"
                              "str %w[left], [%[list], #8]\n"
                              "str xzr, [%[list]]\n"
                              "2:\n" SEQUENCE_ABORT
                              : [list] "=&r"(list), [a] "=&r"(a), [first] "=&r"(first), [before] "=&r"(before)
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

INLINE bool sequence_install(uintptr_t offset, struct block *head, uint32_t left)
{
    if (unlikely(sequence.area == 0))
        return false;
    for (int tries = 0; tries < SEQUENCE_TRIES; tries++) {
        void *list, *a;
        __asm__ volatile goto(SEQUENCE_BEGIN
                              "ldr %w[a], [%[list], #12]\n"
                              "cbz %w[a], %l[slow]\n"
                              "ldr %[a], [%[list]]\n"
                              "cbnz %[a], %l[slow]\n"
                              "str %w[left], [%[list], #8]\n"
                              "str %[head], [%[list]]\n"
                              "2:\n" SEQUENCE_ABORT
                              : [list] "=&r"(list), [a] "=&r"(a)
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

#endif
