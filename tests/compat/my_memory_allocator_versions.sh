#!/bin/sh
# Each version of my_memory_allocator.h allocates in the way that its number stands for: 0 the C library, 1 a map and an unmap
# for each object, 2 a pool with a bump pointer, 3 a pool of 32-byte cells with a LIFO list; 2 and 3 run dry cleanly.
. "${0%/*}/support/common.sh"
interface my_memory_allocator
for compiler in $(compilers); do
    for version in 0 1 2 3; do
        quiet "$compiler" -std=gnu11 -O1 -Wall -Wextra -Wno-unused-function "-DLAB_VERSION=$version" -Imy_memory_allocator -o versions \
            "$here/my_memory_allocator/versions.c"
        ./versions 2>said.log || {
            cat said.log
            fail "version $version with $compiler"
        }
        [ "$version" -lt 2 ] || says 'cannot map the pool' said.log # the program has made that happen
    done
done
