/* What an enum loam_error means, in words. */
#include "loam/region.h"
#include "region/source.h"

static const char *const strerror_texts[] = {
    [LOAM_OK] = "no error",
    [LOAM_ERROR_ARGUMENT] = "an argument makes no sense",
    [LOAM_ERROR_REGION] = "this is no region, or it was destroyed",
    [LOAM_ERROR_SPENT] = "no memory left: the buffer, the limit or the system has no more",
    [LOAM_ERROR_SIZE] = "the region can never serve this size",
    [LOAM_ERROR_ALIGNMENT] = "the alignment is no power of two, or more than the region can give",
    [LOAM_ERROR_FOREIGN] = "the address lies outside of the region",
    [LOAM_ERROR_INTERIOR] = "no block of the region starts at this address",
    [LOAM_ERROR_FREE] = "the block is free already",
    [LOAM_ERROR_UNSUPPORTED] = "this strategy, or this build of the library, cannot do that",
    [LOAM_ERROR_CORRUPT] = "the region's own data was overwritten",
};

EXPORT const char *loam_strerror(int error)
{
    if (error < 0 || (size_t)error >= sizeof strerror_texts / sizeof strerror_texts[0])
        return "unknown error";
    return strerror_texts[error];
}
