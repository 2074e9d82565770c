/*
 * Which name was meant: the nearest by edits (a letter put in, left out, exchanged, or two swapped).
 * For a few short names at the end of a failed start, so the plain quadratic table will do.
 */
#include "command.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 32 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t edits_between(const char *a, const char *b)
{
    size_t table[NAME_MAX_LENGTH + 1][NAME_MAX_LENGTH + 1];
    size_t n = strlen(a), m = strlen(b);
    if (n > NAME_MAX_LENGTH || m > NAME_MAX_LENGTH)
        return NAME_MAX_LENGTH;
    for (size_t i = 0; i <= n; i++) {
        for (size_t j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                table[i][j] = i + j;
                continue;
            }
            size_t best = table[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = smaller(best, smaller(table[i - 1][j], table[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = smaller(best, table[i - 2][j - 2] + 1);
            table[i][j] = best;
        }
    }
    return table[n][m];
}

const char *nearest_name(const char *word, const char *const *names)
{
    const char *best = NULL;
    /* as far as half of its letters: "rnu" may be "run", "frobnicate" is nothing of ours */
    size_t best_edits = strlen(word) / 2 + 1;
    for (; *names; names++) {
        size_t edits = edits_between(word, *names);
        if (edits < best_edits) {
            best_edits = edits;
            best = *names;
        }
    }
    return best;
}

int usage_unknown(const char *what, const char *word, const char *const *names)
{
    const char *near = nearest_name(word, names);
    fprintf(stderr, "loam: there is no %s '%s'", what, word);
    if (near)
        fprintf(stderr, "; did you mean '%s'?\n", near);
    else
        fprintf(stderr, "; 'loam help' lists what there is\n");
    return STATUS_USAGE;
}
