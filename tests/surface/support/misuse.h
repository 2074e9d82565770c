// Misuse in a child: it must die by SIGABRT after exactly one line that begins "loam: ".
//
// The line must contain one of the words the case names (what it is) and, where the case has an
// address, that address in hexadecimal (where it is). A misuse that goes unnoticed returns from the
// case, and the child's exit status 0 is the failure. What other allocators do is not asked: these
// tests are about our words. (With LOAM_TEST_ANY they only demand that the child does not hang.)
#ifndef SURFACE_MISUSE_H
#define SURFACE_MISUSE_H

#include "child.h"
#include <malloc.h>

struct misuse {
    const char *name;
    const char *words; // alternatives, separated by '|'
    void (*commit)(void);
};

// The case says which address it is about to misuse, for the parent to find in the line.
static inline void misuse_says(const void *p) {
    char text[64];
    int n = snprintf(text, sizeof text, "pointer %p\n", p);
    say(2, text, (size_t)n);
}

static inline bool misuse_words_found(const char *line, size_t length, const char *words) {
    while (*words) {
        size_t n = strcspn(words, "|");
        for (size_t i = 0; i + n <= length; i++)
            if (strncasecmp(line + i, words, n) == 0) return true;
        words += n + (words[n] == '|');
    }
    return false;
}

static inline void misuse_commit(void *argument) {
    const struct misuse *misuse = argument;
    misuse->commit();
}

static struct child misuse_child;
static bool misuse_is_quiet; // for long lists: print nothing of what is as it should be

static inline void misuse_check(const struct misuse *misuse) {
    struct child *child = &misuse_child;
    child_run(child, 2, misuse_commit, (void *)(uintptr_t)misuse);
    const char *line = NULL, *pointer = strstr(child->output, "pointer ");
    size_t lines = 0, length = 0;
    for (const char *at = child->output; *at;) {
        size_t n = strcspn(at, "\n");
        if (strncmp(at, "loam: ", 6) == 0) {
            lines++;
            line = at;
            length = n;
        }
        at += n + (at[n] == '\n');
    }
    if (!misuse_is_quiet)
        printf("%-44s %.*s\n", misuse->name, line ? (int)length : 12, line ? line : "(not a line)");
    fflush(stdout);
    if (is_any_allowed() && !is_loam()) {
        CHECK(!child_exited(child, 99), "%s hung", misuse->name);
        return;
    }
    CHECK(child_died(child, SIGABRT), "%s: status %#x instead of SIGABRT; it said: %s", misuse->name,
          child->status, child->output);
    CHECK(lines == 1, "%s: %zu lines begin with \"loam: \": %s", misuse->name, lines, child->output);
    CHECK(line[length] == '\n', "%s: the line does not end", misuse->name);
    CHECK(misuse_words_found(line, length, misuse->words), "%s: none of \"%s\" in: %.*s",
          misuse->name, misuse->words, (int)length, line);
    if (pointer) {
        char address[32];
        sscanf(pointer, "pointer %31s", address);
        CHECK(memmem(line, length, address, strlen(address)) != NULL, "%s: %s is not named in: %.*s",
              misuse->name, address, (int)length, line);
    }
}

static inline void misuse_check_all(const struct misuse *list, size_t count) {
    for (size_t i = 0; i < count; i++) misuse_check(&list[i]);
}

#endif
