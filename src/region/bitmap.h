/* bitmap: any size in steps of 8 bytes, with all books beside the memory. Loam in small (see bitmap.c).
 *
 * The calls are those of struct region_ops; interface 003 calls them directly:
 *     struct source source = source_break();
 *     struct loam_region *heap;
 *     bitmap_open(source, &options, &heap)        options.kind = LOAM_REGION_BITMAP, all else 0
 *     bitmap_alloc(heap, size, alignment)         alignment a power of two, 8 if it does not matter
 *     bitmap_resize(heap, block, size)            in place, or LOAM_ERROR_SPENT: then allocate, copy, free
 * Sizes are rounded up to a multiple of 8. One thread at a time. */
#ifndef LOAM_REGION_BITMAP_H
#define LOAM_REGION_BITMAP_H

#include "region/region.h"

REGION_API int bitmap_open(struct source source, const struct loam_region_options *options, struct loam_region **out);
REGION_API void *bitmap_alloc(struct loam_region *region, size_t size, size_t alignment);
REGION_API int bitmap_free(struct loam_region *region, void *block);
REGION_API int bitmap_resize(struct loam_region *region, void *block, size_t size);
REGION_API int bitmap_usable(struct loam_region *region, const void *block, size_t *size);
REGION_API bool bitmap_owns(const struct loam_region *region, const void *address);
REGION_API int bitmap_reset(struct loam_region *region);
REGION_API void bitmap_destroy(struct loam_region *region);
REGION_API void bitmap_stats(struct loam_region *region, struct loam_region_stats *stats);
REGION_API int bitmap_walk(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                           void *arg);
REGION_API const char *bitmap_check(struct loam_region *region);

#endif
