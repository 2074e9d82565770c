/* Any text as LOAM=: it does no harm, says what it complains about in whole printable lines, and what it complains about changes
 * nothing: each complaint names a word that had no effect. */
#define _GNU_SOURCE 1
#include "api/options.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void expect(bool holds, const char *what, const char *text)
{
    if (holds)
        return;
    fprintf(stderr, "wrong: %s: \"%s\"\n", what, text);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("words", 0);
    char *text = malloc(count + 1), said[65536];
    memcpy(text, bytes, count);
    text[count] = 0;
    struct options all = {0}, alone = {0};
    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    uint32_t complaints = options_parse(text, &all, fd), lines = 0;
    ssize_t n = pread(fd, said, sizeof said - 1, 0);
    for (ssize_t i = 0; i < n; i++) {
        lines += said[i] == '\n';
        expect(said[i] == '\n' || (said[i] >= ' ' && said[i] <= '~'), "an unprintable byte in a message", text);
    }
    expect(n == (ssize_t)sizeof said - 1 || lines == complaints, "a line for each complaint", text);
    expect(all.rseq >= CACHE_WISH_AUTO && all.rseq <= CACHE_WISH_TRUSTED, "rseq", text);
    expect(all.stats >= 0 && all.dirty <= PTRDIFF_MAX && all.direct <= PTRDIFF_MAX, "a number out of range", text);
    if (!strchr(text, ',') && options_parse(text, &alone, -1) > 0) /* one word, and it was refused */
        expect(alone.rseq == 0 && alone.stats == 0 && alone.dirty == 0 && alone.direct == 0, "refused, and still set",
               text);
    free(text);
    return 0;
}
