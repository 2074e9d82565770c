/* The coarse clock says what the C library's says, through the vDSO or, where none was found, by a system call; and never goes back. */
#include "os/clock.h"
#include "unit.h"
#include <sys/auxv.h>
#include <time.h>

static uint64_t library_milliseconds(void)
{
    struct timespec now;
    EXPECT_EQ(clock_gettime(CLOCK_MONOTONIC_COARSE, &now), 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void agrees(void)
{
    uint64_t last = 0;
    for (int i = 0; i < 200; i++) {
        uint64_t before = library_milliseconds(), now = os_milliseconds(), after = library_milliseconds();
        EXPECT(before <= now);
        EXPECT(now <= after);
        EXPECT(last <= now);
        last = now;
        if (i % 20 == 0)
            usleep(5000);
    }
    EXPECT(last > 0);
}

int main(void)
{
    agrees(); /* not started: system calls */
    EXPECT_EQ(os_clock_start(), getauxval(AT_SYSINFO_EHDR) != 0); /* valgrind, for one, hides the vDSO */
    agrees();
    return 0;
}
