# Regions over a buffer need neither an operating system nor a C library: with REGION_NO_SYSTEM they compile as freestanding
# C, ask for nothing but memcpy, memmove and memset, take in no header of the system's, and run in a program without libc.
# PACKAGES: binutils
set -u
: "${LOAM_ROOT:?}"
fail() { echo "region_freestanding.sh: $*"; exit 1; }
flags="-std=gnu17 -ffreestanding -fno-builtin -fno-stack-protector -fno-pie -DREGION_NO_SYSTEM -Wall -Wextra -Wconversion -Wshadow
    -Werror -I$LOAM_ROOT/src -I$LOAM_ROOT/include"
compilers=gcc
if command -v clang >/dev/null; then compilers="gcc clang"; else echo "not tried with clang: it is missing (Debian package clang)"; fi

for compiler in $compilers; do
    for optimize in -O0 -O2; do
        rm -f ./*.o
        for source in "$LOAM_ROOT"/src/region/*.c "$LOAM_ROOT"/src/bounds/*.c; do
            "$compiler" $flags $optimize -c "$source" || fail "$compiler $optimize: ${source##*/} does not compile"
        done
        ld -r -o all.o.joined ./*.o || fail "ld -r"
        nm -u all.o.joined | awk '{ print $2 }' >needed
        for name in $(cat needed); do
            case $name in
                memcpy|memmove|memset|__popcountdi2) ;; # the last is the compiler's own, in libgcc
                *) fail "$compiler $optimize: a region without a system asks for $name" ;;
            esac
        done
        # the check can fail: with a system they ask for these
        "$compiler" ${flags/-DREGION_NO_SYSTEM/} $optimize -c -o source.with "$LOAM_ROOT/src/region/source.c" || fail "source.c"
        for name in mmap munmap sbrk; do
            nm -u source.with | grep -qw "$name" || fail "nm does not show that source.c calls $name"
        done
        "$compiler" $flags $optimize -static -nostdlib -o freestanding "$LOAM_ROOT/tests/checks/support/freestanding.c" all.o.joined -lgcc ||
            fail "$compiler $optimize: the program does not link"
        ./freestanding || fail "$compiler $optimize: check $? of support/freestanding.c"
    done
done

# What our own files include; what the compiler's vector header takes in is its affair. (-H: a dot for each level.)
for source in "$LOAM_ROOT"/src/region/*.c "$LOAM_ROOT"/src/bounds/*.c; do
    gcc $flags -H -c -o /dev/null "$source" 2>&1 >/dev/null | awk -v root="$LOAM_ROOT/" '
        $1 ~ /^\.+$/ { file[length($1)] = $2; by = file[length($1) - 1] }
        $1 ~ /^\.+$/ && (by == "" || index(by, root) == 1) { sub(/.*\//, "", $2); print $2 }'
done | sort -u >headers
for name in $(cat headers); do
    case $name in
        stddef.h|stdint.h|stdbool.h|string.h|assert.h|emmintrin.h) ;;
        *) [ -n "$(find "$LOAM_ROOT/src" "$LOAM_ROOT/include" -name "$name")" ] || fail "a region without a system includes $name" ;;
    esac
done
grep -qx 'region\.h' headers || fail "no header was seen: $(head -n 3 headers)"
echo "names asked for: $(tr '\n' ' ' <needed)"
