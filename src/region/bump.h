/* bump: a pointer that moves up (see bump.c). */
#ifndef LOAM_REGION_BUMP_IMPL_H
#define LOAM_REGION_BUMP_IMPL_H

#include "region/region.h"

REGION_API int bump_open(struct source source, const struct loam_region_options *options, struct loam_region **out);
REGION_API void *bump_alloc(struct loam_region *region, size_t size, size_t alignment);
REGION_API int bump_free(struct loam_region *region, void *block);
REGION_API int bump_resize(struct loam_region *region, void *block, size_t size);
REGION_API int bump_usable(struct loam_region *region, const void *block, size_t *size);
REGION_API bool bump_owns(const struct loam_region *region, const void *address);
REGION_API int bump_reset(struct loam_region *region);
REGION_API void bump_destroy(struct loam_region *region);
REGION_API void bump_stats(struct loam_region *region, struct loam_region_stats *stats);
REGION_API int bump_walk(struct loam_region *region, bool (*visit)(const struct loam_region_block *block, void *arg),
                         void *arg);
REGION_API const char *bump_check(struct loam_region *region);

/* The bytes from a block's start to the end of what has been handed out there: what a copy may read. */
REGION_API int bump_reach(const struct loam_region *region, const void *block, size_t *size);
REGION_API void bump_mark(const struct loam_region *region, struct loam_region_mark *mark);
REGION_API int bump_rewind(struct loam_region *region, const struct loam_region_mark *mark);

#endif
