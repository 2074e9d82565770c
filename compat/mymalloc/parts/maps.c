/* Objects that are mappings of their own. A few that were freed are kept for the next one of about that length, as long as
 * others are in use: a program that plays one image after the other would else have each page of each of them faulted in anew. */
#include "parts/state.h"

static size_t map_length(size_t size)
{
    return bits_up(size + sizeof(struct mark), (size_t)sysconf(_SC_PAGESIZE));
}

/* The shortest kept mapping that is long enough and not twice as long. */
static void *kept_take(size_t length, size_t *found)
{
    struct kept *best = NULL;
    for (struct kept *entry = kept; entry < kept + KEPT_MOST; entry++)
        if (entry->memory != NULL && entry->length >= length && entry->length <= 2 * length &&
            (best == NULL || entry->length < best->length))
            best = entry;
    if (best == NULL)
        return NULL;
    void *memory = best->memory;
    *found = best->length;
    kept_bytes -= best->length;
    best->memory = NULL;
    return memory;
}

static bool kept_put(void *memory, size_t length)
{
    for (struct kept *entry = kept; entry < kept + KEPT_MOST; entry++)
        if (entry->memory == NULL && kept_bytes + length <= KEPT_BYTES) {
            *entry = (struct kept){memory, length};
            kept_bytes += length;
            return true;
        }
    return false;
}

/* Nothing large is in use any more: nothing is kept. */
static void kept_drop(void)
{
    for (struct kept *entry = kept; entry < kept + KEPT_MOST; entry++) {
        if (entry->memory != NULL)
            munmap(entry->memory, entry->length);
        entry->memory = NULL;
    }
    kept_bytes = 0;
}

/* *fresh: the memory is new and therefore zero. */
static void *map_object(size_t size, bool *fresh)
{
    size_t length = map_length(size);
    lock_take(&heap_lock);
    void *memory = kept_take(length, &length);
    mapped_live++;
    lock_drop(&heap_lock);
    *fresh = memory == NULL;
    if (memory == NULL)
        memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED)
        return mark_put(memory, OWNER_MAPPED, 0, length - sizeof(struct mark));
    lock_take(&heap_lock);
    mapped_live--;
    kept_drop(); /* what is kept may be what the system lacks */
    lock_drop(&heap_lock);
    return NULL;
}

static void map_free(void *object)
{
    struct mark *mark = mark_of(object);
    size_t length = mark->size + sizeof(struct mark);
    mark->check = 0;
    lock_take(&heap_lock);
    bool done = --mapped_live > 0 && kept_put(mark, length);
    if (mapped_live == 0)
        kept_drop();
    lock_drop(&heap_lock);
    if (!done)
        munmap(mark, length);
}

static void *map_resize(void *object, size_t size)
{
    struct mark *mark = mark_of(object);
    size_t was = mark->size + sizeof(struct mark), length = map_length(size);
    if (length == was)
        return object;
    void *moved = mremap(mark, was, length, MREMAP_MAYMOVE);
    return moved != MAP_FAILED ? mark_put(moved, OWNER_MAPPED, 0, length - sizeof(struct mark)) : NULL;
}
