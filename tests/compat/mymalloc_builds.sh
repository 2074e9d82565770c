#!/bin/sh
# A user's two commands build a program on mymalloc.c, with gcc and clang, without a word: CC -c mymalloc.c, then
# CC -I. -o prog prog.c mymalloc.o; whichever way the program includes the header, before or behind the system's.
. "${0%/*}/support/common.sh"
interface mymalloc
cd mymalloc
cat >body <<'END'
#include <stdio.h>
#include <string.h>
struct pair { int first, second; };
int main(void)
{
    struct pair *pair = malloc(sizeof *pair);
    int *many = calloc(100, sizeof *many);
    void (*give)(void *) = free;
    many = realloc(many, 1000 * sizeof *many);
    pair->first = many[99];
    printf("%d\n", pair->first);
    free(pair);
    give(many);
    return 0;
}
END
(echo '#include <stdlib.h>' && echo '#include "malloc.h"' && cat body) >one.c
(echo '#include "malloc.h"' && echo '#include <stdlib.h>' && cat body) >two.c
(echo '#include <malloc.h>' && echo '#include <pthread.h>' && echo '#include <unistd.h>' && echo '#include <sys/mman.h>' && cat body) >three.c
for compiler in $(compilers); do
    quiet "$compiler" -c mymalloc.c
    for flags in "" "-O2 -Wall -Wextra -Werror" "-O3 -std=gnu11 -Wall -Wextra -Werror -fPIC"; do
        # shellcheck disable=SC2086
        quiet "$compiler" $flags -c mymalloc.c
        for source in one two three; do
            # shellcheck disable=SC2086
            quiet "$compiler" -Wall -Wextra -I. -o prog $source.c mymalloc.o
            [ "$(./prog)" = 0 ] || fail "$source"
            nm prog | grep -qE ' U malloc(@|$)' && ! nm mymalloc.o | grep -qE ' U malloc$' && fail "$source calls the C library's malloc"
        done
    done
    nm mymalloc.o | awk '$2 ~ /^[A-Z]$/ && $2 != "U" && $2 != "W" { print $3 }' | sort | tr '\n' ' ' >names
    [ "$(cat names)" = "mycalloc myfree mymalloc mymalloc_print myrealloc " ] || fail "mymalloc.o defines: $(cat names)"
done
! grep -n '#include "' mymalloc.c || fail "mymalloc.c includes a file that is not in the folder"
! grep -n '#include <malloc.h>' mymalloc.c malloc.h || fail "with -I. that would be our own"
[ "$(wc -l <README.md)" -eq 10 ] || fail "the README has ten lines"
