/* The heap's numbers, put together from what every layer counts; and the words that show them. */
#ifndef LOAM_OBSERVE_STATS_H
#define LOAM_OBSERVE_STATS_H

#include "base/compiler.h"
#include "base/log.h"
#include "loam/loam.h"

/* One line, in words, into the text: for tools that collect them. */
void stats_words(const struct loam_stats *stats, int fd);

uint64_t observe_samples(void);

#endif
