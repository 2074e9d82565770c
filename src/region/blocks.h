/* blocks: any size, a header in front of each block, best fit, neighbours merged at once (see blocks.c). */
#ifndef LOAM_REGION_BLOCKS_H
#define LOAM_REGION_BLOCKS_H

#include "region/block_list.h"
#include "region/region.h"

REGION_API int blocks_open(struct source source, const struct loam_region_options *options, struct loam_region **out);
REGION_API void *blocks_alloc(struct loam_region *region, size_t size, size_t alignment);
REGION_API int blocks_free(struct loam_region *region, void *block);
REGION_API int blocks_resize(struct loam_region *region, void *block, size_t size);
REGION_API int blocks_usable(struct loam_region *region, const void *block, size_t *size);
REGION_API bool blocks_owns(const struct loam_region *region, const void *address);
REGION_API int blocks_reset(struct loam_region *region);
REGION_API void blocks_destroy(struct loam_region *region);
REGION_API void blocks_stats(struct loam_region *region, struct loam_region_stats *stats);
REGION_API int blocks_walk(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                           void *arg);
REGION_API const char *blocks_check(struct loam_region *region);

#endif
