/* Allocates once, looks at its own memory, prints "Private_Dirty VmSize" in KiB. Nothing else that
 * could allocate or write: stdio is not used. For start_cost.sh. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char text[8192];

static unsigned long field(const char *path, const char *name) {
    int fd = open(path, O_RDONLY);
    size_t length = 0;
    ssize_t n;
    while (fd >= 0 && (n = read(fd, text + length, sizeof text - 1 - length)) > 0) length += (size_t)n;
    text[length] = 0;
    close(fd);
    char *at = strstr(text, name);
    return at ? strtoul(at + strlen(name), 0, 10) : 0;
}

static void number_write(unsigned long n, char end) {
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = end;
    do digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    if (write(1, digits + at, sizeof digits - at) < 0) _exit(2);
}

int main(void) {
    char *volatile p = malloc(100);
    if (!p) return 1;
    p[0] = 1;
    unsigned long dirty = field("/proc/self/smaps_rollup", "\nPrivate_Dirty:");
    number_write(dirty, ' ');
    number_write(field("/proc/self/status", "\nVmSize:"), '\n');
    free(p);
    return 0;
}
