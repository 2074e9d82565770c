/* A fountain of particles in a pool of cells: thousands are born and die each step, and neither takes more than a few
 * instructions; the memory never grows beyond the most that were alive at once.
 *
 *     cc -o particles particles.c -lloam_region -lm && ./particles 500 > fountain.pgm 2> numbers.txt
 *
 * Writes the last picture as a PGM, and for every 100th step a line of numbers to stderr. */
#include <loam/region.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 320, HEIGHT = 240, BORN = 200 };

struct particle {
    float x, y, dx, dy;
    unsigned life;
    struct particle *next; /* the living, in a list */
};

static uint32_t dice_state = 2463534242u;

/* Evenly in [-1, 1). */
static float dice(void)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 17;
    dice_state ^= dice_state << 5;
    return (float)(dice_state >> 8) / (float)(1 << 23) - 1.0f;
}

static void step(loam_region *pool, struct particle **living)
{
    for (int i = 0; i < BORN; i++) {
        struct particle *p = loam_region_alloc(pool, sizeof *p);
        if (p == NULL)
            break; /* the pool is spent: fewer sparks, no harm */
        *p = (struct particle){WIDTH / 2.0f, HEIGHT - 1, dice() * 1.2f, -4.0f + dice(), (unsigned)(60 + 40 * dice()),
                               *living};
        *living = p;
    }
    for (struct particle **link = living; *link != NULL;) {
        struct particle *p = *link;
        p->dy += 0.05f;
        p->x += p->dx;
        p->y += p->dy;
        if (p->life-- == 0 || p->y >= HEIGHT) {
            *link = p->next;
            loam_region_free(pool, p);
        } else {
            link = &p->next;
        }
    }
}

static void draw(const struct particle *living)
{
    static unsigned char picture[HEIGHT][WIDTH];
    for (; living != NULL; living = living->next)
        if (living->x >= 0 && living->x < WIDTH && living->y >= 0 && living->y < HEIGHT) {
            unsigned char *pixel = &picture[(int)living->y][(int)living->x];
            *pixel = (unsigned char)(*pixel > 191 ? 255 : *pixel + 64);
        }
    printf("P5\n%d %d\n255\n", WIDTH, HEIGHT);
    fwrite(picture, 1, sizeof picture, stdout);
}

int main(int argc, char **argv)
{
    int steps = argc > 1 ? atoi(argv[1]) : 500;
    struct loam_region_options options = {.kind = LOAM_REGION_CELLS, .cell = sizeof(struct particle), .limit = 1 << 20};
    loam_region *pool;
    int error = loam_region_create(&pool, &options);
    if (error != LOAM_OK) {
        fprintf(stderr, "particles: %s\n", loam_strerror(error));
        return 1;
    }
    struct particle *living = NULL;
    for (int i = 1; i <= steps; i++) {
        step(pool, &living);
        if (i % 100 == 0) {
            struct loam_region_stats stats;
            loam_region_stats(pool, &stats);
            fprintf(stderr, "step %d: %zu particles, %zu bytes live of %zu\n", i, stats.live_blocks, stats.live,
                    stats.taken);
        }
    }
    draw(living);
    loam_region_destroy(pool);
    return 0;
}
