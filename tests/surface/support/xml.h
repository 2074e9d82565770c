// Is a text one well-formed XML element? A strict reader of what malloc_info may write.
//
// Elements, attributes in either quote, text, comments, a declaration at the start; no DTD, no
// CDATA. Not for hostile input: it answers yes or no for the output of malloc_info, nothing more.
#ifndef SURFACE_XML_H
#define SURFACE_XML_H

#include "surface.h"
#include <ctype.h>

static inline const char *xml_space(const char *at) {
    while (isspace((unsigned char)*at)) at++;
    return at;
}

static inline const char *xml_name(const char *at) {
    if (!isalpha((unsigned char)*at) && *at != '_') return NULL;
    while (isalnum((unsigned char)*at) || *at == '_' || *at == '-' || *at == '.' || *at == ':') at++;
    return at;
}

// Past `name="value"`, or NULL.
static inline const char *xml_attribute(const char *at) {
    at = xml_name(at);
    if (!at) return NULL;
    at = xml_space(at);
    if (*at++ != '=') return NULL;
    at = xml_space(at);
    char quote = *at++;
    if (quote != '"' && quote != '\'') return NULL;
    while (*at && *at != quote && *at != '<') at++;
    return *at == quote ? at + 1 : NULL;
}

// Past one element with all that is in it, or NULL. `depth` bounds the recursion.
static inline const char *xml_element(const char *at, int depth) {
    if (depth > 64 || *at != '<') return NULL;
    const char *name = at + 1;
    at = xml_name(name);
    if (!at) return NULL;
    size_t length = (size_t)(at - name);
    for (;;) {
        const char *next = xml_space(at);
        if (*next == '>') {
            at = next + 1;
            break;
        }
        if (next[0] == '/' && next[1] == '>') return next + 2;
        if (next == at) return NULL; // attributes are set apart by space
        at = xml_attribute(next);
        if (!at) return NULL;
    }
    for (;;) {
        while (*at && *at != '<') {
            if (*at == '&' && !strchr(at, ';')) return NULL;
            at++;
        }
        if (strncmp(at, "<!--", 4) == 0) {
            at = strstr(at + 4, "-->");
            if (!at) return NULL;
            at += 3;
        } else if (at[0] == '<' && at[1] == '/') {
            at += 2;
            if (strncmp(at, name, length) != 0) return NULL;
            at = xml_space(at + length);
            return *at == '>' ? at + 1 : NULL;
        } else {
            at = xml_element(at, depth + 1);
            if (!at) return NULL;
        }
    }
}

static inline bool xml_is_well_formed(const char *text) {
    const char *at = xml_space(text);
    if (strncmp(at, "<?xml", 5) == 0) {
        at = strstr(at, "?>");
        if (!at) return false;
        at = xml_space(at + 2);
    }
    at = xml_element(at, 0);
    return at && *xml_space(at) == '\0';
}

#endif
