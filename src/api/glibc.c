/* The rest of the C library's surface: trimming, numbers, knobs, and its private names.
 *
 * mallinfo's fields are glibc's ideas; each is filled with what it means in our heap:
 *   arena     bytes of areas                   ordblks   free holes are not counted one by one: chunks with room, 0 or more
 *   smblks    blocks in lists and batches      hblks     direct mappings        hblkhd  bytes in them
 *   usmblks   0 (glibc: always)                fsmblks   bytes in lists and batches
 *   uordblks  live bytes outside direct ones   fordblks  free bytes of areas, lists included     keepcost  bytes that a trim gives back */
#include "api/inside.h"
#include "arena/arena.h"
#include "loam/loam.h"
#include "observe/stats.h"
#include "span/span.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

/* glibc calls mallinfo deprecated; it is still there, and so it is here. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static struct mallinfo2 info_get(void)
{
    struct loam_stats stats;
    stats_collect(&stats, true);
    const struct loam_stats *s = &stats;
    size_t areas = s->mapped_bytes - s->direct_bytes;
    size_t used = s->live_bytes - s->direct_bytes;
    struct mallinfo2 info = {
        .arena = areas,
        .ordblks = s->chunks,
        .smblks = s->cached_blocks,
        .hblks = s->direct_blocks,
        .hblkhd = s->direct_bytes,
        .fsmblks = s->cached_bytes,
        .uordblks = used,
        .fordblks = areas - used,
        .keepcost = s->dirty_bytes,
    };
    return info;
}

struct mallinfo2 API(mallinfo2)(void);
struct mallinfo API(mallinfo)(void);
int API(malloc_trim)(size_t pad);
int API(mallopt)(int parameter, int value);
void API(malloc_stats)(void);
int API(malloc_info)(int options, FILE *stream);

struct mallinfo2 API(mallinfo2)(void) { return info_get(); }
API_EXPORT(mallinfo2);

/* The old structure has ints: what does not fit is INT_MAX, not a number that wrapped. */
static int to_int(size_t x) { return x > INT32_MAX ? INT32_MAX : (int)x; }

struct mallinfo API(mallinfo)(void)
{
    struct mallinfo2 m = info_get();
    return (struct mallinfo){
        .arena = to_int(m.arena),
        .ordblks = to_int(m.ordblks),
        .smblks = to_int(m.smblks),
        .hblks = to_int(m.hblks),
        .hblkhd = to_int(m.hblkhd),
        .usmblks = to_int(m.usmblks),
        .fsmblks = to_int(m.fsmblks),
        .uordblks = to_int(m.uordblks),
        .fordblks = to_int(m.fordblks),
        .keepcost = to_int(m.keepcost),
    };
}
API_EXPORT(mallinfo);

/* 1 if the kernel got memory back. `pad`, what glibc leaves at the top of its heap, has no meaning here. */
int API(malloc_trim)(size_t pad)
{
    (void)pad;
    return loam_trim() > 0;
}
API_EXPORT(malloc_trim);

/* As glibc answers: 1 if the parameter is known and the value can be, else 0. docs/tuning.md says what each does here. */
int API(mallopt)(int parameter, int value)
{
    switch (parameter) {
    case M_MMAP_THRESHOLD:
        if (value >= 0 && value <= 32 << 20) /* beyond, glibc accepts it and does nothing */
            span_set_direct_threshold(value ? (size_t)value : 1);
        return 1;
    case M_TRIM_THRESHOLD:
        span_set_dirty_bound(value == 0 ? 1 : value < 0 ? PTRDIFF_MAX : (size_t)value);
        return 1;
    case M_ARENA_MAX:
        if (value > 0)
            arena_limit((uint32_t)value);
        return 1;
    case M_MXFAST:
        return value >= 0 && value <= 160; /* accepted, no effect: 80 * sizeof(size_t) / 4 is glibc's limit */
    case M_TOP_PAD:
    case M_MMAP_MAX:
    case M_CHECK_ACTION:
    case M_PERTURB:
    case M_ARENA_TEST:
        return 1; /* accepted, no effect */
    default:
        return 1; /* glibc accepts what it does not know */
    }
}
API_EXPORT(mallopt);

void API(malloc_stats)(void) { loam_stats_print(STDERR_FILENO); }
API_EXPORT(malloc_stats);

static void info_sizes(const struct loam_stats *s, FILE *stream)
{
    fprintf(stream, "<sizes>\n");
    for (int class = 1; class < LOAM_STATS_CLASSES; class++)
        if (s->class_carved[class] > 0)
            fprintf(stream, "  <size bytes=\"%zu\" live=\"%zu\" cut=\"%llu\"/>\n", s->class_bytes[class], s->class_live[class],
                    (unsigned long long)s->class_carved[class]);
    fprintf(stream, "</sizes>\n");
}

int API(malloc_info)(int options, FILE *stream)
{
    if (options != 0)
        return EINVAL;
    struct loam_stats stats; /* printing allocates: under no lock of ours */
    loam_stats_get(&stats);
    const struct loam_stats *s = &stats;
    fprintf(stream, "<malloc version=\"loam-%s\">\n<heap nr=\"0\" mode=\"%s\" tables=\"%u\">\n", loam_version(), loam_mode(), s->tables);
    info_sizes(s, stream);
    fprintf(stream, "<total type=\"live\" count=\"%zu\" size=\"%zu\"/>\n", s->live_blocks, s->live_bytes);
    fprintf(stream, "<total type=\"cached\" count=\"%zu\" size=\"%zu\"/>\n", s->cached_blocks, s->cached_bytes);
    fprintf(stream, "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n", s->direct_blocks, s->direct_bytes);
    fprintf(stream, "<total type=\"free\" size=\"%zu\"/>\n<total type=\"dirty\" size=\"%zu\"/>\n", s->free_in_chunks, s->dirty_bytes);
    fprintf(stream, "<total type=\"untouched\" size=\"%zu\"/>\n<total type=\"metadata\" size=\"%zu\"/>\n", s->untouched_bytes,
            s->metadata_bytes);
    fprintf(stream, "<system type=\"current\" size=\"%zu\"/>\n<system type=\"max\" size=\"%zu\"/>\n", s->mapped_bytes, s->mapped_peak);
    fprintf(stream, "</heap>\n</malloc>\n");
    return 0;
}
API_EXPORT(malloc_info);

#ifndef LOAM_NO_REPLACE
void cfree(void *p);
EXPORT void cfree(void *p) { API(free)(p); }

/* The C library's private names, for programs that call them to get past a wrapper of their own. */
EXPORT void *__libc_malloc(size_t size);
EXPORT void *__libc_calloc(size_t count, size_t size);
EXPORT void *__libc_realloc(void *p, size_t size);
EXPORT void __libc_free(void *p);
EXPORT void *__libc_memalign(size_t align, size_t size);
EXPORT void *__libc_valloc(size_t size);
EXPORT void *__libc_pvalloc(size_t size);
EXPORT struct mallinfo __libc_mallinfo(void);
EXPORT int __libc_mallopt(int parameter, int value);
EXPORT int __posix_memalign(void **out, size_t align, size_t size);

EXPORT void *__libc_malloc(size_t size) { return API(malloc)(size); }
EXPORT void *__libc_calloc(size_t count, size_t size) { return API(calloc)(count, size); }
EXPORT void *__libc_realloc(void *p, size_t size) { return API(realloc)(p, size); }
EXPORT void __libc_free(void *p) { API(free)(p); }
EXPORT void *__libc_memalign(size_t align, size_t size) { return API(memalign)(align, size); }
EXPORT void *__libc_valloc(size_t size) { return API(valloc)(size); }
EXPORT void *__libc_pvalloc(size_t size) { return API(pvalloc)(size); }
EXPORT struct mallinfo __libc_mallinfo(void) { return API(mallinfo)(); }
EXPORT int __libc_mallopt(int parameter, int value) { return API(mallopt)(parameter, value); }
EXPORT int __posix_memalign(void **out, size_t align, size_t size) { return API(posix_memalign)(out, align, size); }
#endif
