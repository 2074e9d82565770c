#define _GNU_SOURCE 1
#include "api/options.h"
#include "base/log.h"
#include "loam/loam.h"
#include <string.h>
#include <sys/auxv.h>

enum { NAME_MAX_LENGTH = 32 };

struct options options;

struct word {
    const char *text;
    size_t length;
};

struct option {
    const char *name;
    const char *values; /* as the user sees them */
    const char *what;
    bool (*set)(struct options *into, struct word value);
};

static bool word_is(struct word word, const char *text)
{
    return strlen(text) == word.length && memcmp(word.text, text, word.length) == 0;
}

/* Decimal digits, then perhaps k, m or g. */
static bool word_size(struct word word, size_t *value)
{
    size_t n = 0, i = 0;
    for (; i < word.length && word.text[i] >= '0' && word.text[i] <= '9'; i++)
        if (__builtin_mul_overflow(n, (size_t)10, &n) || __builtin_add_overflow(n, (size_t)(word.text[i] - '0'), &n))
            return false;
    if (i == 0 || word.length - i > 1)
        return false;
    static const char units[] = "kmg";
    for (size_t u = 0; i < word.length; u++) {
        if (units[u] == 0 || __builtin_mul_overflow(n, (size_t)1024, &n))
            return false;
        if ((word.text[i] | 0x20) == units[u])
            break;
    }
    if (n > PTRDIFF_MAX)
        return false;
    *value = n;
    return true;
}

static bool set_rseq(struct options *into, struct word value)
{
    if (word_is(value, "auto"))
        into->rseq = CACHE_WISH_AUTO;
    else if (word_is(value, "off"))
        into->rseq = CACHE_WISH_LOCKED;
    else if (word_is(value, "trust"))
        into->rseq = CACHE_WISH_TRUSTED;
    else
        return false;
    return true;
}

static bool set_stats(struct options *into, struct word value)
{
    size_t n;
    if (!word_size(value, &n))
        return false;
    into->stats = (long)n;
    return true;
}

static bool set_dirty(struct options *into, struct word value) { return word_size(value, &into->dirty); }
static bool set_direct(struct options *into, struct word value) { return word_size(value, &into->direct); }

static const struct option table[] = {
    {"rseq", "auto | off | trust",
     "how the lists of free blocks are worked: by restartable sequences where the kernel has them (auto), under a lock each "
     "(off), or by sequences unseen by the kernel, for one thread under an instruction counter (trust)",
     set_rseq},
    {"stats", "0 | 1 | PID", "print the heap's numbers to stderr at exit: never, always, or in that process only", set_stats},
    {"dirty", "BYTES[k|m|g]",
     "how much free memory may stay resident before it is given back at once; 0 follows the program's recent peak", set_dirty},
    {"direct", "BYTES[k|m|g]", "from which size on a block gets a mapping of its own; 0 follows the size of the heap", set_direct},
};
enum { TABLE_COUNT = sizeof table / sizeof table[0] };

/* The number of letters to change, add or drop to get from one word to the other. */
static size_t distance(struct word a, const char *b)
{
    size_t row[NAME_MAX_LENGTH + 1];
    size_t n = strlen(b);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = diagonal + (a.text[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t least = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < least ? change : least;
        }
    }
    return row[n];
}

static const struct option *option_nearest(struct word name)
{
    const struct option *nearest = &table[0];
    if (name.length > NAME_MAX_LENGTH)
        name.length = NAME_MAX_LENGTH;
    for (size_t i = 1; i < TABLE_COUNT; i++)
        if (distance(name, table[i].name) < distance(name, nearest->name))
            nearest = &table[i];
    return nearest;
}

/* A copy that ends with a zero, cut to what a message needs. */
struct printable {
    char text[NAME_MAX_LENGTH + 1];
};
static struct printable printable(struct word word)
{
    struct printable copy;
    size_t n = word.length < NAME_MAX_LENGTH ? word.length : NAME_MAX_LENGTH;
    for (size_t i = 0; i < n; i++)
        copy.text[i] = (char)(word.text[i] >= ' ' && word.text[i] <= '~' ? word.text[i] : '?');
    copy.text[n] = 0;
    return copy;
}

static bool option_parse(struct word name, struct word value, struct options *into, int fd)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (!word_is(name, table[i].name))
            continue;
        if (table[i].set(into, value))
            return true;
        log_print(fd, "loam: option %s cannot be \"%s\"; it takes %s (ignored)\n", table[i].name, printable(value).text,
                  table[i].values);
        return false;
    }
    log_print(fd, "loam: unknown option \"%s\" in LOAM; did you mean \"%s\"? (ignored; `loam options` lists them)\n",
              printable(name).text, option_nearest(name)->name);
    return false;
}

uint32_t options_parse(const char *text, struct options *into, int fd)
{
    uint32_t complaints = 0;
    while (*text) {
        size_t length = strcspn(text, ",");
        const char *colon = memchr(text, ':', length);
        struct word name = {text, colon ? (size_t)(colon - text) : length};
        struct word value = {text + name.length + 1, colon ? length - name.length - 1 : 0};
        if (length > 0)
            complaints += !option_parse(name, colon ? value : (struct word){"", 0}, into, fd);
        text += length + (text[length] == ',');
    }
    return complaints;
}

extern char **environ;
extern void *__libc_stack_end __attribute__((weak));

/* The first allocation may come before the C library has set `environ` (from .preinit_array, or from the loader): then the
 * environment is where the kernel put it, behind the arguments at the end of the stack. */
static char **environment(void)
{
    if (environ || !&__libc_stack_end || !__libc_stack_end)
        return environ;
    size_t *stack = __libc_stack_end; /* argc, its arguments, NULL, the environment, NULL */
    return (char **)(void *)(stack + 1 + stack[0] + 1);
}

void options_start(void)
{
    static const char name[] = "LOAM=";
    char **variable = getauxval(AT_SECURE) ? NULL : environment();
    for (; variable && *variable; variable++)
        if (strncmp(*variable, name, sizeof name - 1) == 0) {
            options_parse(*variable + sizeof name - 1, &options, 2);
            return;
        }
}

LOAM_PUBLIC void loam_options_print(int fd)
{
    log_print(fd, "The environment variable LOAM takes options as name:value,name:value\n\n");
    for (size_t i = 0; i < TABLE_COUNT; i++)
        log_print(fd, "%s:%s\n    %s\n", table[i].name, table[i].values, table[i].what);
}
