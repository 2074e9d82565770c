#include "guard/report.h"
#include "arena/arena.h"
#include "base/log.h"
#include "base/syscall.h"
#include "span/span.h"
#include <fcntl.h>
#include <string.h>

/* ---- strangers: what /proc/self/maps says of an address ---- */

struct mapping {
    bool found;
    bool is_stack;  /* this thread's, or the main thread's */
    uintptr_t end;  /* of the line before */
    char name[160]; /* for memory without one right behind a file's: the file's, whose zeroed variables it holds */
};

static bool hex_read(const char **at, uintptr_t *value)
{
    *value = 0;
    const char *from = *at;
    for (;; ++*at) {
        char c = **at;
        if (c >= '0' && c <= '9')
            *value = *value * 16 + (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *value = *value * 16 + (uintptr_t)(c - 'a' + 10);
        else
            return *at > from;
    }
}

/* One line "from-to rights offset device inode   name". The name stays in *mapping for the next one. */
static bool line_matches(const char *line, uintptr_t p, struct mapping *mapping)
{
    uintptr_t from, to, here = (uintptr_t)&from;
    if (!hex_read(&line, &from) || *line++ != '-' || !hex_read(&line, &to))
        return false;
    for (int fields = 0; fields < 4; fields++) {
        line += strspn(line, " ");
        line += strcspn(line, " ");
    }
    line += strspn(line, " ");
    if (line[0] || from != mapping->end)
        strncpy(mapping->name, line, sizeof mapping->name - 1);
    mapping->end = to;
    if (p < from || p >= to)
        return false;
    mapping->found = true;
    mapping->is_stack = (here >= from && here < to) || strncmp(mapping->name, "[stack", 6) == 0;
    return true;
}

static struct mapping mapping_of(const void *p)
{
    struct mapping mapping = {0};
    char buffer[4096];
    size_t have = 0;
    long fd = sys_call4(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return mapping;
    for (;;) {
        long n = sys_call3(SYS_read, fd, (long)(buffer + have), (long)(sizeof buffer - have - 1));
        if (n <= 0)
            break;
        have += (size_t)n;
        buffer[have] = 0;
        char *line = buffer, *end;
        for (; (end = strchr(line, '\n')); line = end + 1) {
            *end = 0;
            if (line_matches(line, (uintptr_t)p, &mapping))
                goto out;
        }
        have -= (size_t)(line - buffer);
        memmove(buffer, line, have);
    }
out:
    sys_call3(SYS_close, fd, 0, 0);
    return mapping;
}

static _Noreturn void report_stranger(const char *call, const void *p)
{
    struct span_block inside = span_find_inside(p);
    if (inside.in_use)
        log_fatal("loam: %s(%p): interior pointer, %zu bytes into the block %p of %zu bytes; pass the pointer that malloc "
                  "returned\n",
                  call, p, (size_t)((const char *)p - inside.start), (void *)inside.start, inside.size);
    struct mapping mapping = mapping_of(p);
    if (!mapping.found)
        log_fatal("loam: %s(%p): unmapped address, no memory of this process; freed and unmapped before, or never a "
                  "pointer\n",
                  call, p);
    if (mapping.is_stack)
        log_fatal("loam: %s(%p): address on the stack; a local variable is not allocated by malloc\n", call, p);
    if (mapping.name[0] == '/')
        log_fatal("loam: %s(%p): static address in %s; a global variable or string is not allocated by malloc\n", call, p,
                  mapping.name);
    log_fatal("loam: %s(%p): not allocated by malloc; it lies in %s\n", call, p,
              mapping.name[0] ? mapping.name : "an anonymous mapping of somebody else's");
}

/* ---- addresses in the heap ---- */

static _Noreturn void report_hole(const char *call, const void *p)
{
    log_fatal("loam: %s(%p): already free; freed twice, or used after it was freed\n", call, p);
}

static _Noreturn void report_interior(const char *call, const void *p, const char *start, size_t size)
{
    size_t offset = (size_t)((const char *)p - start);
    if (offset < 16)
        log_fatal("loam: %s(%p): misaligned pointer, %zu bytes into the block %p of %zu bytes; pass the pointer that malloc "
                  "returned\n",
                  call, p, offset, (const void *)start, size);
    log_fatal("loam: %s(%p): interior pointer, %zu bytes into the block %p of %zu bytes; pass the pointer that malloc "
              "returned\n",
              call, p, offset, (const void *)start, size);
}

void guard_bad_pointer(const char *call, const void *p)
{
    struct owner *owner = map_owner(p);
    if (owner->kind == OWNER_STRANGER)
        report_stranger(call, p);
    if (owner->kind == OWNER_CHUNK) {
        struct chunk *chunk = (struct chunk *)owner;
        if ((uintptr_t)p - chunk->base >= MAP_GRANULE)
            report_stranger(call, p); /* beyond 48 bits of address */
        struct bounds_segment at = arena_segment_of(chunk, (uintptr_t)p);
        if (!at.occupied)
            report_hole(call, p);
        report_interior(call, p, chunk_address(chunk, at.start), (size_t)at.length << GRANULE_SHIFT);
    }
    struct span_block block = span_find(owner, p);
    if (!block.start)
        report_stranger(call, p);
    if (!block.in_use)
        report_hole(call, p);
    report_interior(call, p, block.start, block.size);
}

void guard_wrong_size(const char *call, const void *p, size_t have, size_t said)
{
    log_fatal("loam: %s(%p, %zu): wrong size, the block has %zu bytes; the size or the type differs from the allocation's\n",
              call, p, said, have);
}

void guard_bad_block(const void *block, const char *where)
{
    log_fatal("loam: %p %s is already free or no block: freed twice, or a freed block was written to\n", block, where);
}

void guard_freed_twice(const char *call, const void *block)
{
    log_fatal("loam: %s(%p): already free; it was the last block of its size that was freed here\n", call, block);
}
