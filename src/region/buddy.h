/* buddy: powers of two, books in a bitmap (see buddy.c). */
#ifndef LOAM_REGION_BUDDY_IMPL_H
#define LOAM_REGION_BUDDY_IMPL_H

#include "region/region.h"

REGION_API int buddy_open(struct source source, const struct loam_region_options *options, struct loam_region **out);
REGION_API void *buddy_alloc(struct loam_region *region, size_t size, size_t alignment);
REGION_API int buddy_free(struct loam_region *region, void *block);
REGION_API int buddy_resize(struct loam_region *region, void *block, size_t size);
REGION_API int buddy_usable(struct loam_region *region, const void *block, size_t *size);
REGION_API bool buddy_owns(const struct loam_region *region, const void *address);
REGION_API int buddy_reset(struct loam_region *region);
REGION_API void buddy_destroy(struct loam_region *region);
REGION_API void buddy_stats(struct loam_region *region, struct loam_region_stats *stats);
REGION_API int buddy_walk(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                          void *arg);
REGION_API const char *buddy_check(struct loam_region *region);

#endif
