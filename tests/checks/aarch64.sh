# The library builds for aarch64 without a warning and runs there under an emulator: on locks, as the emulator has no restartable
# sequences, and with rseq:trust the sequences' code itself, on one thread.
# TEST: timeout=600
# PACKAGES: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
set -u
: "${LOAM_ROOT:?}" "${LOAM_BUILD:?}"
fail() { echo "aarch64.sh: $*"; exit 1; }
cc=aarch64-linux-gnu-gcc
includes="-I$LOAM_ROOT/src -I$LOAM_ROOT/include -I$LOAM_BUILD/include"
warnings="-Wall -Wextra -Wconversion -Wshadow -Werror"

objects=
for layer in base os bounds map span arena cache guard observe api; do
    for source in "$LOAM_ROOT"/src/$layer/*.c; do
        object=$layer-$(basename "$source" .c).o
        # shellcheck disable=SC2086
        $cc -std=gnu17 -O2 -fPIC -fvisibility=hidden -fexceptions -fno-builtin-malloc -fno-builtin-calloc -fno-builtin-free \
            -fno-builtin-realloc $warnings $includes -c "$source" -o "$object" || fail "$source does not compile"
        objects="$objects $object"
    done
done
# shellcheck disable=SC2086
$cc -shared -Wl,-soname,libloam.so.1 -Wl,-z,defs -o libloam.so.1 $objects || fail "the library does not link"

cat >pairs.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    static unsigned char *kept[500];
    unsigned long sum = 0;
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 500; i++) {
            size_t size = (i * 37 + round * 11) % 5000 + 1;
            kept[i] = realloc(kept[i], size);
            if (!kept[i]) return 1;
            memset(kept[i], (int)(i + round), size);
            sum += kept[i][size - 1];
        }
        for (unsigned i = round % 3; i < 500; i += 3) {
            if (kept[i][0] != (unsigned char)(i + round)) return 2;
            free(kept[i]);
            kept[i] = calloc(1, 40);
            if (!kept[i] || kept[i][39]) return 3;
        }
    }
    printf("%lu\n", sum);
    return 0;
}
C
$cc -O1 -fno-builtin -o pairs pairs.c || fail "pairs does not compile"
emulate() { qemu-aarch64 -L /usr/aarch64-linux-gnu "$@"; }
expected=$(emulate ./pairs) || fail "the emulator does not run a program without Loam"
for mode in auto:locked trust:trusted; do
    found=$(LOAM=rseq:${mode%:*},stats:1 emulate -E LD_PRELOAD="$PWD/libloam.so.1" ./pairs 2>stats) ||
        fail "rseq:${mode%:*}: exit status $?: $(cat stats)"
    [ "$found" = "$expected" ] || fail "rseq:${mode%:*}: found $found, expected $expected"
    grep -q "processors' tables (${mode#*:})" stats || fail "rseq:${mode%:*} is not ${mode#*:}: $(cat stats)"
done

for test in oracle sized_frees threads_at_exit; do
    # shellcheck disable=SC2086
    $cc -std=gnu17 -O1 -fno-builtin -pthread $includes -o $test "$LOAM_ROOT/tests/surface/$test.c" || fail "$test does not compile"
    emulate -E LD_PRELOAD="$PWD/libloam.so.1" ./$test >log 2>&1 || fail "$test: exit status $?: $(tail -n 5 log)"
done
