/* Regions: allocators that a program owns.
 *
 * A region hands out memory from a place that its creator chose, by a strategy that its creator chose, and goes away
 * as a whole. Five strategies share one set of calls:
 *
 *   bump     a pointer that moves up. Nothing is as fast; blocks go away together: all, or down to a savepoint.
 *   cells    blocks of one size. Allocating and freeing are a few instructions, nothing is lost between cells.
 *   blocks   any size, a header of 32 bytes before each block, best fit, neighbours merged at once.
 *   buddy    powers of two; no header; every step takes time in the logarithm of the region.
 *   bitmap   any size in steps of 8 bytes, two bits for each 8 bytes beside the memory and nothing in it.
 *
 * The memory comes from one of three sources: anonymous mappings, the program break (by the ordinary function
 * `sbrk`), or a buffer of the caller's, and then no system call is made at all. The region's own data stands at the
 * front of that memory: there is nothing else to free, and a region in shared memory is shared as a whole.
 *
 * Errors. A call that returns int returns LOAM_OK or an enum loam_error. A call that returns a pointer returns NULL,
 * sets errno (ENOMEM or EINVAL), and `loam_region_error` tells which enum loam_error it was. A pointer that the
 * region did not give out, or that is free already, is refused and nothing changes. Refusals are certain for buddy
 * and (unless LOAM_REGION_UNCHECKED) cells; for bitmap too, but that a double free is missed if the program has
 * written into the block since it freed it; for blocks as long as headers have not been overwritten (a block that has
 * merged since is refused as LOAM_ERROR_INTERIOR); a bump region keeps no books and refuses only what lies outside of
 * what it has handed out.
 *
 * Threads. A region is not locked unless its creator asks: LOAM_REGION_LOCKED for the threads of one process,
 * LOAM_REGION_SHARED for several processes that map the same buffer. No call is safe in a signal handler that may
 * interrupt another call on the same region.
 *
 * Addresses. Regions of bump, cells and buddy over a buffer hold distances, no addresses: processes may map the
 * buffer at different places. Regions of blocks and bitmap hold addresses: all must map the buffer at the same place. */
#ifndef LOAM_REGION_H
#define LOAM_REGION_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A region. What is inside is the library's own affair. */
typedef struct loam_region loam_region;

/** What a call has to say. `loam_strerror` puts it into words. */
enum loam_error {
    LOAM_OK = 0,
    LOAM_ERROR_ARGUMENT, /**< an argument that makes no sense: a NULL, an unknown flag, options that contradict */
    LOAM_ERROR_REGION, /**< not a region, or one that was destroyed */
    LOAM_ERROR_SPENT, /**< no memory: the buffer, the limit or the system has no more */
    LOAM_ERROR_SIZE, /**< a size that this region can never serve: 0, over the cell's, over 2^61 */
    LOAM_ERROR_ALIGNMENT, /**< not a power of two, or more than this region can give */
    LOAM_ERROR_FOREIGN, /**< an address outside of the region's memory */
    LOAM_ERROR_INTERIOR, /**< an address inside the region at which no block starts */
    LOAM_ERROR_FREE, /**< the block is free already */
    LOAM_ERROR_UNSUPPORTED, /**< this strategy has no such call, or this build (without a system) no such source */
    LOAM_ERROR_CORRUPT /**< the region's own data has been overwritten */
};

/** How a region keeps its memory. */
enum loam_region_kind {
    LOAM_REGION_BUMP,
    LOAM_REGION_CELLS,
    LOAM_REGION_BLOCKS,
    LOAM_REGION_BUDDY,
    LOAM_REGION_BITMAP
};

/** Where a region's memory comes from. */
enum loam_region_source {
    LOAM_SOURCE_MAP, /**< anonymous private mappings; given back by destroy, and earlier where a whole one is free */
    LOAM_SOURCE_BREAK, /**< the program break, moved with sbrk; no other thread may move it meanwhile */
    LOAM_SOURCE_BUFFER /**< `buffer` of the options: 16-aligned or not, in use until destroy; no system call is made */
};

/** Or-ed together in loam_region_options.flags. */
enum loam_region_flag {
    LOAM_REGION_LOCKED = 1, /**< one lock around each call: many threads of one process */
    LOAM_REGION_SHARED =
        2, /**< a lock that works between processes which share the buffer; it does not survive a holder that dies */
    LOAM_REGION_FIXED = 4, /**< never grow beyond the first piece of memory */
    LOAM_REGION_UNCHECKED = 8 /**< cells: keep no bit for each cell; bad frees are not noticed, walk is not supported */
};

/** What a region is made with. Set all to zero first; a zero means the default. */
struct loam_region_options {
    enum loam_region_kind kind;
    enum loam_region_source source;
    unsigned flags; /**< of enum loam_region_flag */
    void *buffer; /**< LOAM_SOURCE_BUFFER: the memory */
    size_t buffer_size; /**< and its bytes */
    size_t limit; /**< map and break: never hold more bytes than this; 0: no limit */
    size_t first; /**< map and break: bytes of memory in the first piece; 0: 64 KiB (bitmap over the break 32 KiB) */
    size_t cell; /**< cells: bytes of a cell, at least 1; a cell takes the next multiple of 8 */
    size_t least; /**< buddy: bytes of the smallest block, a power of two from 16; 0: 64 */
};

/** A savepoint of a bump region. */
struct loam_region_mark {
    size_t piece; /**< which piece of memory, counted from the first */
    size_t at; /**< how far it was used */
    size_t live; /**< bytes handed out then */
    size_t live_blocks;
};

/** Numbers of a region, in bytes. taken = live + free + slack. */
struct loam_region_stats {
    size_t taken; /**< what the region holds from its source */
    size_t live; /**< in blocks that are handed out, as `usable` counts them */
    size_t live_blocks; /**< how many of them; a bump region counts a block until it is taken back or rewound */
    size_t free; /**< could be handed out without more memory, if it fits */
    size_t largest_free; /**< the longest piece of it: a request of this size would be served now */
    size_t slack; /**< the region's own data, headers, ends that are too short to use */
    double fragmentation; /**< 1 - largest_free / free; 0 when nothing is free */
};

/** One step of a walk. */
struct loam_region_block {
    void *start;
    size_t size; /**< usable bytes */
    bool live;
};

/** Makes a region.
 *
 * @param out      receives the region
 * @param options  see there; not kept
 * @return LOAM_OK; LOAM_ERROR_ARGUMENT, LOAM_ERROR_SIZE (buffer or limit too small to hold even an empty region),
 *         LOAM_ERROR_SPENT (the source refused); then *out is NULL
 * Cost: at most three system calls. Does not touch the memory, but for the region's own data. */
int loam_region_create(loam_region **out, const struct loam_region_options *options);

/** Gives all memory back to the source; the region and all its blocks are gone.
 *
 * Over the break, only what lies at the top of it can go back.
 * @return LOAM_OK; LOAM_ERROR_REGION */
int loam_region_destroy(loam_region *region);

/** Frees all blocks at once; the region is as new, but may keep memory for what comes.
 *
 * @return LOAM_OK; LOAM_ERROR_REGION Cost: a constant for bump; one clearing of the books for bitmap; for the others
 * a few words for each piece of memory. */
int loam_region_reset(loam_region *region);

/** A block of at least `size` bytes, aligned to 8 (blocks: 16; buddy: to its own size, up to 4096; cells: the largest
 * power of two in the cell's size, up to 16). Its contents are undefined.
 *
 * @return the block; NULL with errno ENOMEM (LOAM_ERROR_SPENT) or EINVAL (LOAM_ERROR_SIZE: size is 0 or too large) */
void *loam_region_alloc(loam_region *region, size_t size);

/** The same, aligned to `alignment`, a power of two.
 *
 * @return the block; NULL, also with errno EINVAL (LOAM_ERROR_ALIGNMENT: no power of two, or more than cells and buddy
 * give) */
void *loam_region_alloc_aligned(loam_region *region, size_t alignment, size_t size);

/** Frees a block. NULL is accepted and does nothing.
 *
 * A bump region takes back only the block that was allocated last; for others it returns LOAM_OK and does nothing.
 * @return LOAM_OK; LOAM_ERROR_FOREIGN, LOAM_ERROR_INTERIOR, LOAM_ERROR_FREE: nothing was changed */
int loam_region_free(loam_region *region, void *block);

/** Changes the size of a block: in place if it can, else by allocating, copying and freeing.
 *
 * NULL as block allocates. The same or a smaller size never moves (but in a bump region, which knows only the size of
 * the last block: all others move). For a block that is moved the alignment is that of `loam_region_alloc`.
 * @return the block, where it is now; NULL: the old block is untouched (errors as of alloc and free) */
void *loam_region_resize(loam_region *region, void *block, size_t size);

/** Changes the size of a block without moving it.
 *
 * @return LOAM_OK; LOAM_ERROR_SPENT: there is no room behind it; errors as of free and alloc */
int loam_region_resize_in_place(loam_region *region, void *block, size_t size);

/** The bytes that may be used in a block: at least what was asked for.
 *
 * @return 0 if no live block starts there; in a bump region 0 for all but the last block, as it keeps no books */
size_t loam_region_usable(loam_region *region, const void *block);

/** Whether an address lies in memory that the region hands out: live, free or yet unused. */
bool loam_region_owns(loam_region *region, const void *address);

/** Fills in the numbers. Takes time in the number of pieces (bitmap: first merges what is free; blocks, cells:
 * constant).
 *
 * @return LOAM_OK; LOAM_ERROR_REGION, LOAM_ERROR_ARGUMENT */
int loam_region_stats(loam_region *region, struct loam_region_stats *stats);

/** Calls `visit` for each block, live and free, in the order of addresses within each piece of memory, until it returns
 * false. `visit` must not call the region (which is locked, if it has a lock).
 *
 * A bump region shows, for each piece, one live block of all that was allocated and one free of the rest.
 * @return LOAM_OK; LOAM_ERROR_REGION, LOAM_ERROR_UNSUPPORTED (unchecked cells) */
int loam_region_walk(loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg), void *arg);

/** Looks at all of the region's own data: slow, for tests.
 *
 * @return NULL if all is well, else a constant text that says what is wrong */
const char *loam_region_check(loam_region *region);

/** Bump: remembers how far the region is used. A mark is void after a reset or a rewind to an earlier one.
 *
 * @return LOAM_OK; LOAM_ERROR_UNSUPPORTED for other strategies */
int loam_region_mark(loam_region *region, struct loam_region_mark *mark);

/** Bump: frees all blocks that were allocated since the mark.
 *
 * @return LOAM_OK; LOAM_ERROR_ARGUMENT if the region is not used as far as that; LOAM_ERROR_UNSUPPORTED */
int loam_region_rewind(loam_region *region, const struct loam_region_mark *mark);

/** What the last call that failed said, by whichever thread; LOAM_OK if none did. */
int loam_region_error(loam_region *region);

/** An enum loam_error in words: a constant text, for unknown codes too. */
const char *loam_strerror(int error);

#ifdef __cplusplus
}
#endif

#endif
