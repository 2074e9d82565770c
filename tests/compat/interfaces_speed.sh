#!/bin/sh
# Prints what each interface costs against the C library, in paired runs: no figure makes this test fail, a wrong answer does.
# TEST: timeout=200
. "${0%/*}/support/common.sh"
interface mymalloc
interface myalloc
interface osmem
quiet gcc -O2 -c mymalloc/mymalloc.c
quiet gcc -O2 -DTAKE=mymalloc -DGIVE=myfree -o speed_mymalloc "$here/support/speed.c" mymalloc.o
# Only the my* family: malloc stays the C library's, to be compared with.
other="-Dmalloc=o_malloc -Dcalloc=o_calloc -Drealloc=o_realloc -Dfree=o_free -Dreallocarray=o_reallocarray -Dmemalign=o_memalign
    -Dposix_memalign=o_posix_memalign -Daligned_alloc=o_aligned -Dvalloc=o_valloc -Dpvalloc=o_pvalloc -Dmalloc_usable_size=o_usable"
# shellcheck disable=SC2086
quiet gcc -O2 $other -Imyalloc -c -o myalloc.o myalloc/alloc.c
quiet gcc -O2 -DTAKE=mymalloc -DGIVE=myfree -o speed_myalloc "$here/support/speed.c" myalloc.o
quiet gcc -O2 -Iosmem/utils -DTAKE=os_malloc -DGIVE=os_free -o speed_osmem "$here/support/speed.c" osmem/src/osmem.c

measure() { # NAME LIVE OPERATIONS LARGEST
    rm -f pairs
    for turn in 1 2 3 4 5; do
        "./speed_$1" "$2" "$3" "$4" >>pairs || fail "$*"
    done
    each=$(awk -v n="$3" '{ s += $1 } END { printf "%.0f", s / NR / n * 1000 }' pairs)
    echo "$1: $2 objects of up to $4 bytes: $each ns for a free and an allocation, $(median_ratio pairs) of the C library (median of 5 pairs)"
}
measure mymalloc 100 2000000 200
measure mymalloc 10000 1000000 500
measure mymalloc 1000 200000 60000
measure myalloc 100 2000000 200
measure myalloc 10000 1000000 500
measure myalloc 500000 1000000 100
measure osmem 10 1000000 200
measure osmem 100 200000 500
measure osmem 1000 50000 500
