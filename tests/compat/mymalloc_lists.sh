#!/bin/sh
# mymalloc.c: a list and a lock for each processor, 256 KiB and more behind each, split by size; best fit; the break while there
# is one thread, mmap from the threshold on and where there are threads; nothing leaks; the C library's pointers pass through.
. "${0%/*}/support/common.sh"
interface mymalloc
for compiler in $(compilers); do
    quiet "$compiler" -c -Wall -Wextra mymalloc/mymalloc.c
    quiet "$compiler" -O1 -Wall -Wextra -Wno-unknown-warning-option -Wno-use-after-free -Wno-free-nonheap-object -Imymalloc -o lists "$here/mymalloc/lists.c" mymalloc.o -ldl
    for case in begun separate locks splitting best_fit sources leaks library; do
        timeout 60 ./lists $case >said.log 2>&1 || {
            cat said.log
            fail "$case with $compiler"
        }
        [ "$compiler" != gcc ] || grep -v LOAM_TEST_SEED said.log || true
    done
    for mistake in double double_large; do
        refused ./lists mistake $mistake
        says '^mymalloc: free or realloc of 0x[0-9a-f]+: it is free already' refused.log
    done
    for mistake in inside overwritten; do
        refused ./lists mistake $mistake
        says '^mymalloc: free or realloc of 0x[0-9a-f]+: no object begins there, or what lies before it was overwritten' refused.log
    done
done
