// Promise: under mlockall with a limit memory runs out as NULL and ENOMEM, and calloc is zero although nothing can be purged.
// TEST: cflags=-fno-builtin
//
// Locked pages cannot be given away by MADV_DONTNEED (EINVAL), and a mapping over the limit is
// refused with EAGAIN: neither may show. The child gives up root's right to lock without limit.
#include "support/child.h"
#include "support/load.h"
#include "support/memory.h"
#include <sys/mman.h>
#include <sys/resource.h>

enum { LIMIT_WANTED = 48 << 20, LEFT_LEAST = 1 << 20 };

static size_t room; // between what the process has mapped and the limit

static struct load load;

static void fill_up_and_free(void) {
    static unsigned char *blocks[20000];
    size_t n = 0, bytes = 0, refused = 0;
    // Large and small in turn until a large one is refused, then small ones until none is left.
    while (n < 20000 && refused < 2) {
        size_t size = n % 8 == 7 && refused == 0 ? 200000 : 5000;
        errno = 0;
        blocks[n] = malloc(size);
        if (!blocks[n]) {
            CHECK(errno == ENOMEM, "malloc(%zu) failed with another errno", size);
            refused += size == 5000 ? 2 : 1;
            continue;
        }
        memset(blocks[n++], 0xee, size);
        bytes += size;
    }
    CHECK(refused > 0, "%zu blocks and no refusal", n);
    CHECK(bytes >= room / 2 || (is_any_allowed() && !is_loam()), "only %zu bytes of %zu", bytes, room);
    for (size_t i = 0; i < n; i++) free(blocks[i]);
    malloc_trim(0);
    printf("%zu blocks until refused; after free and trim VmLck %.1f MiB\n", n,
           as_mib(memory_field("/proc/self/status", "VmLck")));
    // What comes back is dirty unless it really was purged: calloc must know.
    static const size_t sizes[] = {100, 3000, 50000, 300000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t count = room / 4 / sizes[s];
        for (size_t i = 0; i < count && i < 20000; i++) {
            blocks[i] = calloc(1, sizes[s]);
            CHECK(blocks[i] != NULL, "calloc of %zu is refused", sizes[s]);
            size_t at = zero_check(blocks[i], sizes[s]);
            CHECK(at == sizes[s], "calloc of %zu: byte %zu is not zero", sizes[s], at);
            memset(blocks[i], 0xee, sizes[s]);
        }
        for (size_t i = 0; i < count && i < 20000; i++) free(blocks[i]);
    }
}

static void life(void *future) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0, "getrlimit");
    if (limit.rlim_max > LIMIT_WANTED) limit.rlim_max = LIMIT_WANTED;
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "setrlimit");
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) _exit(78);
    if (limit.rlim_max < memory_virtual() + LEFT_LEAST) _exit(78);
    room = limit.rlim_max - memory_virtual();
    CHECK(mlockall(*(int *)future) == 0, "mlockall with room for %zu bytes", room);
    printf("%.1f MiB may still be locked\n", as_mib(room));
    fill_up_and_free();
    load_run(&load, 1, 20000, 2048, false);
    load_clear(&load);
    fill_up_and_free();
    printf("%zu calls served, %zu refused\n", load.got, load.refused);
    fflush(stdout);
}

static struct child child;

int main(void) {
    test_begin(60);
    int ways[] = {MCL_CURRENT | MCL_FUTURE, MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT};
    for (size_t i = 0; i < 2; i++) {
        free(launder(malloc(100)));
        child_run(&child, 1, life, &ways[i]);
        say(1, child.output, child.length);
        if (child_exited(&child, 78)) test_skip("RLIMIT_MEMLOCK is too low here to lock this program and 1 MiB");
        CHECK(child_exited(&child, 0), "way %zu: status %#x", i, child.status);
    }
    return 0;
}
