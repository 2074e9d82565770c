/* bounds: where segments end, and what is occupied. Pure bits; no memory, no lock, no opinion on who calls.
 *
 * A row of `granules` equal steps is cut into segments that lie side by side; each is a block (occupied) or a hole.
 * Two bitmaps say all of it:
 *     boundary  bit i: a segment starts at granule i (the one before it ended at i-1). Bits 0 and `granules` are always set.
 *     occupied  bit i: granule i belongs to a block.
 * Two holes never stand side by side: a release clears the boundary between them, and so has merged them, whatever sizes
 * they had. Nothing is written into the memory that the granules stand for.
 *
 * The invariant that lets free() read without a lock. While block [i, j) lives, boundary bit i and the bits up to j never
 * change, whatever happens to its neighbours: merging clears only bits with a hole on both sides, cutting and extending set
 * bits inside holes or move the end of the very block that is extended. Writers store whole words, relaxed, and no store
 * leaves out a live boundary. So one unaligned load at i (`bounds_window`) answers both "is i a start" and "how long".
 *
 * Search. `longest[0]` has a number for each word of 64 granules: the length of the longest hole that starts in it. The
 * levels above hold maxima over 64 numbers of the level below; the top level is one group of 64. To find a hole is one
 * vector compare per level, and then a look into one word. The numbers are exact after every call, and so is the whole's
 * longest hole. A byte-per-granule model and `bounds_check` hold all this in the tests.
 *
 * Cost: place and release touch one or two words and their numbers, and the words that the block itself fills; a hole's
 * ends are read off the numbers, however long it is. Everything is inline and takes the shape as an argument, so a caller whose shape is
 * constant (a chunk: 4096 granules, one level) gets code made for it.
 *
 * Easy to get wrong: granule `granules` has a boundary bit, so `boundary` needs one word more than `occupied`, and the
 * window reads up to 7 bytes beyond the word of its granule. */
#ifndef LOAM_BOUNDS_BOUNDS_H
#define LOAM_BOUNDS_BOUNDS_H

#include "base/bits.h"
#include "bounds/numbers.h"

enum { BOUNDS_NONE = UINT32_MAX };

struct bounds {
    uint64_t *boundary;                /* words + 1, relaxed stores; read by anyone */
    uint64_t *occupied;                /* words; under the owner's lock, relaxed stores */
    struct numbers numbers;            /* the longest hole that starts in each word; under the owner's lock */
    uint32_t granules;
};

struct bounds_segment {
    uint32_t start;
    uint32_t length;
    bool occupied;
};

INLINE uint32_t bounds_words(uint32_t granules) { return (granules + BITS_WORD - 1) / BITS_WORD; }

/* At least 57 bits of the boundary map from bit i on; bit 0 of the answer is boundary i. Needs no lock (see above). */
INLINE uint64_t bounds_window(const uint64_t *boundary, uint32_t i)
{
#if LOAM_TSAN
    uint32_t shift = i % BITS_WORD;
    uint64_t low = __atomic_load_n(&boundary[i / BITS_WORD], __ATOMIC_RELAXED) >> shift;
    uint64_t high = __atomic_load_n(&boundary[i / BITS_WORD + (shift != 0)], __ATOMIC_RELAXED);
    return shift ? low | high << (BITS_WORD - shift) : low;
#else
    return bits_load64((const char *)boundary + i / 8) >> (i % 8);
#endif
}

/* Whether granule i is occupied, asked without the lock: certain for a block that lives, else a moment's truth. */
INLINE bool bounds_is_occupied_now(const uint64_t *occupied, uint32_t i)
{
    return (__atomic_load_n(&occupied[i / BITS_WORD], __ATOMIC_RELAXED) >> (i % BITS_WORD)) & 1;
}

/* The first boundary after i (at most `granules`). */
INLINE uint32_t bounds_next(const struct bounds *b, uint32_t i)
{
    uint32_t w = i / BITS_WORD;
    uint64_t x = b->boundary[w] & (~UINT64_C(0) << (i % BITS_WORD) << 1);
    while (x == 0)
        x = b->boundary[++w];
    return w * BITS_WORD + bits_ctz(x);
}

/* The last boundary at or before i. */
INLINE uint32_t bounds_previous(const struct bounds *b, uint32_t i)
{
    uint32_t w = i / BITS_WORD;
    uint64_t x = b->boundary[w] & (~UINT64_C(0) >> (BITS_WORD - 1 - i % BITS_WORD));
    while (x == 0)
        x = b->boundary[--w];
    return w * BITS_WORD + bits_log2(x);
}

INLINE bool bounds_is_free(const struct bounds *b, uint32_t i) { return !bits_test(b->occupied, i); }

/* The end of the hole that starts at s. A hole that leaves its word is the last that starts there, and if it is long, the
 * word's number is its length: so this never walks along a long hole. */
INLINE uint32_t bounds_hole_end(const struct bounds *b, uint32_t s)
{
    uint32_t w = s / BITS_WORD;
    if ((b->boundary[w] & (~UINT64_C(0) << (s % BITS_WORD) << 1)) == 0) {
        uint32_t longest = numbers_get(&b->numbers, w);
        if (longest >= BITS_WORD)
            return s + longest;
    }
    return bounds_next(b, s);
}

/* The start of the hole that granule i lies in: no hole starts in the words that a hole fills, so their numbers are 0. */
INLINE uint32_t bounds_hole_start(const struct bounds *b, uint32_t i)
{
    uint32_t w = i / BITS_WORD;
    uint64_t x = b->boundary[w] & (~UINT64_C(0) >> (BITS_WORD - 1 - i % BITS_WORD));
    if (x == 0) {
        w = numbers_find_back(&b->numbers, w, 1);
        x = b->boundary[w];
    }
    return w * BITS_WORD + bits_log2(x);
}

/* A block starts at i. For any i. */
INLINE bool bounds_is_block(const struct bounds *b, uint32_t i)
{
    return i < b->granules && bits_test(b->boundary, i) && bits_test(b->occupied, i);
}

/* The segment that holds granule i < granules. */
INLINE struct bounds_segment bounds_segment_of(const struct bounds *b, uint32_t i)
{
    uint32_t start = bounds_previous(b, i);
    return (struct bounds_segment){start, bounds_next(b, i) - start, bits_test(b->occupied, i)};
}

INLINE uint32_t bounds_longest(const struct bounds *b) { return numbers_longest(&b->numbers); }

/* ---- writing single words ---- */

INLINE void bounds_boundary_set(const struct bounds *b, uint32_t i)
{
    uint64_t *word = &b->boundary[i / BITS_WORD];
    __atomic_store_n(word, *word | UINT64_C(1) << (i % BITS_WORD), __ATOMIC_RELAXED); /* pairs with bounds_window */
}

INLINE void bounds_boundary_clear(const struct bounds *b, uint32_t i)
{
    uint64_t *word = &b->boundary[i / BITS_WORD];
    __atomic_store_n(word, *word & ~(UINT64_C(1) << (i % BITS_WORD)), __ATOMIC_RELAXED); /* pairs with bounds_window */
}

/* Boundaries at from, from+step, ... `count` of them: word by word, each stored once. */
INLINE void bounds_boundary_row(const struct bounds *b, uint32_t from, uint32_t step, uint32_t count)
{
    while (count > 0) {
        uint32_t w = from / BITS_WORD;
        uint64_t bits = 0;
        do {
            bits |= UINT64_C(1) << (from % BITS_WORD);
            from += step;
            count--;
        } while (count > 0 && from / BITS_WORD == w);
        __atomic_store_n(&b->boundary[w], b->boundary[w] | bits, __ATOMIC_RELAXED); /* pairs with bounds_window */
    }
}

INLINE void bounds_occupied_put(const struct bounds *b, uint32_t from, uint32_t count, bool occupied)
{
    uint32_t w = from / BITS_WORD;
    uint32_t shift = from % BITS_WORD;
    while (count > 0) {
        uint32_t n = BITS_WORD - shift < count ? BITS_WORD - shift : count;
        uint64_t mask = bits_mask(shift, n);
        uint64_t word = occupied ? b->occupied[w] | mask : b->occupied[w] & ~mask;
        __atomic_store_n(&b->occupied[w], word, __ATOMIC_RELAXED); /* pairs with bounds_is_occupied_now */
        count -= n;
        shift = 0;
        w++;
    }
}

/* ---- the numbers ---- */

/* Where holes start in word w: a boundary whose granule is not occupied. */
INLINE uint64_t bounds_hole_starts(const struct bounds *b, uint32_t w) { return b->boundary[w] & ~b->occupied[w]; }

/* The longest hole that starts in word w: of all but the last, the end is in the word too. */
INLINE uint32_t bounds_word_longest(const struct bounds *b, uint32_t w)
{
    uint64_t starts = bounds_hole_starts(b, w), boundary = b->boundary[w];
    uint32_t longest = 0;
    while (starts != 0) {
        uint32_t s = bits_ctz(starts);
        uint64_t behind = boundary >> s >> 1;
        uint32_t length = likely(behind != 0) ? bits_ctz(behind) + 1 : bounds_next(b, w * BITS_WORD + s) - w * BITS_WORD - s;
        longest = length > longest ? length : longest;
        starts &= starts - 1;
    }
    return longest;
}

INLINE void bounds_number_raise(const struct bounds *b, uint32_t w, uint32_t length)
{
    if (length > numbers_get(&b->numbers, w))
        numbers_set(&b->numbers, w, length);
}

/* The hole [s, s+was) that started in word w is gone or shorter: the word's number changes only if it told of this one. */
INLINE void bounds_number_lost(const struct bounds *b, uint32_t w, uint32_t was)
{
    if (numbers_get(&b->numbers, w) == was)
        numbers_set(&b->numbers, w, bounds_word_longest(b, w));
}

/* [a, a+length) has just been taken out of hole [s, e): put the numbers right. What is left of the hole is known, and the
 * other holes of the word are shorter than a word if this one was the longest: nothing long is walked along. */
INLINE void bounds_number_cut(const struct bounds *b, uint32_t s, uint32_t e, uint32_t a, uint32_t length)
{
    uint32_t rest = a + length;
    uint32_t w = s / BITS_WORD;
    if (numbers_get(&b->numbers, w) == e - s) {
        uint32_t longest = 0;
        for (uint64_t starts = bounds_hole_starts(b, w); starts != 0; starts &= starts - 1) {
            uint32_t start = w * BITS_WORD + bits_ctz(starts);
            uint32_t end = start == rest ? e : start == s ? a : bounds_next(b, start);
            longest = end - start > longest ? end - start : longest;
        }
        numbers_set(&b->numbers, w, longest);
    }
    if (rest < e && rest / BITS_WORD != w)
        bounds_number_raise(b, rest / BITS_WORD, e - rest);
}

/* ---- placing ---- */

/* The lowest hole of at least g granules, if any: its start, and its end in *end. */
INLINE uint32_t bounds_find(const struct bounds *b, uint32_t g, uint32_t *end)
{
    uint32_t w = numbers_find(&b->numbers, 0, g);
    if (w == NUMBERS_NONE)
        return BOUNDS_NONE;
    for (uint64_t starts = bounds_hole_starts(b, w);; starts &= starts - 1) {
        debug_assert(starts != 0);
        uint32_t s = w * BITS_WORD + bits_ctz(starts);
        uint32_t e = bounds_hole_end(b, s);
        if (e - s >= g) {
            *end = e;
            return s;
        }
    }
}

/* Where a row of `count` blocks of g granules begins in the hole [s, e): at what divides both g and `line` (a power of two) if the row
 * fits there too, so that its blocks lie across no more lines than they must; few blocks are not worth the granules before them. */
INLINE uint32_t bounds_row_start(uint32_t s, uint32_t e, uint32_t g, uint32_t count, uint32_t line)
{
    enum { ROW_ALIGNED = 4 };
    uint32_t align = g & (0 - g);
    align = align < line ? align : line;
    uint32_t a = (s + align - 1) & ~(align - 1);
    return count >= ROW_ALIGNED && a + count * g <= e ? a : s;
}

/* Cuts up to k blocks of g granules each, side by side, from the lowest hole that holds one. Returns how many (0: no hole
 * is long enough), the first one's granule in *start. */
INLINE uint32_t bounds_place_run(const struct bounds *b, uint32_t g, uint32_t k, uint32_t line, uint32_t *start)
{
    uint32_t e = 0;
    uint32_t s = bounds_find(b, g, &e);
    if (s == BOUNDS_NONE)
        return 0;
    uint32_t count = k == 1 ? 1 : (e - s) / g < k ? (e - s) / g : k;
    uint32_t a = bounds_row_start(s, e, g, count, line);
    if (a != s)
        bounds_boundary_set(b, a);
    bounds_boundary_row(b, a + g, g, count);
    bounds_occupied_put(b, a, count * g, true);
    bounds_number_cut(b, s, e, a, count * g);
    *start = a;
    return count;
}

INLINE uint32_t bounds_place(const struct bounds *b, uint32_t g)
{
    uint32_t start;
    return bounds_place_run(b, g, 1, 1, &start) ? start : BOUNDS_NONE;
}

/* Makes [a, a+g) a block; it lies inside the hole [s, e). */
INLINE void bounds_cut(const struct bounds *b, uint32_t s, uint32_t e, uint32_t a, uint32_t g)
{
    bounds_boundary_set(b, a);
    bounds_boundary_set(b, a + g);
    bounds_occupied_put(b, a, g, true);
    bounds_number_cut(b, s, e, a, g);
}

/* Makes [a, a+g) a block if all of it is free. */
INLINE bool bounds_place_at(const struct bounds *b, uint32_t a, uint32_t g)
{
    struct bounds_segment hole = bounds_segment_of(b, a);
    if (hole.occupied || hole.start + hole.length < a + g)
        return false;
    bounds_cut(b, hole.start, hole.start + hole.length, a, g);
    return true;
}

/* The lowest place for g granules whose index plus `origin` is a multiple of `align` (a power of two). Looks at holes
 * one after another; a hole of g + align - 1 surely serves. */
INLINE uint32_t bounds_place_aligned(const struct bounds *b, uint32_t g, uint32_t align, uint32_t origin)
{
    for (uint32_t w = numbers_find(&b->numbers, 0, g); w != NUMBERS_NONE; w = numbers_find(&b->numbers, w + 1, g)) {
        for (uint64_t starts = bounds_hole_starts(b, w); starts != 0; starts &= starts - 1) {
            uint32_t s = w * BITS_WORD + bits_ctz(starts);
            uint32_t e = bounds_hole_end(b, s);
            uint32_t a = ((s + origin + align - 1) & ~(align - 1)) - origin;
            if (a <= e && e - a >= g) {
                bounds_cut(b, s, e, a, g);
                return a;
            }
        }
    }
    return BOUNDS_NONE;
}

/* ---- giving back ---- */

/* Block [i, i+g) becomes free and merges with its free neighbours. Returns the hole that it is part of now. */
INLINE struct bounds_segment bounds_release(const struct bounds *b, uint32_t i, uint32_t g)
{
    uint32_t j = i + g, s = i, e = j;
    bounds_occupied_put(b, i, g, false);
    if (j < b->granules && bounds_is_free(b, j)) {
        e = bounds_hole_end(b, j);
        bounds_boundary_clear(b, j);
    }
    if (i > 0 && bounds_is_free(b, i - 1)) {
        s = bounds_hole_start(b, i - 1);
        bounds_boundary_clear(b, i);
    }
    /* A right neighbour that started in another word is gone from there; one in our own word is outdone by the merged. */
    if (e > j && j / BITS_WORD != s / BITS_WORD)
        bounds_number_lost(b, j / BITS_WORD, e - j);
    bounds_number_raise(b, s / BITS_WORD, e - s);
    return (struct bounds_segment){s, e - s, false};
}

/* Giving back many at once, in two steps, under one hold of the lock: each block is loosened, which only clears its occupied
 * bits; then the words they lie in are merged, 64 granules at a time. Between the two the structure is not consistent. */
INLINE void bounds_loosen(const struct bounds *b, uint32_t i, uint32_t g) { bounds_occupied_put(b, i, g, false); }

/* Clears the boundaries in word w that have a hole on both sides. True if the hole goes on into word w + 1, whose number must be put
 * right too. */
INLINE bool bounds_merge_word(const struct bounds *b, uint32_t w)
{
    uint64_t free = ~b->occupied[w];
    uint64_t before = w > 0 ? ~b->occupied[w - 1] >> (BITS_WORD - 1) : 0;
    __atomic_store_n(&b->boundary[w], b->boundary[w] & ~(free & (free << 1 | before)), __ATOMIC_RELAXED);
    uint32_t next = (w + 1) * BITS_WORD;
    if (!(free >> (BITS_WORD - 1)) || next >= b->granules || !bounds_is_free(b, next) || !bits_test(b->boundary, next))
        return false;
    bounds_boundary_clear(b, next);
    return true;
}

/* When all are merged: the number of word w and, unless the word before it has just been asked the same, that of the word in which a
 * hole that reaches into w starts. Returns the longest hole met. */
INLINE uint32_t bounds_renumber_word(const struct bounds *b, uint32_t w, bool before_done)
{
    uint32_t longest = bounds_word_longest(b, w);
    numbers_set(&b->numbers, w, longest);
    uint32_t first = w * BITS_WORD;
    if (!before_done && bounds_is_free(b, first) && !bits_test(b->boundary, first)) {
        uint32_t s = bounds_previous(b, first);
        uint32_t length = bounds_next(b, first) - s;
        bounds_number_raise(b, s / BITS_WORD, length);
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* Step two: `words`, of the 64 from `first` on, are all that loosened blocks lie in; word first + 63 is among them only if it is the
 * row's last. Returns the longest hole met. */
INLINE uint32_t bounds_merge(const struct bounds *b, uint32_t first, uint64_t words)
{
    uint64_t all = words;
    for (uint64_t left = words; left != 0; left &= left - 1)
        if (bounds_merge_word(b, first + bits_ctz(left)))
            all |= (left & (0 - left)) << 1;
    uint32_t longest = 0;
    for (uint64_t left = all; left != 0; left &= left - 1) {
        uint32_t seen = bounds_renumber_word(b, first + bits_ctz(left), ((left & (0 - left)) >> 1 & all) != 0);
        longest = seen > longest ? seen : longest;
    }
    return longest;
}

/* Block [i, i+g) becomes [i, i+to), to > g, if what follows is free. Returns how long the hole behind it was before; 0: it has not
 * grown. */
INLINE uint32_t bounds_extend(const struct bounds *b, uint32_t i, uint32_t g, uint32_t to)
{
    uint32_t j = i + g;
    if (i + to > b->granules || !bounds_is_free(b, j))
        return 0;
    uint32_t e = bounds_hole_end(b, j);
    if (i + to > e)
        return 0;
    bounds_boundary_set(b, i + to);
    bounds_boundary_clear(b, j);
    bounds_occupied_put(b, j, to - g, true);
    bounds_number_cut(b, j, e, j, to - g);
    return e - j;
}

/* Block [i, i+g) becomes [i, i+to), 0 < to < g; the rest is free. Returns the hole behind it. */
INLINE struct bounds_segment bounds_shrink(const struct bounds *b, uint32_t i, uint32_t g, uint32_t to)
{
    bounds_boundary_set(b, i + to);
    return bounds_release(b, i + to, g - to);
}

/* ---- slow parts, in bounds.c ---- */

/* The bytes that the maps of a row of `granules` need, one after another; `bounds_init` lays them out at `memory`
 * (8-aligned) and makes the row one hole. `wide`: numbers of 32 bits, needed from NUMBERS_NARROW_MAX granules on. */
size_t bounds_size(uint32_t granules, bool wide);
void bounds_init(struct bounds *b, void *memory, uint32_t granules, bool wide);

/* Calls `visit` for each segment in order until it returns false. */
void bounds_walk(const struct bounds *b, bool (*visit)(const struct bounds_segment *segment, void *arg), void *arg);

/* The whole structure: NULL if every invariant holds, else words that say which does not. */
const char *bounds_check(const struct bounds *b);

#endif
