#!/bin/sh
# The reference workload (binary trees, 14,985,902 nodes of 24 bytes) gives the same answers on every version; version 1 does it
# at a smaller depth, with a map and an unmap per node. Version 3 beats the C library: in instructions, which do not depend on who
# else uses the machine; how long 2 and 3 take is printed, of paired runs.
# PACKAGES: strace valgrind
# TEST: timeout=400
. "${0%/*}/support/common.sh"
interface my_memory_allocator
for version in 0 1 2 3; do
    quiet gcc -std=c11 -O2 -Wall -Wextra "-DLAB_VERSION=$version" -Imy_memory_allocator -o "trees$version" \
        "$here/my_memory_allocator/binarytrees.c"
done

for depth in 4 10; do
    ./trees0 $depth >expected 2>time0
    for version in 1 2 3; do
        ./trees$version $depth >found 2>"time$version" || fail "version $version, depth $depth"
        cmp -s expected found || fail "version $version answers differently at depth $depth"
    done
done
awk -v a="$(cat time1)" -v b="$(cat time0)" 'BEGIN { printf "version 1, depth 10: %.0f times the time of the C library\n", a / b }'

rm -f pairs2 pairs3
for turn in 1 2 3 4 5; do
    ./trees0 16 >expected 2>time0
    says '^requests: 14985902 of 24 bytes$' expected
    for version in 2 3; do
        ./trees$version 16 >found 2>"time$version" || fail "version $version, depth 16, turn $turn"
        cmp -s expected found || fail "version $version answers differently at depth 16"
        echo "$(cat time$version) $(cat time0)" >>"pairs$version"
    done
done
for version in 2 3; do
    echo "version $version, depth 16: $(median_ratio pairs$version) of the time of the C library (median of 5 pairs)"
done

instructions() { # PROGRAM
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" 10 2>&1 >/dev/null | sed -n 's/.*Collected : //p'
}
if command -v valgrind >/dev/null; then
    zero=$(instructions ./trees0) three=$(instructions ./trees3)
    echo "depth 10: $zero instructions with the C library, $three with version 3"
    [ "$three" -lt $((zero / 2)) ] || fail "version 3 takes $three instructions, the C library $zero"
else
    echo "instructions not counted: valgrind is missing (Debian package valgrind)"
fi

# Nodes that do not fit into the pool: the program is told, by NULL, and ends in words.
refused ./trees2 18
says 'version 2 is out of memory' refused.log
refused ./trees3 22
says 'version 3 is out of memory' refused.log

if command -v strace >/dev/null && strace -o strace.try true 2>/dev/null; then
    strace -o none.log ./trees2 4 >/dev/null 2>&1
    strace -o two.log ./trees2 10 >/dev/null 2>&1
    [ "$(calls mmap two.log)" = "$(calls mmap none.log)" ] || fail "version 2 maps once, whatever the work"
    says 'mmap\(NULL, 409600000, PROT_READ\|PROT_WRITE, MAP_PRIVATE\|MAP_ANONYMOUS, -1, 0\)' two.log
else
    echo "system calls not counted: strace is missing (Debian package strace) or may not trace here"
fi
