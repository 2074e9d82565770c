/* Promise: a region over a buffer stays inside it, for buffers of every size and alignment; a buffer that is too
 * small is refused; and all that the region says is free can be handed out. No system call is made: see no_calls. */
#include "region_test.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GUARD = 64, SIZE_MAX_TRIED = 9000 };

static unsigned char memory[GUARD + 16 + SIZE_MAX_TRIED + GUARD];

static struct loam_region_options options_of(int kind, void *buffer, size_t size)
{
    return (struct loam_region_options){.kind = (enum loam_region_kind)kind,
                                        .source = LOAM_SOURCE_BUFFER,
                                        .buffer = buffer,
                                        .buffer_size = size,
                                        .cell = kind == LOAM_REGION_CELLS ? 24 : 0};
}

/* Fills the region with blocks of one size, and writes all of them. Returns how many. */
static size_t fill(loam_region *region, size_t size, void **block, size_t most)
{
    size_t count = 0;
    while (count < most && (block[count] = loam_region_alloc(region, size)) != NULL) {
        memset(block[count], 0x77, loam_region_usable(region, block[count]));
        count++;
    }
    return count;
}

static void try_size(int kind, size_t offset, size_t size)
{
    static void *block[2000];
    unsigned char *buffer = memory + GUARD + offset;
    memset(memory, 0xdd, sizeof memory);
    struct loam_region_options options = options_of(kind, buffer, size);
    loam_region *region;
    int error = loam_region_create(&region, &options);
    if (error == LOAM_OK) {
        check_region(region);
        size_t count = fill(region, 24, block, 2000);
        check_region(region);
        for (size_t i = 0; i < count && kind != LOAM_REGION_BUMP; i++)
            CHECK_CODE(loam_region_free(region, block[i]), LOAM_OK);
        loam_region_reset(region);
        check_region(region);
        if (fill(region, 24, block, 2000) != count)
            FAIL("%zu blocks at first, another number after reset", count);
        if (kind != LOAM_REGION_CELLS && size > 8000)
            CHECK(loam_region_reset(region) == LOAM_OK && loam_region_alloc(region, size / 8) != NULL);
        CHECK_CODE(loam_region_destroy(region), LOAM_OK);
    } else if (error != LOAM_ERROR_SIZE && size < 4000) {
        FAIL("a buffer of %zu bytes: \"%s\"", size, loam_strerror(error));
    }
    if (size >= 6000)
        CHECK_CODE(error, LOAM_OK);
    for (size_t i = 0; i < sizeof memory; i++)
        if ((memory + i < buffer || memory + i >= buffer + size) && memory[i] != 0xdd)
            FAIL("kind %d: byte %td was written, the buffer has %zu", kind, memory + i - buffer, size);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* All of it again in a process that may do nothing but leave. */
static int no_calls(void)
{
#ifdef SANITIZED
    return 77; /* a sanitizer makes system calls of its own */
#endif
    static unsigned char buffer[100000];
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    pid_t child = fork();
    if (child == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
            _exit(77);
        for (int kind = LOAM_REGION_BUMP; kind <= LOAM_REGION_BITMAP; kind++) {
            struct loam_region_options options = options_of(kind, buffer, sizeof buffer);
            loam_region *region;
            if (loam_region_create(&region, &options) != LOAM_OK)
                _exit(1);
            for (int i = 0; i < 10000; i++) {
                void *block = loam_region_alloc(region, 24);
                if (block != NULL && i % 3 == 0)
                    loam_region_free(region, block);
            }
            if (loam_region_check(region) != NULL || loam_region_destroy(region) != LOAM_OK)
                _exit(1);
        }
        _exit(0);
    }
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status))
        FAIL("a system call was made (signal %d)", WTERMSIG(status));
    return WEXITSTATUS(status);
}

int main(void)
{
    for (int kind = LOAM_REGION_BUMP; kind <= LOAM_REGION_BITMAP; kind++)
        for (size_t size = 0; size <= SIZE_MAX_TRIED; size += size < 4000 ? 1 : 37)
            try_size(kind, size % 17, size);
    int status = no_calls();
    if (status == 77)
        puts("no seccomp, or a sanitizer: that no system call is made was not shown here");
    return status == 1 ? 1 : 0; /* the sizes were tried in any case */
}
