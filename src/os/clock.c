/* The C library's clock_gettime does nothing but call the kernel's function, and stands among others that small programs never
 * call: with the pages around it that the kernel maps on the first touch it costs 64 KiB of resident memory. So the kernel's
 * function, in the vDSO (a small shared object that the kernel maps into each process), is called directly. */
#include "os/clock.h"
#include "base/syscall.h"
#include <elf.h>
#include <sys/auxv.h>
#include <time.h>

#if defined(__aarch64__)
#define CLOCK_SYMBOL "__kernel_clock_gettime"
#else
#define CLOCK_SYMBOL "__vdso_clock_gettime"
#endif

typedef int clock_function(clockid_t clock, struct timespec *now);
static clock_function *clock_of_kernel; /* written once at the start */

/* What of a shared object finding a symbol takes. */
struct object {
    uintptr_t base; /* what its addresses are counted from */
    const Elf64_Sym *symbols;
    const char *names;
    const uint32_t *gnu_hash;
    const uint32_t *hash;
};

static void object_read(struct object *object, const Elf64_Ehdr *header)
{
    const Elf64_Phdr *part = (const Elf64_Phdr *)(const void *)((const char *)header + header->e_phoff);
    const Elf64_Dyn *dynamic = NULL;
    for (uint32_t i = 0; i < header->e_phnum; i++)
        if (part[i].p_type == PT_LOAD && object->base == 0)
            object->base = (uintptr_t)header + part[i].p_offset - part[i].p_vaddr;
        else if (part[i].p_type == PT_DYNAMIC)
            dynamic = (const Elf64_Dyn *)(const void *)((const char *)header + part[i].p_offset);
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        const void *at = (const void *)(object->base + dynamic->d_un.d_ptr);
        switch (dynamic->d_tag) {
        case DT_SYMTAB: object->symbols = at; break;
        case DT_STRTAB: object->names = at; break;
        case DT_GNU_HASH: object->gnu_hash = at; break;
        case DT_HASH: object->hash = at; break;
        default: break;
        }
    }
}

/* strcmp would be a page of the C library. */
static bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static void *object_symbol(const struct object *object, uint32_t i, const char *name)
{
    const Elf64_Sym *symbol = &object->symbols[i];
    if (symbol->st_shndx == SHN_UNDEF || !same(object->names + symbol->st_name, name))
        return NULL;
    return (void *)(object->base + symbol->st_value);
}

/* The DT_GNU_HASH table: number of buckets, index of the first symbol in it, words and shift of a filter; the filter, the buckets,
 * and a hash for each symbol, the last of a bucket's with its lowest bit set. */
static void *object_find_gnu(const struct object *object, const char *name)
{
    const uint32_t *table = object->gnu_hash, *buckets = table + 4 + 2 * table[2], *hashes = buckets + table[0];
    uint32_t hash = 5381, count = table[0], first = table[1];
    for (const char *c = name; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    uint32_t i = count ? buckets[hash % count] : 0;
    if (i < first)
        return NULL;
    for (;; i++) {
        void *found = (hashes[i - first] | 1) == (hash | 1) ? object_symbol(object, i, name) : NULL;
        if (found || (hashes[i - first] & 1))
            return found;
    }
}

static void *object_find(const struct object *object, const char *name)
{
    if (!object->symbols || !object->names)
        return NULL;
    if (object->gnu_hash)
        return object_find_gnu(object, name);
    void *found = NULL;
    for (uint32_t i = 0; object->hash && i < object->hash[1] && !found; i++) /* the second word: how many symbols there are */
        found = object_symbol(object, i, name);
    return found;
}

bool os_clock_start(void)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
    struct object object = {0};
    if (header)
        object_read(&object, header);
    clock_of_kernel = (clock_function *)object_find(&object, CLOCK_SYMBOL);
    return clock_of_kernel != NULL;
}

uint64_t os_milliseconds(void)
{
    struct timespec now = {0};
    if (likely(clock_of_kernel))
        clock_of_kernel(CLOCK_MONOTONIC_COARSE, &now);
    else
        sys_call3(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, (long)&now, 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
