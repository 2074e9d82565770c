#define _GNU_SOURCE 1
#include "os/cpu.h"
#include "base/bits.h"
#include "base/syscall.h"
#include <linux/membarrier.h>
#include <sched.h>

uint32_t os_cpus_usable(void)
{
    uint64_t mask[64] = {0}; /* 4096 processors */
    long bytes = sys_call3(SYS_sched_getaffinity, 0, sizeof mask, (long)mask);
    uint32_t count = 0;
    for (long i = 0; i < bytes / 8; i++)
        count += bits_count(mask[i]);
    return count ? count : 1;
}

uint32_t os_cpu_current(void)
{
    int cpu = sched_getcpu();
    return cpu < 0 ? 0 : (uint32_t)cpu;
}

bool os_fence_sequences(void)
{
    static bool registered; /* relaxed: registering twice is harmless */
    if (!__atomic_load_n(&registered, __ATOMIC_RELAXED)) {
        if (sys_call3(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0) != 0)
            return false;
        __atomic_store_n(&registered, true, __ATOMIC_RELAXED);
    }
    return sys_call3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0) == 0;
}
