// TEST: sanitize=asan,ubsan
/* Promise: bounds does what the model says in long random runs: millions of operations on rows of one to four levels
 * of numbers, narrow and wide, with small and large blocks, sparse and full. Each single store is watched
 * (bounds_model.h). */
// TEST: timeout=600
#include "base/random.h"
#include "bounds_model.h"

static unsigned long long seed;
static struct random dice;

static uint32_t below(uint32_t bound)
{
    return random_below(&dice, bound);
}

/* A live block, looked for from a random granule on; n if there is none near. */
static uint32_t some_block(void)
{
    uint32_t from = below(model.n), looks = model.n < 4096 ? model.n : 4096;
    for (uint32_t i = 0; i < looks; i++) {
        uint32_t at = (from + i) % model.n;
        if (model.at[at] & MODEL_START)
            return at;
    }
    return model.n;
}

static uint32_t some_size(uint32_t largest)
{
    uint32_t size = 1 + below(1 + below(largest));
    return below(20) == 0 ? 1 + below(largest * 8) : size;
}

static void release_some(void)
{
    static bool chosen[1 << 16];
    uint32_t odds = 1 + below(8);
    for (uint32_t i = 0; i < model.n; i++)
        chosen[i] = (model.at[i] & MODEL_START) && below(odds) == 0;
    model_release_many(chosen);
}

static void step(uint32_t largest, uint32_t filling)
{
    uint32_t what = below(100), i = some_block();
    if (what < filling) {
        model_place_run(some_size(largest), 1 + (below(3) == 0 ? below(20) : 0), 1u << below(4));
    } else if (what < filling + 5) {
        uint32_t align = 2u << below(7);
        model_place_aligned(some_size(largest), align, below(align));
    } else if (what < filling + 8) {
        uint32_t a = below(model.n);
        uint32_t g = some_size(largest);
        model_place_at(a, g < model.n - a ? g : model.n - a);
    } else if (i == model.n) {
        return;
    } else if (what < filling + 14) {
        model_extend(i, model_length(i) + some_size(largest));
    } else if (what < filling + 20 && model_length(i) > 1) {
        model_shrink(i, 1 + below(model_length(i) - 1));
    } else if (what == 99 && model.n <= 4096) {
        release_some();
    } else {
        model_release(i);
    }
}

static void run(uint32_t granules, uint32_t base, uint32_t n, bool wide, uint32_t largest, uint32_t steps,
                uint32_t every)
{
    model_open(granules, base, n, wide);
    for (uint32_t s = 0; s < steps; s++) {
        step(largest, s / (steps / 8 + 1) % 2 == 0 ? 48 : 36); /* it fills and empties in turns */
        if (model.store_wrong != NULL)
            MODEL_FAIL("seed %llu, step %u: %s", seed, s, model.store_wrong);
        if (s % every == 0)
            model_compare("a step");
    }
    model_compare("the last step");
}

int main(void)
{
    const char *text = getenv("LOAM_TEST_SEED");
    seed = text != NULL ? strtoull(text, NULL, 0) : 1;
    printf("LOAM_TEST_SEED=%llu\n", seed);
    random_seed(&dice, seed);
    run(100, 0, 100, false, 12, 1000000, 1);
    run(200, 60, 100, true, 30, 500000, 1);
    run(4096, 0, 4096, false, 64, 300000, 50); /* a chunk of the malloc: one level */
    run(4096, 0, 4096, false, 2, 100000, 50);
    run(5000, 1, 4998, true, 200, 100000, 50); /* two levels */
    run(32767, 0, 32767, false, 5000, 50000, 500); /* the longest narrow row */
    run(300000, 7, 299990, true, 3000, 4000, 500); /* three levels */
    run(17000000, 0, 17000000, true, 1500000, 60, 30); /* four */
    return 0;
}
