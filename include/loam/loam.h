/* Loam, a memory allocator: what it offers beyond malloc.
 *
 * malloc, free and the rest of the C library's family need no header of ours. Everything here is safe to call from any
 * thread at any time, but not from a signal handler, unless a line says otherwise; nothing here allocates.
 * Manual page: libloam(7). */
#ifndef LOAM_LOAM_H
#define LOAM_LOAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAM_PUBLIC __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* The version as "major.minor.patch". Async-signal-safe. */
LOAM_PUBLIC const char *loam_version(void);

/* How the lists in front are worked in this process: "sequences" (restartable sequences), "locked", "trusted" or, before the
 * first allocation, "not started". Async-signal-safe. */
LOAM_PUBLIC const char *loam_mode(void);

/* Why the mode is "locked", in words; NULL if it is not. Async-signal-safe. */
LOAM_PUBLIC const char *loam_mode_reason(void);

/* ---- numbers ---- */

enum { LOAM_STATS_CLASSES = 145 };

/* All sizes in bytes. At rest the numbers are exact; while other threads allocate they are off by what these have in hand.
 * What the process holds adds up:
 *   mapped = live + cached + free_in_chunks + dirty + untouched,
 *   resident = (what of these has been touched) + metadata + `not_ours`. */
struct loam_stats {
    size_t live_bytes;        /* in blocks that the program has */
    size_t live_blocks;
    size_t peak_bytes;        /* most bytes in blocks and in lists at any time */
    size_t peak_blocks;
    size_t cached_bytes;      /* in the processors' lists and in batches between them */
    size_t cached_blocks;
    size_t free_in_chunks;    /* free inside chunks that are in use, resident */
    size_t dirty_bytes;       /* free pages that may be resident */
    size_t untouched_bytes;   /* mapped, not resident: never touched, or given back */
    size_t mapped_bytes;      /* address space for blocks */
    size_t mapped_peak;
    size_t metadata_bytes;    /* descriptors and tables that have been given out */
    size_t large_blocks;      /* live blocks over 32 KiB; counted in live_blocks too */
    size_t large_bytes;
    size_t direct_blocks;     /* of these, with a mapping of their own */
    size_t direct_bytes;
    size_t chunks;            /* of 64 KiB */
    size_t areas;
    size_t returned_bytes;    /* given back to the kernel so far */
    size_t resident_bytes;    /* of the whole process, as the kernel says; 0 if it does not */
    size_t not_ours_bytes;    /* resident less all that is ours: program, libraries, stacks; 0 if resident is unknown */
    uint32_t tables;          /* processors' tables in use */
    bool exact;               /* false: lists of other processors could not be counted, and are in live_bytes */
    uint64_t list_misses;     /* calls that the lists could not serve */
    uint64_t lock_waits;      /* times that a thread had to wait for an arena */
    size_t lost_blocks;       /* in lists that a fork had to drop, where the kernel refuses a barrier */
    size_t class_bytes[LOAM_STATS_CLASSES];      /* size of the blocks of each class; class 0 is none */
    size_t class_live[LOAM_STATS_CLASSES];       /* blocks that the program has */
    uint64_t class_carved[LOAM_STATS_CLASSES];   /* blocks ever cut from chunks for it */
};

/* Fills *stats. Takes every lock for a moment and stops no thread for longer. Cost: it walks all lists and chunks, about a
 * millisecond for 64 MiB of small blocks. Reads /proc/self/statm. Keeps errno. */
LOAM_PUBLIC void loam_stats_get(struct loam_stats *stats);

/* The same in words, to a descriptor. */
LOAM_PUBLIC void loam_stats_print(int fd);

/* ---- giving back ---- */

/* Gives all free memory that covers whole pages back to the kernel, from lists, chunks and areas. Returns the bytes that it
 * took. Cost: up to seconds for gigabytes of free memory; other threads go on. Keeps errno. */
LOAM_PUBLIC size_t loam_trim(void);

/* ---- looking at pointers and at the heap ---- */

enum loam_owner {
    LOAM_NOT_OURS,    /* no memory of the heap */
    LOAM_LIVE,        /* in a block that is handed out, or held in a list of free blocks (which nobody can tell apart for nothing) */
    LOAM_FREE,        /* in the heap, in no block */
};

struct loam_block {
    const void *start;   /* NULL if the pointer is not ours */
    size_t size;         /* usable bytes from start, or the length of the hole */
};

/* Whose is p? Any value may be asked for. *block (may be NULL) says where what holds it begins and how long it is. */
LOAM_PUBLIC enum loam_owner loam_whose(const void *p, struct loam_block *block);

/* The bytes that may be used at p, at least as many as were asked for. 0 if p is NULL or starts no block of ours; unlike
 * malloc_usable_size, which reports such a pointer and aborts. */
LOAM_PUBLIC size_t loam_usable_size(const void *p);

/* Checks the whole heap against itself. NULL if all is well, else words (constant) that say what is wrong first. Lists are
 * checked only if no other thread allocates meanwhile. Cost: as loam_stats_get, times ten. */
LOAM_PUBLIC const char *loam_check(void);

/* ---- options ---- */

/* The options that the environment variable LOAM takes, one a line with what they do, to a descriptor. */
LOAM_PUBLIC void loam_options_print(int fd);

#ifdef __cplusplus
}
#endif

#endif
