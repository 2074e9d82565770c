/* source: where a region's memory comes from. Anonymous mappings, the program break, or the caller's buffer.
 *
 * A source gives pieces. Map gives a new piece anywhere, as often as asked. Break gives a piece at the top, and can
 * make the last piece longer or shorter as long as nobody else has moved the break. Buffer gives one piece, once: all
 * of it. Called by the strategies, under whatever lock the region has.
 *
 * The break is moved only through sbrk, as an ordinary call of a library function, so that a program may put its own in
 * its place. Fresh break memory is not assumed to be clear. No source assumes anything about the memory's contents.
 *
 * Cost: one system call each; a buffer none, and compiled with REGION_NO_SYSTEM there is nothing in here that could
 * make one. Easy to get wrong: whoever shares the break with others must ask `source_extend` each time and be ready
 * to hear no. */
#ifndef LOAM_REGION_SOURCE_H
#define LOAM_REGION_SOURCE_H

#include "base/bits.h"
#include "loam/region.h"

/* The strategies' functions are hidden in the library, and may be made static where sources are joined into a file. */
#ifndef REGION_API
#define REGION_API
#endif

enum { SOURCE_ALIGNMENT = 16, SOURCE_PAGE = 4096 };

struct source {
    uint32_t kind; /* enum loam_region_source */
    bool fixed; /* no more than one piece, and that one does not grow */
    bool used; /* a piece has been given */
    size_t taken; /* bytes given and not yet given back */
    size_t limit; /* taken never exceeds this */
    char *end; /* break: where the last piece ends; the break is ours while it is still there */
    char *buffer; /* buffer: all of it, until the piece is given; an address, never used after that */
};

REGION_API struct source source_map(void);
REGION_API struct source source_break(void);
REGION_API struct source source_buffer(void *buffer, size_t size);

/* A new piece of at least `least` bytes, `*bytes` if possible, 16-aligned; *bytes says how many it has. NULL: no
 * memory. Buffer: the whole buffer, whatever was wished, if that is at least `least`. */
REGION_API void *source_take(struct source *source, size_t least, size_t *bytes);

/* Makes the last piece longer by `bytes`, at its end. False: this source cannot, or has no more. */
REGION_API bool source_extend(struct source *source, size_t bytes);

/* Gives the end of the last piece back. False: somebody else has moved the break beyond it. */
REGION_API bool source_lower(struct source *source, size_t bytes);

/* Gives a whole piece back. Break: only if it is the last and the break is still at its end. */
REGION_API bool source_give(struct source *source, void *piece, size_t bytes);

/* Whether the last piece can grow in place: nobody has moved the break since. */
REGION_API bool source_is_growable(const struct source *source);

#endif
