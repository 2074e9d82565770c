// replay: a client for servers that speak in lines.
//
//   replay SOCKET SECONDS LAST_REPLY SKIP STREAM...
//
// Opens one connection to the unix socket for each file STREAM, sends the file over it as fast as the server takes it, and
// reads replies until those of each connection end with LAST_REPLY (the streams end with a command that makes the server
// say so). Prints `checksum HEX` over all bytes of all replies: a server that answers anything wrongly is seen. Lines that
// begin with SKIP, if it is not empty, are left out of it: a web server's replies hold the date.
//
// One thread and poll, so that on a machine with two processors the other one is the server's.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { connections_most = 64, send_most = 64 << 10, receive_most = 256 << 10, tail_most = 64 };
#define NO_MATCH SIZE_MAX // until the line ends

struct connection {
    const char *stream;
    size_t size, sent;
    uint64_t sum;
    char tail[tail_most]; // the last bytes that came, the newest at the end
    size_t matched;       // so many bytes of SKIP stand at the begin of the current line or NO_MATCH
    int done;
};

static struct connection connection[connections_most];
static struct pollfd polled[connections_most];
static char received[receive_most];
static const char *last_reply;
static size_t last_length;
static const char *skip;
static size_t skip_length;

static void die(const char *what)
{
    fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void stream_open(struct connection *c, const char *path)
{
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) != 0)
        die(path);
    c->size = (size_t)about.st_size;
    c->stream = mmap(NULL, c->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (c->stream == MAP_FAILED)
        die(path);
    close(file);
}

static int socket_open(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        die(path);
    strcpy(address.sun_path, path);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0 || connect(s, (struct sockaddr *)&address, sizeof address) != 0 || fcntl(s, F_SETFL, O_NONBLOCK) != 0)
        die(path);
    return s;
}

static void connection_send(struct connection *c, int s)
{
    size_t left = c->size - c->sent;
    ssize_t n = send(s, c->stream + c->sent, left < send_most ? left : send_most, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        die("the server does not take its input");
    if (n > 0)
        c->sent += (size_t)n;
}

// The checksum of a byte, unless it stands in a line to be skipped. The begin of such a line is in the sum, up to where it
// is known for one.
static void byte_sum(struct connection *c, unsigned char byte)
{
    if (skip_length == 0 || c->matched != skip_length)
        c->sum = (c->sum ^ byte) * 0x100000001b3u;
    if (byte == '\n')
        c->matched = 0;
    else if (c->matched < skip_length)
        c->matched = byte == (unsigned char)skip[c->matched] ? c->matched + 1 : NO_MATCH;
}

static void connection_receive(struct connection *c, int s)
{
    ssize_t got = recv(s, received, sizeof received, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        errno = got == 0 ? ECONNRESET : errno;
        die("the server closed a connection");
    }
    size_t n = (size_t)got;
    for (size_t i = 0; i < n; i++)
        byte_sum(c, (unsigned char)received[i]);
    size_t kept = n < tail_most ? n : tail_most;
    memmove(c->tail, c->tail + kept, tail_most - kept);
    memcpy(c->tail + tail_most - kept, received + n - kept, kept);
    c->done = c->sent == c->size && memcmp(c->tail + tail_most - last_length, last_reply, last_length) == 0;
}

static void all_serve(nfds_t n, time_t deadline)
{
    for (nfds_t open = n; open > 0;) {
        if (time(NULL) > deadline) {
            errno = ETIMEDOUT;
            die("the server");
        }
        for (nfds_t i = 0; i < n; i++) {
            polled[i].events = (short)(POLLIN | (connection[i].sent < connection[i].size ? POLLOUT : 0));
            if (connection[i].done)
                polled[i].fd = -1;
        }
        poll(polled, n, 1000);
        open = 0;
        for (nfds_t i = 0; i < n; i++) {
            if (polled[i].revents & (POLLIN | POLLERR | POLLHUP))
                connection_receive(&connection[i], polled[i].fd);
            if (polled[i].revents & POLLOUT)
                connection_send(&connection[i], polled[i].fd);
            open += !connection[i].done;
        }
    }
}

int main(int count, char **arguments)
{
    if (count < 6 || count - 5 > connections_most) {
        fprintf(stderr, "usage: replay SOCKET SECONDS LAST_REPLY SKIP STREAM...\n");
        return 2;
    }
    nfds_t n = (nfds_t)count - 5;
    last_reply = arguments[3];
    last_length = strlen(last_reply);
    skip = arguments[4];
    skip_length = strlen(skip);
    if (last_length == 0 || last_length > tail_most)
        die("LAST_REPLY has 1 to 64 bytes");
    for (nfds_t i = 0; i < n; i++) {
        stream_open(&connection[i], arguments[5 + i]);
        polled[i].fd = socket_open(arguments[1]);
    }
    all_serve(n, time(NULL) + atoi(arguments[2]));
    uint64_t sum = 0;
    for (nfds_t i = 0; i < n; i++)
        sum = sum * 0x9e3779b97f4a7c15u + connection[i].sum;
    printf("checksum %016llx\n", (unsigned long long)sum);
    return 0;
}
