/* Pages from the kernel: map, unmap, move, advise. The only place that knows these system calls.
 *
 * Every function answers failure with NULL, false or a negative errno and leaves errno as it was. All of them may fail at
 * any time, unmapping too (a process at its limit of mappings cannot split one); callers say what they do then. */
#ifndef LOAM_OS_PAGES_H
#define LOAM_OS_PAGES_H

#include "base/compiler.h"

/* The page size in bytes: 4, 16 or 64 KiB. Set by os_start, before the first map. */
extern size_t os_page;
extern uint32_t os_page_shift;

/* Reads what does not change while a process runs. Idempotent. */
void os_start(void);

/* Fresh zeroed memory, readable and writable, at `hint` if that is free, else anywhere. NULL if there is none. */
void *os_map(void *hint, size_t size);

/* The same, aligned to `align` (a power of two, at least a page). Asks for places side by side, so most calls are one system
 * call. The caller holds a lock: the hint is shared. */
void *os_map_aligned(size_t size, size_t align);

bool os_unmap(void *start, size_t size);

/* Grows or shrinks a mapping where it stands. */
bool os_resize(void *start, size_t from, size_t to);

/* Moves a mapping of `from` bytes to `target`, which is mapped already and is replaced; it has `to` bytes then. */
bool os_move(void *start, size_t from, size_t to, void *target);

/* The kernel takes the pages back; they read as zeros afterwards. False: they may hold what they held (locked memory on
 * an old kernel). */
bool os_purge(void *start, size_t size);

/* Huge pages wanted (true) or unwanted in the range. Advice: failure changes nothing. */
void os_advise_huge(void *start, size_t size, bool wanted);

/* Resident bytes of the process, 0 if the kernel does not tell. Opens and closes a file. */
size_t os_resident(void);

/* True if the page that holds `at` can be read. (Before Linux 5.14: if it is mapped.) */
bool os_is_readable(const void *at);

#endif
