#!/bin/sh
# my_memory_allocator.h and its four versions compile as C11 without a word, in gcc and clang, alone and with the headers
# that its users include; the version is picked by the line in the header and by -DLAB_VERSION.
. "${0%/*}/support/common.sh"
interface my_memory_allocator

lines=$(grep -c '^#define LAB_VERSION 0$' my_memory_allocator/my_memory_allocator.h) || true
[ "$lines" = 1 ] || fail "the header must hold the line '#define LAB_VERSION 0' once, holds it $lines times"

empty=
many='#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>'
int='#include <stdint.h>'
all="$many
$int"
for compiler in $(compilers); do
    for header in my_memory_allocator my_memory_allocator_v0 my_memory_allocator_v1 my_memory_allocator_v2 my_memory_allocator_v3; do
        for before in "$empty" "$many" "$int" "$all"; do
            printf '%s\n#include "%s.h"\n#include "%s.h"\n%s\nint main(void) { init_mem_pool(); my_free(my_malloc(24)); return 0; }\n' \
                "$before" "$header" "$header" "$before" >alone.c
            for version in 0 1 2 3; do
                quiet "$compiler" -std=c11 -Wall -Wextra -Werror -pedantic "-DLAB_VERSION=$version" -Imy_memory_allocator -o alone alone.c
                quiet ./alone
                [ "$header" = my_memory_allocator ] || break
            done
        done
    done
    refused "$compiler" -std=c11 -DLAB_VERSION=4 -Imy_memory_allocator -c "$here/my_memory_allocator/binarytrees.c"
    says 'LAB_VERSION is 0' refused.log
    quiet "$compiler" -std=c11 -O2 -Wall -Wextra -Imy_memory_allocator -o trees "$here/my_memory_allocator/binarytrees.c"
    for version in 0 1 2 3; do
        interface my_memory_allocator
        sed -i "s/LAB_VERSION 0/LAB_VERSION $version/" my_memory_allocator/my_memory_allocator.h
        printf '#include "my_memory_allocator.h"\n#if LAB_VERSION != %s\n#error\n#endif\nint main(void) { out_of_mem(); }\n' "$version" >edited.c
        quiet "$compiler" -std=c11 -Wall -Wextra -Werror -Imy_memory_allocator -o edited edited.c
        refused ./edited
        says "version $version is out of memory" refused.log
    done
done
[ "$(wc -l <my_memory_allocator/README.md)" -eq 10 ] || fail "the README has ten lines"
