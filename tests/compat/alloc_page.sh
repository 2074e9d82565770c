#!/bin/sh
# alloc.h against a model: every byte of the page can be used, nothing is booked twice, nothing is written into the page, freed
# chunks split and merge, bad sizes and pointers are refused; all splits in three, all sequences of six operations, a million
# random ones; with the sanitizers of undefined behaviour and addresses as well.
. "${0%/*}/support/common.sh"
interface alloc

run() { # CASE WITH-WHAT
    ./page "$1" >said.log 2>&1 || {
        cat said.log
        fail "$2"
    }
}

for compiler in $(compilers); do
    quiet "$compiler" -O2 -Wall -Wextra -Ialloc -o page "$here/alloc/page.c" alloc/alloc.c
    for case in basics refusals splits sequences random; do
        run $case "$case with $compiler"
    done
done
quiet gcc -O1 -g -fsanitize=undefined -fno-sanitize-recover=all -Ialloc -o page "$here/alloc/page.c" alloc/alloc.c
for case in basics refusals splits random; do
    run $case "$case with -fsanitize=undefined"
done

quiet gcc -O2 -Ialloc -o speed "$here/alloc/speed.c" alloc/alloc.c
rm -f pairs
for turn in 1 2 3 4 5; do
    ./speed >>pairs || fail "speed, turn $turn"
done
echo "time against the C library: $(median_ratio pairs) (median of 5 pairs)"
