/* The header of a block in the blocks strategy, and in interface 004, whose users read it 32 bytes before a payload. */
#ifndef LOAM_BLOCK_META_H
#define LOAM_BLOCK_META_H

#include <stddef.h>

#define STATUS_FREE 0
#define STATUS_ALLOC 1
#define STATUS_MAPPED 2 /* a mapping of its own; not in the list */

struct block_meta {
    size_t size; /* bytes of the payload, a multiple of the list's step */
    int status; /* STATUS_* */
    struct block_meta *prev; /* the blocks before and behind in the order of addresses */
    struct block_meta *next;
};

#endif
