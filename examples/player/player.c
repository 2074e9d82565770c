/* player: threads load images and their captions into a bounded buffer, which is played in order.
 *
 *     player make FOLDER COUNT WIDTH HEIGHT     writes COUNT images (PPM) and captions, and FOLDER/sums with their checksums
 *     player play FOLDER [THREADS [ROUNDS]]     loads and plays them, ROUNDS times over; prints a line for each slide
 *
 * The workload that interface 001 was written for: each slide is a large block (the pixels) and some small ones (the slide,
 * the caption, its lines), allocated by the loader that happens to be free and freed by the player, in another thread. The
 * buffer holds a few slides; a loader that is too far ahead waits. Every slide's checksum is compared with the one that was
 * written down when it was made, so that a block handed out twice, or freed too early, is heard at once.
 *
 * Compiled as it is, it runs on whatever malloc the program has. With -DWITH_MYMALLOC and -I of the folder of mymalloc.c it
 * runs on that one (compat/mymalloc); under LD_PRELOAD=libloam.so on Loam. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#ifdef WITH_MYMALLOC
#include "malloc.h"
#endif

enum { BUFFER = 6, THREADS_MOST = 64, LINE = 200, PATH = 4096 };

struct slide {
    unsigned char *pixels;
    size_t pixel_bytes;
    char **lines; /* of the caption; NULL behind the last */
};

static const char *folder;
static int slides_total; /* over all rounds */
static int slides_made; /* in the folder */

/* The buffer: slide n stands in place n % BUFFER. All under its lock. */
static struct slide *buffer[BUFFER];
static int next_to_load, next_to_play;
static pthread_mutex_t buffer_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t buffer_changed = PTHREAD_COND_INITIALIZER;

static void die(const char *what, const char *about)
{
    fprintf(stderr, "player: %s: %s\n", what, about);
    exit(1);
}

static void *take(size_t size)
{
    void *memory = malloc(size);
    if (memory == NULL)
        die("out of memory", "a slide");
    return memory;
}

/* FNV-1a, eight bytes at a time where there are eight. */
static uint64_t sum_of(uint64_t sum, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        sum = (sum ^ word) * 0x100000001b3u;
    }
    for (; count > 0; count--)
        sum = (sum ^ *at++) * 0x100000001b3u;
    return sum;
}

static uint64_t slide_sum(const struct slide *slide)
{
    uint64_t sum = sum_of(0xcbf29ce484222325u, slide->pixels, slide->pixel_bytes);
    for (char **line = slide->lines; *line != NULL; line++)
        sum = sum_of(sum, *line, strlen(*line));
    return sum;
}

static FILE *open_file(const char *kind, int number, const char *mode)
{
    char path[PATH];
    if (number < 0)
        snprintf(path, sizeof path, "%s/%s", folder, kind);
    else
        snprintf(path, sizeof path, "%s/%04d.%s", folder, number, kind);
    FILE *file = fopen(path, mode);
    if (file == NULL)
        die("cannot open", path);
    return file;
}

/* ---- loading ---- */

static unsigned char *load_pixels(int number, size_t *bytes)
{
    FILE *file = open_file("ppm", number, "r");
    int width, height;
    if (fscanf(file, "P6 %d %d 255", &width, &height) != 2 || fgetc(file) != '\n' || width < 1 || height < 1 ||
        width > 20000 || height > 20000)
        die("no image of the kind that is wanted (PPM, P6)", folder);
    *bytes = (size_t)width * (size_t)height * 3;
    unsigned char *pixels = take(*bytes);
    if (fread(pixels, 1, *bytes, file) != *bytes)
        die("an image is too short", folder);
    fclose(file);
    return pixels;
}

/* The caption's lines, each a block of its own, in an array that grows as lines come. */
static char **load_caption(int number)
{
    FILE *file = open_file("txt", number, "r");
    char text[LINE];
    size_t count = 0;
    char **lines = take(sizeof *lines);
    while (fgets(text, sizeof text, file) != NULL) {
        size_t length = strcspn(text, "\n");
        lines[count] = take(length + 1);
        memcpy(lines[count], text, length);
        lines[count++][length] = 0;
        char **more = realloc(lines, (count + 1) * sizeof *lines);
        if (more == NULL)
            die("out of memory", "a caption");
        lines = more;
    }
    lines[count] = NULL;
    fclose(file);
    return lines;
}

static struct slide *slide_load(int number)
{
    struct slide *slide = take(sizeof *slide);
    slide->pixels = load_pixels(number, &slide->pixel_bytes);
    slide->lines = load_caption(number);
    return slide;
}

static void slide_drop(struct slide *slide)
{
    for (char **line = slide->lines; *line != NULL; line++)
        free(*line);
    free(slide->lines);
    free(slide->pixels);
    free(slide);
}

/* A loader takes the next number, loads that slide, and waits for its place in the buffer. */
static void *loader(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&buffer_lock);
    while (next_to_load < slides_total) {
        int number = next_to_load++;
        pthread_mutex_unlock(&buffer_lock);
        struct slide *slide = slide_load(number % slides_made);
        pthread_mutex_lock(&buffer_lock);
        while (number >= next_to_play + BUFFER)
            pthread_cond_wait(&buffer_changed, &buffer_lock);
        buffer[number % BUFFER] = slide;
        pthread_cond_broadcast(&buffer_changed);
    }
    pthread_mutex_unlock(&buffer_lock);
    return NULL;
}

/* ---- playing ---- */

static struct slide *slide_next(void)
{
    pthread_mutex_lock(&buffer_lock);
    struct slide **place = &buffer[next_to_play % BUFFER];
    while (*place == NULL)
        pthread_cond_wait(&buffer_changed, &buffer_lock);
    struct slide *slide = *place;
    *place = NULL;
    next_to_play++;
    pthread_cond_broadcast(&buffer_changed);
    pthread_mutex_unlock(&buffer_lock);
    return slide;
}

static void play(int threads, int rounds)
{
    FILE *sums = open_file("sums", -1, "r");
    if (fscanf(sums, "%d", &slides_made) != 1 || slides_made < 1)
        die("there is nothing to play in", folder);
    uint64_t *expected = calloc((size_t)slides_made, sizeof *expected);
    for (int i = 0; i < slides_made; i++)
        if (expected == NULL || fscanf(sums, "%llx", (unsigned long long *)&expected[i]) != 1)
            die("the list of checksums is too short", folder);
    fclose(sums);
    slides_total = slides_made * rounds;
    pthread_t loaders[THREADS_MOST];
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&loaders[i], NULL, loader, NULL) != 0)
            die("cannot start", "a loader");
    for (int number = 0; number < slides_total; number++) {
        struct slide *slide = slide_next();
        uint64_t sum = slide_sum(slide);
        if (sum != expected[number % slides_made])
            die("a slide is not what it was", slide->lines[0] ? slide->lines[0] : "(no caption)");
        printf("%016llx %s\n", (unsigned long long)sum, slide->lines[0] ? slide->lines[0] : "");
        slide_drop(slide);
    }
    for (int i = 0; i < threads; i++)
        pthread_join(loaders[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    fprintf(stderr, "%ld\n",
            (end.tv_sec - begin.tv_sec) * 1000000L + (end.tv_nsec - begin.tv_nsec) / 1000); /* microseconds */
    free(expected);
}

/* ---- making ---- */

static void make(int count, int width, int height)
{
    mkdir(folder, 0777);
    FILE *sums = open_file("sums", -1, "w");
    fprintf(sums, "%d\n", count);
    for (int n = 0; n < count; n++) {
        int w = width * (2 + n % 3) / 4, h = height * (2 + n % 5) / 4; /* images of several sizes */
        FILE *image = open_file("ppm", n, "w");
        fprintf(image, "P6\n%d %d\n255\n", w, h);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                unsigned char pixel[3] = {(unsigned char)(x * 255 / w), (unsigned char)(y * 255 / h),
                                          (unsigned char)((x ^ y) + n * 37)};
                fwrite(pixel, 1, 3, image);
            }
        FILE *caption = open_file("txt", n, "w");
        fprintf(caption, "Slide %d, %d by %d\n", n + 1, w, h);
        for (int line = 0; line < n % 12; line++)
            fprintf(caption, "line %d of the caption of slide %d%.*s\n", line + 2, n + 1, line * 7,
                    "........................................................................");
        if (fclose(image) != 0 || fclose(caption) != 0)
            die("cannot write", folder);
        struct slide *slide = slide_load(n);
        fprintf(sums, "%016llx\n", (unsigned long long)slide_sum(slide));
        slide_drop(slide);
    }
    if (fclose(sums) != 0)
        die("cannot write", folder);
}

static int number_of(const char *text, int least, int most)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*text == 0 || *end != 0 || number < least || number > most)
        die("not a number that makes sense here", text);
    return (int)number;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "make") == 0) {
        folder = argv[2];
        make(number_of(argv[3], 1, 10000), number_of(argv[4], 4, 10000), number_of(argv[5], 4, 10000));
    } else if (argc >= 3 && argc <= 5 && strcmp(argv[1], "play") == 0) {
        folder = argv[2];
        play(argc > 3 ? number_of(argv[3], 1, THREADS_MOST) : 4, argc > 4 ? number_of(argv[4], 1, 100000) : 1);
    } else {
        fprintf(stderr, "player make FOLDER COUNT WIDTH HEIGHT\nplayer play FOLDER [THREADS [ROUNDS]]\n");
        return 2;
    }
    return 0;
}
