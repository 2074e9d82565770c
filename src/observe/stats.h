/* The heap's numbers, put together from what every layer counts; and the words that show them. */
#ifndef LOAM_OBSERVE_STATS_H
#define LOAM_OBSERVE_STATS_H

#include "base/compiler.h"
#include "base/lock.h"
#include "base/log.h"
#include "loam/loam.h"

/* The numbers in words, a line for each matter, to a descriptor. */
void stats_words(const struct loam_stats *stats, int fd);

/* loam_stats_get, or the same without what a sandbox may forbid: no file is read, no barrier asked for. */
void stats_collect(struct loam_stats *stats, bool quietly);

/* Held while numbers are put together; before all other locks. */
extern struct lock stats_lock;

uint64_t observe_samples(void);

#endif
