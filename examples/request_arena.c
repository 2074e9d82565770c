/* A small HTTP server in which a request's memory is a bump region: nothing is freed one by one, nothing can leak.
 *
 *     cc -o request_arena request_arena.c -lloam_region && ./request_arena 8080      (port 0: any, it is printed)
 *     curl 'http://127.0.0.1:8080/sum?1,2,3'
 *
 * Each connection has a region over 64 KiB of its own buffer; each request marks it, parses, builds the answer in it, and
 * rewinds. A request that needs more than the buffer gets an error 413, and the next one finds the whole buffer again:
 * memory per connection is bounded by construction. GET /quit ends the server. */
#include <arpa/inet.h>
#include <loam/region.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ARENA = 64 << 10, REQUEST_MAX = 16 << 10 };

/* A list of numbers, as it is parsed. */
struct number {
    long value;
    struct number *next;
};

static char *arena_print(loam_region *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = loam_region_alloc(arena, (size_t)length + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

/* "1,2,3" as a list in the arena; false: no memory. */
static int numbers_parse(loam_region *arena, const char *text, struct number **first)
{
    struct number **link = first;
    *link = NULL;
    while (*text != '\0') {
        char *end;
        long value = strtol(text, &end, 10);
        if (end == text) {
            text++;
            continue;
        }
        struct number *number = loam_region_alloc(arena, sizeof *number);
        if (number == NULL)
            return 0;
        *number = (struct number){value, NULL};
        *link = number;
        link = &number->next;
        text = end;
    }
    return 1;
}

static char *answer(loam_region *arena, int status, const char *words, const char *body)
{
    return arena_print(arena, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n\r\n%s", status, words, strlen(body), body);
}

static char *handle_sum(loam_region *arena, const char *query)
{
    struct number *numbers;
    long sum = 0;
    size_t count = 0;
    if (!numbers_parse(arena, query, &numbers))
        return NULL;
    for (; numbers != NULL; numbers = numbers->next, count++)
        sum += numbers->value;
    char *body = arena_print(arena, "%zu numbers, sum %ld\n", count, sum);
    return body != NULL ? answer(arena, 200, "OK", body) : NULL;
}

/* The answer to one request; *quit is set by GET /quit. NULL: the arena is spent. */
static char *handle(loam_region *arena, const char *request, int *quit)
{
    struct loam_region_stats stats;
    if (strncmp(request, "GET /sum?", 9) == 0) {
        size_t length = strcspn(request + 9, " \r\n");
        char *query = arena_print(arena, "%.*s", (int)length, request + 9);
        return query != NULL ? handle_sum(arena, query) : NULL;
    }
    if (strncmp(request, "GET /memory ", 12) == 0) {
        loam_region_stats(arena, &stats);
        char *body = arena_print(arena, "live %zu of %zu\n", stats.live, stats.taken);
        return body != NULL ? answer(arena, 200, "OK", body) : NULL;
    }
    if (strncmp(request, "GET /quit ", 10) == 0) {
        *quit = 1;
        return answer(arena, 200, "OK", "bye\n");
    }
    return answer(arena, 404, "Not Found", "there is no such page\n");
}

static int send_all(int to, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(to, text, length);
        if (n <= 0)
            return 0;
        text += n;
        length -= (size_t)n;
    }
    return 1;
}

/* Requests one after another, until the client has enough. Returns whether the server is to quit. */
static int serve(int client, loam_region *arena)
{
    int quit = 0;
    while (!quit) {
        struct loam_region_mark empty;
        loam_region_mark(arena, &empty);
        char *request = loam_region_alloc(arena, REQUEST_MAX + 1);
        size_t length = 0;
        ssize_t n = 0;
        request[0] = '\0';
        while (length < REQUEST_MAX && strstr(request, "\r\n\r\n") == NULL &&
               (n = read(client, request + length, REQUEST_MAX - length)) > 0) {
            length += (size_t)n;
            request[length] = '\0';
        }
        if (n <= 0 && length == 0)
            break;
        loam_region_resize_in_place(arena, request, length + 1); /* what the request did not fill is free again */
        char *text = handle(arena, request, &quit);
        if (text == NULL) {
            loam_region_rewind(arena, &empty);
            text = answer(arena, 413, "Content Too Large", "the request needs more memory than a request may have\n");
        }
        if (!send_all(client, text, strlen(text)))
            break;
        loam_region_rewind(arena, &empty);
    }
    return quit;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 8080))};
    socklen_t length = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (server < 0 || setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(server, (struct sockaddr *)&address, sizeof address) != 0 || listen(server, 16) != 0 ||
        getsockname(server, (struct sockaddr *)&address, &length) != 0) {
        perror("request_arena");
        return 1;
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);

    static _Alignas(16) char memory[ARENA];
    struct loam_region_options options = {
        .kind = LOAM_REGION_BUMP, .source = LOAM_SOURCE_BUFFER, .buffer = memory, .buffer_size = sizeof memory};
    loam_region *arena;
    int error = loam_region_create(&arena, &options);
    if (error != LOAM_OK) {
        fprintf(stderr, "request_arena: %s\n", loam_strerror(error));
        return 1;
    }
    for (int quit = 0; !quit;) {
        int client = accept(server, NULL, NULL);
        if (client < 0)
            continue;
        quit = serve(client, arena);
        loam_region_reset(arena); /* however it ended */
        close(client);
    }
    loam_region_destroy(arena);
    close(server);
    return 0;
}
