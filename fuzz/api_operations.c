/* The API as a stream of operations: four bytes each say what to do with which of 64 blocks, and how large. Beside it stands what
 * each block must hold. Every input begins with an empty heap and ends with one, so that a crash plays again by itself. */
#include "api/names.h"
#include "base/bits.h"
#include "loam/loam.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 64, GROWN_MOST = 4 << 20 };

static struct slot {
    unsigned char *start;
    size_t size; /* asked for */
    size_t usable;
    unsigned char fill;
} slots[SLOTS];

static _Noreturn void wrong(const char *what, const void *p)
{
    fprintf(stderr, "wrong: %s (%p)\n", what, p);
    abort();
}

static void slot_verify(const struct slot *slot, size_t upto)
{
    size_t n = slot->size < upto ? slot->size : upto;
    for (size_t i = 0; i < n; i += i < 64 || i + 64 > n ? 1
                                   : n - i < 4200       ? 61
                                                        : 4099) /* both ends whole, samples between */
        if (slot->start[i] != slot->fill)
            wrong("contents lost", slot->start + i);
}

/* Two bytes are a size: mostly small, sometimes at a border, sometimes large, sometimes absurd. */
static size_t size_of(unsigned kind, unsigned value)
{
    switch (kind & 7) {
    case 0:
        return value & 1023;
    case 1:
        return value;
    case 2:
        return (size_t)value * 16;
    case 3:
        return 32760 + (value & 15);
    case 4:
        return (size_t)value << 2;
    case 5:
        return 1020 + (value & 7);
    case 6:
        return value & 127;
    default:
        return value % 16 ? (size_t)value * 8 : SIZE_MAX - (size_t)value * 4096;
    }
}

static void slot_begin(struct slot *slot, void *p, size_t size, size_t align, unsigned char fill)
{
    if (!p) {
        if (size < (size_t)1 << 32 || errno != ENOMEM)
            wrong("no memory, or another errno", p);
        return;
    }
    size_t usable = API(malloc_usable_size)(p);
    if ((uintptr_t)p % align != 0 || usable < size)
        wrong("not aligned, or too small", p);
    for (const struct slot *other = slots; other < slots + SLOTS; other++)
        if (other->start && (unsigned char *)p < other->start + other->usable &&
            other->start < (unsigned char *)p + usable)
            wrong("overlaps another block", p);
    *slot = (struct slot){p, size, usable, fill};
    memset(p, fill, size);
    if (loam_usable_size(p) != usable || loam_whose(p, NULL) != LOAM_LIVE)
        wrong("loam_whose does not know it", p);
}

static void slot_end(struct slot *slot)
{
    slot_verify(slot, SIZE_MAX);
    unsigned char *p = slot->start;
    slot->start = NULL;
    errno = 3;
    API(free)(p);
    if (errno != 3)
        wrong("free changed errno", p);
}

static void slot_resize(struct slot *slot, size_t size, unsigned char fill)
{
    struct slot was = *slot;
    if (size == 0)
        size = 1;
    slot->start = NULL;
    unsigned char *p = API(realloc)(was.start, size);
    if (!p) {
        *slot = was;
        slot_verify(slot, SIZE_MAX);
        if (size < (size_t)1 << 32)
            wrong("no memory", p);
        return;
    }
    was.start = p;
    slot_verify(&was, size);
    slot_begin(slot, p, size, 16, fill);
}

static void operate(const uint8_t *bytes)
{
    struct slot *slot = &slots[bytes[1] % SLOTS];
    size_t size = size_of(bytes[0] >> 3, bytes[2] | (unsigned)bytes[3] << 8), align;
    unsigned char fill = (unsigned char)(bytes[2] * 31 + bytes[3] + bytes[1] + 1);
    void *p = NULL;
    switch (slot->start ? bytes[0] & 3 : 4 + (bytes[0] & 7)) {
    case 0:
    case 1:
        slot_end(slot);
        break;
    case 2:
        slot_resize(slot, size, fill);
        break;
    case 3:
        slot_resize(slot, slot->size < GROWN_MOST ? slot->size + slot->size / 8 + 1 : size, fill);
        break;
    case 4:
        p = API(calloc)(size, 1);
        if (p && size > 0 && (*(char *)p != 0 || memcmp(p, (char *)p + 1, size - 1) != 0))
            wrong("calloc is not zero", p);
        slot_begin(slot, p, size, 16, fill);
        break;
    case 5:
        align = (size_t)16 << (bytes[1] >> 6 | (bytes[3] & 12));
        slot_begin(slot, API(aligned_alloc)(align, size), size, align, fill);
        break;
    case 6:
        align = (size_t)8 << (bytes[3] & 7);
        if (API(posix_memalign)(&p, align, size) != 0)
            errno = ENOMEM;
        slot_begin(slot, p, size, align < 16 ? 16 : align, fill);
        break;
    case 7:
        if (bytes[2] == 0)
            loam_trim();
        break;
    default:
        slot_begin(slot, API(malloc)(size), size, 16, fill);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static struct loam_stats stats;
    for (; count >= 4; bytes += 4, count -= 4)
        operate(bytes);
    size_t live = 0, live_bytes = 0;
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].start) {
            live++;
            live_bytes += slots[i].usable;
        }
    const char *check = loam_check();
    loam_stats_get(&stats);
    if (check || stats.live_blocks != live || stats.live_bytes != live_bytes) {
        fprintf(stderr, "%zu blocks and %zu bytes are held; the heap says %zu and %zu (%zu and %zu cached, %s)\n", live,
                live_bytes, stats.live_blocks, stats.live_bytes, stats.cached_blocks, stats.cached_bytes,
                stats.exact ? "exact" : "not exact");
        wrong(check ? check : "the numbers are not what is held", NULL);
    }
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].start)
            slot_end(&slots[i]);
    loam_trim();
    loam_stats_get(&stats);
    check = loam_check();
    if (check || stats.live_blocks != 0 || stats.cached_blocks != 0 || stats.mapped_bytes != 0)
        wrong(check ? check : "something is left", NULL);
    return 0;
}
