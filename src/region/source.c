/* The three sources of memory (source.h tells what each promises). */
#include "region/source.h"

#ifndef REGION_NO_SYSTEM
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- anonymous mappings ---- */

static void *source_map_take(struct source *source, size_t least, size_t *bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t length = bits_up(*bytes, page);
    if (length > source->limit - source->taken)
        length = bits_up(least, page);
    if (length > source->limit - source->taken)
        return NULL;
    void *piece = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED && length != bits_up(least, page)) {
        length = bits_up(least, page);
        piece = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    if (piece == MAP_FAILED)
        return NULL;
    *bytes = length;
    return piece;
}

/* munmap may fail (too many mappings); then the piece stays ours, and its owner keeps it as free memory. */
static bool source_map_give(void *piece, size_t bytes)
{
    return munmap(piece, bits_up(bytes, (size_t)sysconf(_SC_PAGESIZE))) == 0;
}

/* ---- the break ---- */

/* Moves the break up by `bytes` and says where it was. NULL: refused. */
static char *source_break_up(size_t bytes)
{
    void *was = sbrk((intptr_t)bytes);
    return was == (void *)-1 ? NULL : was;
}

static bool source_break_is_at(const char *end)
{
    return sbrk(0) == (const void *)end;
}

static bool source_break_down(size_t bytes)
{
    return sbrk(-(intptr_t)bytes) != (void *)-1;
}

static void *source_break_take(struct source *source, size_t least, size_t *bytes)
{
    void *here = sbrk(0);
    if (here == (void *)-1)
        return NULL;
    size_t pad = -(uintptr_t)here % SOURCE_ALIGNMENT; /* the break may stand anywhere */
    size_t wish = *bytes;
    size_t room = source->limit - source->taken;
    char *start = wish <= room ? source_break_up(pad + wish) : NULL;
    if (start == NULL && least < wish) {
        wish = least;
        start = wish <= room ? source_break_up(pad + wish) : NULL;
    }
    if (start == NULL)
        return NULL;
    if (start != here) { /* somebody moved it just now; what we have may be misaligned */
        source_break_down(pad + wish);
        return NULL;
    }
    *bytes = wish;
    source->end = start + pad + wish;
    return start + pad;
}

static bool source_break_extend(struct source *source, size_t bytes)
{
    char *start = source_break_up(bytes);
    if (start == NULL)
        return false;
    if (start != source->end) {
        source_break_down(bytes);
        return false;
    }
    source->end += bytes;
    return true;
}

static bool source_break_lower(struct source *source, size_t bytes)
{
    if (!source_break_is_at(source->end) || !source_break_down(bytes))
        return false;
    source->end -= bytes;
    return true;
}

#else
static void *source_map_take(struct source *source, size_t least, size_t *bytes)
{
    return (void)source, (void)least, (void)bytes, NULL;
}
static bool source_map_give(void *piece, size_t bytes)
{
    return (void)piece, (void)bytes, false;
}
static bool source_break_is_at(const char *end)
{
    return (void)end, false;
}
static void *source_break_take(struct source *source, size_t least, size_t *bytes)
{
    return (void)source, (void)least, (void)bytes, NULL;
}
static bool source_break_extend(struct source *source, size_t bytes)
{
    return (void)source, (void)bytes, false;
}
static bool source_break_lower(struct source *source, size_t bytes)
{
    return (void)source, (void)bytes, false;
}
#endif

/* ---- the caller's buffer ---- */

static void *source_buffer_take(struct source *source, size_t least, size_t *bytes)
{
    if (source->used || least > source->limit)
        return NULL;
    *bytes = source->limit;
    return source->buffer;
}

/* ---- all three ---- */

REGION_API struct source source_map(void)
{
    return (struct source){.kind = LOAM_SOURCE_MAP, .limit = SIZE_MAX};
}

REGION_API struct source source_break(void)
{
    return (struct source){.kind = LOAM_SOURCE_BREAK, .limit = SIZE_MAX};
}

REGION_API struct source source_buffer(void *buffer, size_t size)
{
    size_t pad = -(uintptr_t)buffer % SOURCE_ALIGNMENT;
    return (struct source){.kind = LOAM_SOURCE_BUFFER,
                           .buffer = (char *)buffer + pad,
                           .limit = size > pad ? bits_down(size - pad, SOURCE_ALIGNMENT) : 0};
}

REGION_API void *source_take(struct source *source, size_t least, size_t *bytes)
{
    void *piece = NULL;
    if (source->fixed && source->used)
        return NULL;
    least = bits_up(least, SOURCE_ALIGNMENT);
    *bytes = *bytes < least ? least : bits_up(*bytes, SOURCE_ALIGNMENT);
    if (source->kind == LOAM_SOURCE_MAP)
        piece = source_map_take(source, least, bytes);
    else if (source->kind == LOAM_SOURCE_BREAK)
        piece = source_break_take(source, least, bytes);
    else
        piece = source_buffer_take(source, least, bytes);
    if (piece != NULL) {
        source->used = true;
        source->taken += *bytes;
        source->buffer = NULL;
    }
    return piece;
}

REGION_API bool source_is_growable(const struct source *source)
{
    return source->kind == LOAM_SOURCE_BREAK && source->used && !source->fixed && source_break_is_at(source->end);
}

REGION_API bool source_extend(struct source *source, size_t bytes)
{
    if (bytes > source->limit - source->taken || !source_is_growable(source) || !source_break_extend(source, bytes))
        return false;
    source->taken += bytes;
    return true;
}

REGION_API bool source_lower(struct source *source, size_t bytes)
{
    if (source->kind != LOAM_SOURCE_BREAK || !source_break_lower(source, bytes))
        return false;
    source->taken -= bytes;
    return true;
}

REGION_API bool source_give(struct source *source, void *piece, size_t bytes)
{
    if (source->kind == LOAM_SOURCE_BREAK)
        return (char *)piece + bytes == source->end && source_lower(source, bytes);
    if (source->kind != LOAM_SOURCE_MAP || !source_map_give(piece, bytes))
        return false;
    source->taken -= bytes;
    return true;
}
