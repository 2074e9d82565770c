#!/bin/sh
# libmyalloc builds with make and with -Wall -Wextra -std=gnu99 -O1 -fPIC, in gcc and clang, without a word; it exports both
# families, asks the C library for no memory but by sbrk, and a user's program runs on what was built and on what is delivered.
# TEST: timeout=400
. "${0%/*}/support/common.sh"
interface myalloc
cat >user.c <<'END'
#include "alloc.h"
#include <stdio.h>
#include <string.h>

int main(void)
{
    char *text = mymalloc(10);
    int *numbers = mycalloc(5, sizeof(int));
    strcpy(text, "hello");
    text = myrealloc(text, 1000);
    printf("%s %d\n", text, numbers[4]);
    myfree(text);
    myfree(numbers);
    return 0;
}
END
check_library() {
    nm -D --defined-only "$1/libmyalloc.so" | awk '{ print $3 }' | sort >names
    for name in mymalloc mycalloc myrealloc myfree malloc calloc realloc free; do
        grep -qx $name names || fail "$1/libmyalloc.so does not export $name"
    done
    if grep -Evx 'my(malloc|calloc|realloc|free)|malloc|calloc|realloc|free|reallocarray|malloc_usable_size|posix_memalign|memalign|aligned_alloc|valloc|pvalloc' names; then
        fail "$1/libmyalloc.so exports more than the two families"
    fi
    nm -D --undefined-only "$1/libmyalloc.so" | sed -e 's/.* //' -e 's/@.*//' | sort >needed
    grep -qx sbrk needed || fail "sbrk is not called as a library function"
    ! grep -Ex '(mmap|mmap64|munmap|mremap|mprotect|madvise|syscall|malloc|free|printf|fprintf)' needed || fail "it calls what it must not"
    quiet gcc -Wall -Wextra -I"$1" -o user user.c -L"$1" -lmyalloc -Wl,-rpath,"$PWD/$1"
    [ "$(./user)" = "hello 0" ] || fail "the user's program"
}
check_library myalloc
! grep -n '#include "' myalloc/alloc.c | grep -v '"alloc.h"' || fail "alloc.c includes a file that is not in the folder"
for compiler in $(compilers); do
    rm -f myalloc/libmyalloc.so
    quiet make -s -C myalloc CC="$compiler"
    says '^CFLAGS = -Wall -Wextra -std=gnu99 -O1 -fPIC$' myalloc/Makefile
    check_library myalloc
    make -s -C myalloc clean
    [ "$(cd myalloc && echo *)" = "Makefile README.md alloc.c alloc.h" ] || fail "make clean leaves something"
    for flags in "-O0" "-O2 -std=gnu11" "-O3 -std=gnu17"; do
        # shellcheck disable=SC2086
        quiet "$compiler" -Wall -Wextra -Werror $flags -fPIC -shared -o myalloc/libmyalloc.so myalloc/alloc.c
        check_library myalloc
        # shellcheck disable=SC2086
        quiet "$compiler" -Wall -Wextra -Werror $flags -Imyalloc -o user user.c myalloc/alloc.c
        [ "$(./user)" = "hello 0" ] || fail "the user's program, compiled together"
    done
    interface myalloc
done
[ "$(wc -l <myalloc/README.md)" -eq 10 ] || fail "the README has ten lines"
