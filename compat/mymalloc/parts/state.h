/* What mymalloc.c consists of: the mark in front of an object, the lists, the heap, the mappings that are kept; and the locks
 * that guard them. */
#ifndef MYMALLOC_STATE_H
#define MYMALLOC_STATE_H

#define POOL_LARGEST ((size_t)16 * 1024) /* objects up to this come from the lists' pools */
#define POOL_BYTES ((size_t)272 * 1024) /* the first pool of a list: 256 KiB and its own books */
#define MMAP_THRESHOLD ((size_t)128 * 1024) /* from this on, with their header, objects are mappings */
#define SIZE_LARGEST ((size_t)PTRDIFF_MAX / 4)

enum {
    POOLS_MOST = 24, /* of a list: the last would have 2 TiB */
    LISTS_MOST = 4096,
    KEPT_MOST = 8, /* free mappings that are kept, */
    KEPT_BYTES = 16 << 20 /* and how many bytes in all */
};

/* ---- the mark in front of an object ---- */

enum { OWNER_MAPPED = LISTS_MOST, OWNER_BREAK_HEAP, OWNER_MAP_HEAP };

struct mark {
    size_t size; /* bytes behind the mark that belong to the object; of a mapping, all of it but the mark */
    uint32_t check; /* MARK_CHECK, mixed with the address: a copy of a mark elsewhere is none */
    uint16_t owner; /* a list, or OWNER_*. This word outlives a free to a pool, whose link takes the other one */
    uint16_t pool; /* of the list */
};

#define MARK_CHECK 0x6d616c6cu

_Static_assert(sizeof(struct mark) == 16, "objects behind it are aligned to 16");

static uint32_t mark_check(const struct mark *mark)
{
    return MARK_CHECK ^ (uint32_t)((uintptr_t)mark >> 4);
}

static struct mark *mark_of(void *object)
{
    return (struct mark *)object - 1;
}

static void *mark_put(void *memory, uint32_t owner, uint32_t pool, size_t size)
{
    struct mark *mark = memory;
    *mark = (struct mark){size, mark_check(mark), (uint16_t)owner, (uint16_t)pool};
    return mark + 1;
}

static bool mark_is_ours(void *object)
{
    return (uintptr_t)object % sizeof(struct mark) == 0 && mark_of(object)->check == mark_check(mark_of(object));
}

static COLD void object_is_bad(const void *object, int error)
{
    log_fatal("mymalloc: free or realloc of %p: %s\n", object,
              error == LOAM_ERROR_FREE ? "it is free already"
                                       : "no object begins there, or what lies before it was overwritten");
}

/* ---- what there is ---- */

struct list {
    struct lock lock; /* guards all of the list, its pools and what is in them */
    uint32_t pools; /* slots of pool[] in use or used before */
    uint32_t current; /* the pool that served last */
    size_t pool_bytes;
    unsigned long taken, given;
    struct loam_region *pool[POOLS_MOST]; /* NULL: none, or given back; the first one stays */
} CACHE_ALIGNED;

struct kept {
    void *memory; /* NULL: no entry */
    size_t length;
};

static struct list *lists;
static uint32_t list_count;
static bool is_ready; /* released when all of the above is written; acquired by everyone */

static struct lock heap_lock; /* guards the rest */
static struct loam_region *break_heap; /* NULL: there were threads before us, or no break to be had */
static char *break_end; /* where the break heap ends, while it must not move */
static struct loam_region *map_heap; /* NULL while nothing is in it */
static struct kept kept[KEPT_MOST];
static size_t kept_bytes;
static size_t mapped_live; /* mappings that are objects */

#endif
