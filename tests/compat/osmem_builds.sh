#!/bin/sh
# osmem builds by make in its src folder, with gcc and clang, without a word of warning; the library exports its four functions
# and nothing else, the header block is 32 bytes, and the delivered libosmem.so is as good as the one built by hand.
. "${0%/*}/support/common.sh"
interface osmem
cat >user.c <<'END'
#include "osmem.h"
#include "block_meta.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct block_meta) == 32, "size");
_Static_assert(offsetof(struct block_meta, size) == 0 && offsetof(struct block_meta, status) == 8, "order");
_Static_assert(offsetof(struct block_meta, prev) == 16 && offsetof(struct block_meta, next) == 24, "order");
_Static_assert(STATUS_FREE == 0 && STATUS_ALLOC == 1 && STATUS_MAPPED == 2, "states");

int main(void)
{
    char *text = os_malloc(20);
    struct block_meta *block = (struct block_meta *)((char *)text - 32);
    if (block->size != 24 || block->status != STATUS_ALLOC)
        return 1;
    strcpy(text, "hello");
    text = os_realloc(text, 100);
    int *numbers = os_calloc(10, sizeof(int));
    if (strcmp(text, "hello") || numbers[9])
        return 2;
    os_free(text);
    os_free(numbers);
    return 0;
}
END
check_library() { # FOLDER
    nm -D --defined-only "$1/libosmem.so" | awk '{ print $3 }' | sort | tr '\n' ' ' >names
    [ "$(cat names)" = "os_calloc os_free os_malloc os_realloc " ] || fail "$1/libosmem.so exports: $(cat names)"
    nm -D --undefined-only "$1/libosmem.so" | grep -E ' (malloc|calloc|realloc|free|mremap)(@|$)' && fail "it calls the C library's malloc or mremap"
    quiet gcc -Wall -Wextra -Iosmem/utils -o user user.c -L"$1" -losmem -Wl,-rpath,"$PWD/$1"
    quiet ./user
}
check_library osmem # the one that is delivered
for compiler in $(compilers); do
    interface osmem
    (cd osmem/src && make CC="$compiler") >make.log 2>&1 || {
        cat make.log
        fail "make with $compiler"
    }
    ! grep -E 'warning|error' make.log || fail "make with $compiler is not silent"
    says '-fPIC -Wall -Wextra -g' make.log
    check_library osmem/src
    (cd osmem/src && make clean >/dev/null)
    [ "$(cd osmem/src && echo *)" = "Makefile osmem.c" ] || fail "make clean leaves something"
    for flags in "-O0 -std=c99" "-O3 -std=gnu17 -Werror"; do
        # shellcheck disable=SC2086
        quiet "$compiler" $flags -fPIC -Wall -Wextra -g -Iosmem/utils -c -o osmem.o osmem/src/osmem.c
    done
done
[ "$(wc -l <osmem/README.md)" -eq 10 ] || fail "the README has ten lines"
