#!/bin/sh
# osmem against a model written from its specification: 100,000 random calls; after each the block list is walked through the
# headers, freed payloads are compared byte for byte, and the system calls are those that the model expects, one by one.
# PACKAGES: strace
# TEST: timeout=400
. "${0%/*}/support/common.sh"
interface osmem
for compiler in $(compilers); do
    quiet "$compiler" -O2 -Wall -Wextra -Iosmem/utils -o model "$here/osmem/model.c" osmem/src/osmem.c
    ./model 100000 3>expected.log || fail "the model disagrees, osmem.c built by $compiler"
done
quiet gcc -O1 -g -fsanitize=undefined -fno-sanitize-recover=all -Iosmem/utils -o model "$here/osmem/model.c" osmem/src/osmem.c
./model 20000 3>expected.log || fail "with -fsanitize=undefined"

need_strace
quiet gcc -O2 -Wall -Wextra -Iosmem/utils -o model "$here/osmem/model.c" -Losmem -losmem -Wl,-rpath,"$PWD/osmem"
strace -o trace.log -e trace=brk,mmap,munmap,mremap,madvise,mprotect,write ./model 100000 3>expected.log || fail "under strace"
sed -n '/^write(-1, "begin"/,/^write(-1, "end"/p' trace.log |
    sed -e 's/^write(-1, "\([^"]*\)".*/\1/' -e 's/)  *= 0x.*/)/' -e 's/)  *= 0$/)/' >found.log
cmp expected.log found.log || {
    diff expected.log found.log | head -20
    fail "the kernel has seen something else than the model expects"
}
echo "$(grep -cv '^[a-z]* *[0-9]*$' found.log) system calls for 100,000 operations, each as expected"
