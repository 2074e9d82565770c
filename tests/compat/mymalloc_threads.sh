#!/bin/sh
# mymalloc.c under threads that hand objects to each other, with forks; without a data race (ThreadSanitizer); on an unchanged
# machine the break and mmap are both in use, as strace sees them, and nothing moves the break once there are threads.
# PACKAGES: strace
. "${0%/*}/support/common.sh"
interface mymalloc
header=-DWITH_HEADER='"malloc.h"'
quiet gcc -O2 -c mymalloc/mymalloc.c
quiet gcc -O2 -pthread -Imymalloc "$header" -o threads "$here/support/threads.c" mymalloc.o
timeout 100 ./threads 4 100000 200 || fail "threads and forks"
timeout 100 ./threads 32 5000 20 || fail "many threads"

quiet gcc -O1 -g -fsanitize=thread -c -o tsan.o mymalloc/mymalloc.c
quiet gcc -O1 -g -fsanitize=thread -pthread -Imymalloc "$header" -o threads_tsan "$here/support/threads.c" tsan.o
tsan ./threads_tsan 4 10000 0

need_strace
cat >calls.c <<'END'
#include "malloc.h"
#include <pthread.h>
#include <unistd.h>
static void *work(void *arg)
{
    for (int i = 0; i < 100; i++) {
        static void *objects[100];
        objects[i] = malloc(60000);
        *(char *)objects[i] = 1;
    }
    return arg;
}
int main(void)
{
    write(-1, "main", 4);
    void *large = malloc(131056), *small = malloc(131055);
    pthread_t thread;
    pthread_create(&thread, 0, work, 0); /* the C library's own malloc takes its memory here */
    pthread_join(thread, 0);
    write(-1, "threads", 7);
    pthread_create(&thread, 0, work, 0);
    pthread_join(thread, 0);
    write(-1, "end", 3);
    free(large);
    free(small);
    return 0;
}
END
quiet gcc -w -O1 -pthread -Imymalloc -o calls calls.c mymalloc.o
strace -f -o trace.log ./calls || fail "under strace"
sed '/write(-1, "main"/,$d' trace.log >before.log
sed -n '/write(-1, "main"/,/write(-1, "threads"/p' trace.log >main.log
sed -n '/write(-1, "threads"/,/write(-1, "end"/p' trace.log >threads.log
lists=$(getconf _NPROCESSORS_CONF)
sed -n 's/.* brk(\(.*\)) *= \(0x[0-9a-f]*\)$/\2/p' before.log >breaks
first=$(head -1 breaks) last=$(tail -1 breaks)
[ $((last - first)) -ge $((lists * 262144)) ] || fail "the constructor has taken $((last - first)) bytes of the break for $lists lists"
[ "$(grep -c 'mmap(NULL, 131072,' main.log)" = 1 ] || fail "131,056 bytes are a mapping of 128 KiB, 131,055 are not"
! grep -E 'brk\((0x|NULL)' threads.log || fail "the break is moved while there are threads"
grep -q 'mmap(NULL, ' threads.log || fail "growth with threads is from mmap"
echo "$lists lists: $((last - first)) bytes of the break taken before main"
