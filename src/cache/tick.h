/* The end of a slow path: what is due on a tick, and dirt above its bound. Call with no lock held. */
#ifndef LOAM_CACHE_TICK_H
#define LOAM_CACHE_TICK_H

void cache_tick(void);

/* The same, but looks at the clock only once in a while: for calls of middle size, whose lists may serve a program that does
 * little for so long that no slow path would ever be taken. */
void cache_tick_seldom(void);

#endif
