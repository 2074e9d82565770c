/* A break of the test's own: sbrk and brk, found by the linker before the C library's. It may start anywhere, is limited, counts,
 * refuses without harm, and what it gives is filled with garbage each time. */
#ifndef COMPAT_FAKE_BREAK_H
#define COMPAT_FAKE_BREAK_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FAKE_MOST ((size_t)768 << 20)

static _Alignas(4096) unsigned char fake_memory[FAKE_MOST];
static unsigned char *fake_at = fake_memory;
static size_t fake_limit = FAKE_MOST; /* bytes */
static size_t fake_calls, fake_ups, fake_downs, fake_refusals, fake_least_down = SIZE_MAX, fake_peak;

static size_t fake_used(void)
{
    return (size_t)(fake_at - fake_memory);
}

static int fake_move(unsigned char *to)
{
    if (to < fake_memory || to > fake_memory + fake_limit) {
        fake_refusals++;
        errno = ENOMEM;
        return -1;
    }
    if (to > fake_at) {
        fake_ups++;
        for (unsigned char *at = fake_at; at < to; at++)
            *at = (unsigned char)(0xa5 ^ ((uintptr_t)at * 31 >> 3));
    } else if (to < fake_at) {
        size_t down = (size_t)(fake_at - to);
        fake_downs++;
        fake_least_down = down < fake_least_down ? down : fake_least_down;
        memset(to, 0xdb, down); /* who looks at it now looks at what is no longer his */
    }
    fake_at = to;
    fake_peak = fake_used() > fake_peak ? fake_used() : fake_peak;
    return 0;
}

void *sbrk(intptr_t increment)
{
    unsigned char *was = fake_at;
    fake_calls++;
    if (increment > 0 && (size_t)increment > fake_limit - fake_used()) {
        fake_refusals++;
        errno = ENOMEM;
        return (void *)-1;
    }
    return increment == 0 || fake_move(fake_at + increment) == 0 ? was : (void *)-1;
}

int brk(void *to)
{
    fake_calls++;
    return fake_move(to);
}

#endif
