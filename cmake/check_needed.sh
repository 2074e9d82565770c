#!/bin/sh
# check_needed.sh READELF LIBRARY: fails when the library needs another one than the C library
# (of which the dynamic linker, ld-linux, is a part).
set -eu
needed=$("$1" -d "$2" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
bad=0
for name in $needed; do
    case $name in
        libc.so.*|ld-linux*|libc.musl*|ld-musl*) ;;
        *) echo "$2 needs $name; it may need only the C library" >&2; bad=1 ;;
    esac
done
exit $bad
