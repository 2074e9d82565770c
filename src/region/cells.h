/* cells: blocks of one size in a LIFO list (see cells.c). */
#ifndef LOAM_REGION_CELLS_IMPL_H
#define LOAM_REGION_CELLS_IMPL_H

#include "region/region.h"

REGION_API int cells_open(struct source source, const struct loam_region_options *options, struct loam_region **out);
REGION_API void *cells_alloc(struct loam_region *region, size_t size, size_t alignment);
REGION_API int cells_free(struct loam_region *region, void *block);
REGION_API int cells_resize(struct loam_region *region, void *block, size_t size);
REGION_API int cells_usable(struct loam_region *region, const void *block, size_t *size);
REGION_API bool cells_owns(const struct loam_region *region, const void *address);
REGION_API int cells_reset(struct loam_region *region);
REGION_API void cells_destroy(struct loam_region *region);
REGION_API void cells_stats(struct loam_region *region, struct loam_region_stats *stats);
REGION_API int cells_walk(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                          void *arg);
REGION_API const char *cells_check(struct loam_region *region);

#endif
