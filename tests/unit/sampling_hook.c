/* Promise: with a sampling period set, memory handed up by arenas and by the span layer is sampled; without one, nothing is. */
#include "api/names.h"
#include "observe/hook.h"
#include "observe/stats.h"
#include "unit.h"

static void use(void)
{
    for (size_t i = 0; i < 2000; i++) {
        void *small = API(malloc)(200 + i), *large = API(malloc)(100000);
        EXPECT(small != NULL && large != NULL);
        API(free)(large);
    }
}

int main(void)
{
    use();
    EXPECT_EQ(observe_samples(), 0);
    __atomic_store_n(&observe_period, 10000, __ATOMIC_RELAXED);
    use();
    uint64_t seen = observe_samples();
    EXPECT(seen > 2000);
    __atomic_store_n(&observe_period, SIZE_MAX, __ATOMIC_RELAXED);
    use();
    EXPECT_EQ(observe_samples(), seen);
    return 0;
}
