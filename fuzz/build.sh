#!/bin/sh
# fuzz/build.sh OUT: builds the fuzz targets into the folder OUT, with clang's libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer. CLANG names the compiler (clang).
set -eu
out=${1:?usage: fuzz/build.sh OUT}
root=$(cd "$(dirname "$0")/.." && pwd)
clang=${CLANG:-clang}
mkdir -p "$out/objects" "$out/include/loam"

version=$(sed -n 's/^project(loam VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
sed "s/@PROJECT_VERSION@/$version/; s/@PROJECT_VERSION_[A-Z]*@/0/" "$root/cmake/version.h.in" >"$out/include/loam/version.h"

flags="-std=gnu17 -g -O1 -fno-omit-frame-pointer -Wall -Wextra -Wconversion -Wshadow -Werror -DLOAM_NO_REPLACE=1 -DLOAM_DEBUG=1
    -I$root/src -I$root/include -I$out/include"
sanitize="address,undefined -fno-sanitize-recover=all"

find "$root/src" -name '*.c' ! -path '*/region/*' | LC_ALL=C sort |
    xargs -P 2 -n 4 sh -c '
        root=$1 out=$2; shift 2
        clang=$1 flags=$2; shift 2
        for file; do
            name=$(printf %s "${file#"$root/src/"}" | tr / -)
            # shellcheck disable=SC2086 # flags are words
            $clang $flags -fexceptions -c "$file" -o "$out/objects/${name%.c}.o" || exit 255
        done' sh "$root" "$out" "$clang" "$flags -fsanitize=fuzzer-no-link,$sanitize"

for target in api_operations bounds_operations option_words; do
    # shellcheck disable=SC2086 # flags are words
    $clang $flags -fno-builtin -fsanitize=fuzzer,$sanitize "$root/fuzz/$target.c" "$out"/objects/*.o -pthread -o "$out/$target"
done
