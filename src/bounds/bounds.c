/* The slow parts of bounds: laying the maps out, walking, checking. */
#include "bounds/bounds.h"

static uint32_t level_entries(uint32_t words, uint32_t level)
{
    uint32_t entries = words;
    for (uint32_t l = 0; l < level; l++)
        entries = (entries + NUMBERS_GROUP - 1) / NUMBERS_GROUP;
    return (entries + NUMBERS_GROUP - 1) / NUMBERS_GROUP * NUMBERS_GROUP; /* whole groups */
}

static uint32_t level_count(uint32_t words)
{
    uint32_t levels = 1;
    while (level_entries(words, levels - 1) > NUMBERS_GROUP)
        levels++;
    return levels;
}

size_t bounds_size(uint32_t granules, bool wide)
{
    uint32_t words = bounds_words(granules);
    size_t bytes = (2 * (size_t)words + 1) * sizeof(uint64_t);
    for (uint32_t level = 0; level < level_count(words); level++)
        bytes += (size_t)level_entries(words, level) * (wide ? sizeof(uint32_t) : sizeof(uint16_t));
    return bytes;
}

void bounds_init(struct bounds *b, void *memory, uint32_t granules, bool wide)
{
    uint32_t words = bounds_words(granules);
    memset(memory, 0, bounds_size(granules, wide));
    *b = (struct bounds){.boundary = memory, .granules = granules};
    b->occupied = b->boundary + words + 1;
    b->numbers.wide = wide;
    b->numbers.levels = level_count(words);
    b->numbers.count = level_entries(words, 0);
    char *at = (char *)(b->occupied + words);
    for (uint32_t level = 0; level < b->numbers.levels; level++) {
        b->numbers.level[level] = at;
        at += (size_t)level_entries(words, level) * (wide ? sizeof(uint32_t) : sizeof(uint16_t));
    }
    bounds_boundary_set(b, 0);
    bounds_boundary_set(b, granules);
    if (granules % BITS_WORD != 0) /* what the last word has too many is never free */
        b->occupied[words - 1] = ~UINT64_C(0) << (granules % BITS_WORD);
    numbers_set(&b->numbers, 0, granules);
}

void bounds_walk(const struct bounds *b, bool (*visit)(const struct bounds_segment *segment, void *arg), void *arg)
{
    for (uint32_t i = 0; i < b->granules;) {
        uint32_t end = bounds_next(b, i);
        struct bounds_segment segment = {i, end - i, bits_test(b->occupied, i)};
        if (!visit(&segment, arg))
            return;
        i = end;
    }
}

static const char *check_segments(const struct bounds *b)
{
    bool previous_free = false;
    for (uint32_t i = 0; i < b->granules;) {
        uint32_t end = bounds_next(b, i);
        if (end > b->granules)
            return "a segment ends beyond the row";
        bool occupied = bits_test(b->occupied, i);
        for (uint32_t j = i; j < end; j++)
            if (bits_test(b->occupied, j) != occupied)
                return "a segment is half occupied, half free";
        if (!occupied && previous_free)
            return "two holes stand side by side";
        previous_free = !occupied;
        i = end;
    }
    return NULL;
}

static const char *check_numbers(const struct bounds *b)
{
    uint32_t words = bounds_words(b->granules);
    for (uint32_t w = 0; w < words; w++)
        if (numbers_get(&b->numbers, w) != bounds_word_longest(b, w))
            return "a word's number is not its longest hole";
    for (uint32_t level = 0; level < b->numbers.levels; level++) {
        uint32_t entries = level_entries(words, level);
        if (level == 0)
            for (uint32_t i = words; i < entries; i++)
                if (numbers_get(&b->numbers, i) != 0)
                    return "a number beyond the row is not zero";
        if (level + 1 < b->numbers.levels)
            for (uint32_t group = 0; group < entries / NUMBERS_GROUP; group++)
                if (numbers_at(&b->numbers, level + 1, group) != numbers_group_max(&b->numbers, level, group))
                    return "a maximum is not that of its group";
    }
    return NULL;
}

const char *bounds_check(const struct bounds *b)
{
    if (!bits_test(b->boundary, 0) || !bits_test(b->boundary, b->granules))
        return "the row's own ends are not marked";
    const char *wrong = check_segments(b);
    return wrong ? wrong : check_numbers(b);
}
