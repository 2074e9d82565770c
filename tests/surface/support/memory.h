// How much memory this process holds, read from /proc without allocating.
//
// memory_rss() walks the page tables (smaps_rollup), because the kernel's running count (statm) is
// kept per processor and lags by up to some hundred KiB; statm is the fallback. All in bytes.
#ifndef SURFACE_MEMORY_H
#define SURFACE_MEMORY_H

#include "surface.h"

// Reads a whole small file into `text`; the length, or 0.
static inline size_t file_read(const char *path, char *text, size_t room) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    if (fd < 0) return 0;
    while (length + 1 < room) {
        ssize_t n = read(fd, text + length, room - 1 - length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        length += (size_t)n;
    }
    text[length] = '\0';
    close(fd);
    return length;
}

// The bytes of a "Name:   123 kB" line in a file of /proc, or 0.
static inline size_t memory_field(const char *path, const char *name) {
    char text[8192];
    if (file_read(path, text, sizeof text) == 0) return 0;
    size_t length = strlen(name);
    for (char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            return (size_t)strtoull(line + length + 1, NULL, 10) * KIB;
    }
    return 0;
}

static inline size_t memory_rss_statm(void) {
    char text[256];
    if (file_read("/proc/self/statm", text, sizeof text) == 0) return 0;
    char *second = strchr(text, ' ');
    return second ? (size_t)strtoull(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

static inline size_t memory_rss(void) {
    size_t exact = memory_field("/proc/self/smaps_rollup", "Rss");
    return exact ? exact : memory_rss_statm();
}

static inline size_t memory_virtual(void) {
    return memory_field("/proc/self/status", "VmSize");
}

static inline double as_mib(size_t bytes) {
    return (double)bytes / (double)MIB;
}

#endif
