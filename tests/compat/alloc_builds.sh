#!/bin/sh
# alloc.c and alloc.h build beside a user's test with gcc -c alloc.c and nothing else, without a word, in gcc and clang; the
# object needs nothing of the C library's malloc, and adds only its four functions to a program.
. "${0%/*}/support/common.sh"
interface alloc
cd alloc
cat >test.c <<'END'
#include "alloc.h"
#include <stdio.h>
#include <string.h>

int main()
{
    if (init())
        return 1;
    char *text = alloc(16);
    strcpy(text, "hello, page");
    if (strcmp(text, "hello, page"))
        return 2;
    dealloc(text);
    return cleanup();
}
END
for compiler in $(compilers); do
    quiet "$compiler" -c alloc.c
    quiet "$compiler" -o test test.c alloc.o
    quiet ./test
    nm alloc.o | awk '$2 ~ /^[A-Z]$/ && $2 != "U" { print $3 }' | sort | tr '\n' ' ' >names
    [ "$(cat names)" = "alloc cleanup dealloc init " ] || fail "alloc.o defines: $(cat names)"
    nm alloc.o | awk '$1 == "U" { print $2 }' | sort | tr '\n' ' ' >needed
    for name in $(cat needed); do
        case $name in
        mmap | mmap64 | munmap | memset | memcpy | _GLOBAL_OFFSET_TABLE_ | __stack_chk_fail) ;;
        *) fail "alloc.o calls $name" ;;
        esac
    done
    for flags in "-O0" "-O2" "-O3 -std=gnu99" "-std=c99 -fPIC" "-std=c11 -pedantic-errors -Wno-pedantic"; do
        # shellcheck disable=SC2086
        quiet "$compiler" $flags -Wall -Wextra -Werror -c alloc.c
        # shellcheck disable=SC2086
        quiet "$compiler" $flags -Wall -Wextra -Werror -o test test.c alloc.c
        quiet ./test
    done
done
! grep -n '#include "' alloc.c | grep -v '"alloc.h"' || fail "alloc.c includes a file that is not in the folder"
[ "$(wc -l <README.md)" -eq 10 ] || fail "the README has ten lines"
