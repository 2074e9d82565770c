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
    "ldrh %w[list], [%[index]]\n"                                                                                      \
    "ldr %[list], [%[tables], %[list], lsl #3]\n"                                                                      \
    "add %[list], %[list], %[place]\n"
#define SEQUENCE_INPUTS                                                                                    \
    [area] "r"(thread_pointer() + (uintptr_t)sequence.area), [index] "r"(thread_pointer() + (uintptr_t)sequence.index), \
        [tables] "r"(sequence.tables), [place] "r"((uintptr_t)&sequence.closed + place)

INLINE void *sequence_pop_try(uintptr_t place, struct table **from, bool *restarted)
{
    void *list, *block, *a;
    if (unlikely(sequence.area == 0))
        return NULL;
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
    *from = (struct table *)(void *)((char *)list - place);
    return block;
aborted:
    *restarted = true;
slow:
    return NULL;
}

enum sequence_result { SEQUENCE_DONE, SEQUENCE_SLOW, SEQUENCE_ABORTED, SEQUENCE_TWICE };

INLINE enum sequence_result sequence_push_behind(uintptr_t place, void *block)
{
    void *list, *a;
    __asm__ volatile goto(SEQUENCE_BEGIN
                          "ldr %w[a], [%[list], #24]\n"
                          "subs %w[a], %w[a], #1\n"
                          "str %w[a], [%[list], #24]\n"
                          "b.mi %l[slow]\n"
                          "ldr %[a], [%[list], #16]\n"
                          "cmp %[a], %[block]\n"
                          "b.eq %l[twice]\n"
                          "str %[a], [%[block]]\n"
                          "str %[block], [%[list], #16]\n"
                          "2:\n" SEQUENCE_ABORT
                          : [list] "=&r"(list), [a] "=&r"(a)
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

static inline bool sequence_take(uintptr_t place, uint32_t left, struct block **head, uint32_t *had)
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

static inline bool sequence_install(uintptr_t place, struct block *head, uint32_t left)
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
