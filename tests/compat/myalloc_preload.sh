#!/bin/sh
# Programs run under LD_PRELOAD=libmyalloc.so with the same output and status as without; many threads and forks; no data race.
# PACKAGES: strace python3
# TEST: timeout=400
. "${0%/*}/support/common.sh"
interface myalloc
lib=$PWD/myalloc/libmyalloc.so

run() { # INTO COMMAND...
    into=$1
    shift
    status=0 && "$@" >"$into.out" 2>"$into.err" || status=$?
    echo "exit status $status" >>"$into.err"
}

# Between two runs without the library that agree, the run with it must agree too. (Others may change what the files say.)
same() { # COMMAND...
    for try in 1 2 3 4 5 6 7 8; do
        run plain "$@"
        run mine env LD_PRELOAD="$lib" "$@"
        run again "$@"
        if cmp -s plain.out again.out && cmp -s plain.err again.err; then
            cmp -s plain.out mine.out || fail "another output: $*"
            cmp -s plain.err mine.err || fail "other messages, or another status: $*"
            return
        fi
    done
    fail "eight times not twice the same without the library: $*"
}

awk 'BEGIN { srand(5); for (i = 0; i < 100000; i++) printf "%d line %x of %s\n", rand() * 1e9, i * 7919, i % 3 ? "text" : "numbers" }' >lines
same ls -al /
same ls -alR /usr/include
same grep -E '(1[0-9]+|f{2}).*(text|numbers)$' lines
same grep -rE 'define +_[A-Z]+' /usr/include/linux
same sort lines
same sort -n -k3 --parallel=4 -S 1M lines
same awk '{ n[$3 % 1000] = n[$3 % 1000] $1 } END { for (i in n) s += length(n[i]); print s }' lines
same sh -c 'for i in 1 2 3; do echo $i | cat; done'
if command -v python3 >/dev/null; then
    same python3 -c 'import json; print(len(json.dumps([list(range(1000))] * 300)))'
    same python3 -c 'import threading
def work(n):
    d = {}
    for i in range(20000):
        d[i % 997] = [i] * (i % 50)
    out[n] = sum(map(len, d.values()))
out = {}
ts = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in ts]; [t.join() for t in ts]
print(sorted(out.items()))'
    same python3 -c 'import subprocess; print([subprocess.run(["echo", str(i)], capture_output=True).stdout for i in range(10)])'
else
    echo "python3 not run: it is missing (Debian package python3)"
fi

quiet gcc -O2 -pthread -o threads "$here/support/threads.c"
LD_PRELOAD=$lib timeout 100 ./threads 4 100000 100 || fail "threads and forks"

if command -v strace >/dev/null && strace -o strace.try true 2>/dev/null; then
    cat >only.c <<'END'
#include "alloc.h"
#include <unistd.h>
int main(void)
{
    static void *objects[20000];
    write(-1, "begin", 5);
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 20000; i++)
            objects[i] = mymalloc(i % 700);
        objects[0] = myrealloc(objects[0], 3000000);
        for (int i = 0; i < 20000; i++)
            myfree(objects[i]);
    }
    write(-1, "end", 3);
    return 0;
}
END
    quiet gcc -w -Imyalloc -o only only.c -Lmyalloc -lmyalloc -Wl,-rpath,"$PWD/myalloc"
    strace -o trace.log ./only
    sed -n '/write(-1, "begin"/,/write(-1, "end"/p' trace.log | sed -e 1d -e '$d' >part.log
    ! grep -v '^brk(' part.log || fail "calls beside brk"
    echo "60,000 objects of up to 700 bytes: $(wc -l <part.log) system calls, all brk"
    sed '/write(-1, "begin"/,$d' trace.log | grep -c '^brk(' >before
    strace -o empty.log true
    [ "$(cat before)" -le "$(grep -c '^brk(' empty.log)" ] || fail "the break is asked for before the first allocation"
else
    echo "system calls not counted: strace is missing (Debian package strace) or may not trace here"
fi

# ThreadSanitizer has a malloc of its own: only the my* family is looked at, the other is given other names.
other="-Dmalloc=o_malloc -Dcalloc=o_calloc -Drealloc=o_realloc -Dfree=o_free -Dreallocarray=o_reallocarray -Dmemalign=o_memalign
    -Dposix_memalign=o_posix_memalign -Daligned_alloc=o_aligned -Dvalloc=o_valloc -Dpvalloc=o_pvalloc -Dmalloc_usable_size=o_usable"
# shellcheck disable=SC2086
quiet gcc -O1 -g -fsanitize=thread $other -Imyalloc -c -o tsan.o myalloc/alloc.c
quiet gcc -O1 -g -fsanitize=thread -pthread -DTAKE=mymalloc -DTAKE_ZEROED=mycalloc -DRETAKE=myrealloc -DGIVE=myfree -o threads_tsan \
    "$here/support/threads.c" tsan.o
tsan ./threads_tsan 4 10000 0
