#include "base/log.h"
#include "base/syscall.h"
#include <stdlib.h>
#include <string.h>

enum { STDERR = 2 };

static void text_add(struct log_text *text, char c)
{
    if (text->at < text->end)
        *text->at++ = c;
}

static void text_pad(struct log_text *text, size_t have, size_t width)
{
    for (; have < width; have++)
        text_add(text, ' ');
}

static void text_string(struct log_text *text, const char *s, size_t width, bool left)
{
    size_t length = strlen(s);
    if (!left)
        text_pad(text, length, width);
    for (size_t i = 0; i < length; i++)
        text_add(text, s[i]);
    if (left)
        text_pad(text, length, width);
}

static void text_number(struct log_text *text, uint64_t x, unsigned base, bool negative, size_t width)
{
    char digits[24];
    size_t n = sizeof digits;
    digits[--n] = 0;
    do {
        digits[--n] = "0123456789abcdef"[x % base];
        x /= base;
    } while (x);
    if (negative)
        digits[--n] = '-';
    text_string(text, digits + n, width, false);
}

static void text_signed(struct log_text *text, long x, size_t width)
{
    text_number(text, x < 0 ? 0 - (uint64_t)x : (uint64_t)x, 10, x < 0, width);
}

/* One conversion; `format` stands behind the %, returns where to go on. */
static const char *text_convert(struct log_text *text, const char *format, va_list *args)
{
    bool left = *format == '-';
    format += left;
    size_t width = 0;
    for (; *format >= '0' && *format <= '9'; format++)
        width = width * 10 + (size_t)(*format - '0');
    bool wide = *format == 'z' || *format == 'l';
    format += wide;
    switch (*format) {
    case 's': text_string(text, va_arg(*args, const char *), width, left); break;
    case 'c': text_add(text, (char)va_arg(*args, int)); break;
    case 'd': text_signed(text, wide ? va_arg(*args, long) : va_arg(*args, int), width); break;
    case 'u': text_number(text, wide ? va_arg(*args, unsigned long) : va_arg(*args, unsigned), 10, false, width); break;
    case 'x': text_number(text, wide ? va_arg(*args, unsigned long) : va_arg(*args, unsigned), 16, false, width); break;
    case 'p':
        text_string(text, "0x", 0, false);
        text_number(text, (uintptr_t)va_arg(*args, void *), 16, false, 0);
        break;
    case 0: return format;
    default: text_add(text, *format); break;
    }
    return format + 1;
}

void log_vformat(struct log_text *text, const char *format, va_list args)
{
    va_list copy;
    va_copy(copy, args);
    while (*format) {
        if (*format == '%')
            format = text_convert(text, format + 1, &copy);
        else
            text_add(text, *format++);
    }
    va_end(copy);
}

void log_format(struct log_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_vformat(text, format, args);
    va_end(args);
}

void log_write(int fd, const char *text, size_t length)
{
    while (length > 0) {
        long done = sys_call3(SYS_write, fd, (long)text, (long)length);
        if (done == -4 /* EINTR */)
            continue;
        if (done <= 0)
            return;
        text += done;
        length -= (size_t)done;
    }
}

void log_print(int fd, const char *format, ...)
{
    char line[LOG_LINE];
    struct log_text text = {line, line + sizeof line};
    va_list args;
    va_start(args, format);
    log_vformat(&text, format, args);
    va_end(args);
    log_write(fd, line, (size_t)(text.at - line));
}

void log_fatal(const char *format, ...)
{
    char line[LOG_LINE];
    struct log_text text = {line, line + sizeof line};
    va_list args;
    va_start(args, format);
    log_vformat(&text, format, args);
    va_end(args);
    log_write(STDERR, line, (size_t)(text.at - line));
    abort();
}

#ifdef LOAM_DEBUG
void debug_failed(const char *what, const char *file, int line)
{
    log_fatal("loam: assertion failed at %s:%d: %s\n", file, line, what);
}
#endif
