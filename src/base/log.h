/* Words to stderr (or any descriptor) without allocating, without stdio, without locks: a buffer on the stack and one write.
 *
 * `log_print` understands %s %c %d %u %x %p %zu %lu %ld %% (and a width for %u, %zu, %s: %8zu, %-8s), which is all that our messages need.
 * `log_fatal` prints one line and aborts: the end of every bad pointer and of every corruption of our own data. */
#ifndef LOAM_BASE_LOG_H
#define LOAM_BASE_LOG_H

#include "base/compiler.h"
#include <stdarg.h>

enum { LOG_LINE = 512 };

/* A text being put together; what does not fit is cut off, never overrun. */
struct log_text {
    char *at;
    char *end;
};

void log_vformat(struct log_text *text, const char *format, va_list args);
void log_format(struct log_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

void log_print(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_write(int fd, const char *text, size_t length);
_Noreturn COLD void log_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
