/* The end of a slow path: what is due on a tick, and dirt above its bound. Call with no lock held. */
#ifndef LOAM_CACHE_TICK_H
#define LOAM_CACHE_TICK_H

void cache_tick(void);

#endif
