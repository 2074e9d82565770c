#!/bin/sh
# mymalloc and its family keep their promises, all in one build, over a break of the test's own that holds garbage, may be as
# small as 128 KiB, refuses, and is moved by others too: nothing before the first allocation, contiguous small objects, under 9
# bytes of overhead, split, merge, LIFO, realloc in place, few moves of the break, memory given back, four million objects.
# TEST: timeout=400
. "${0%/*}/support/common.sh"
interface myalloc

run() { # ARGUMENTS...
    timeout 100 ./promises "$@" >said.log 2>&1 || {
        cat said.log
        fail "$* ($compiler $how)"
    }
}

for compiler in $(compilers); do
    quiet make -s -C myalloc -B CC="$compiler"
    for how in library together; do
        if [ $how = library ]; then
            quiet "$compiler" -O1 -Wall -Wextra -Imyalloc -o promises "$here/myalloc/promises.c" -Lmyalloc -lmyalloc -Wl,-rpath,"$PWD/myalloc"
        else
            quiet "$compiler" -O1 -Wall -Wextra -Imyalloc -o promises "$here/myalloc/promises.c" myalloc/alloc.c
        fi
        for case in untouched batches limits steps lowering neighbours contiguous garbage lifo merging resizing alignment random four_million; do
            [ "$case-$how" != four_million-together ] || continue # it takes long
            run $case
            [ "$compiler $how" != "gcc library" ] || grep -v LOAM_TEST_SEED said.log || true
        done
        run overhead 0
        [ "$compiler $how" != "gcc library" ] || grep overhead said.log
        size=1
        while [ $size -le 128 ]; do
            run overhead $size
            case $compiler-$how-$size in gcc-library-8 | gcc-library-16 | gcc-library-64 | gcc-library-128) grep overhead said.log ;; esac
            size=$((size + 1))
        done
        for mistake in double interior misaligned foreign; do
            refused ./promises mistake $mistake
            says '^myalloc: myfree\(0x[0-9a-f]+\): ' refused.log
        done
    done
done
