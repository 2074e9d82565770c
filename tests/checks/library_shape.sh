# libloam.so can be loaded anywhere: it needs the C library alone, has no static TLS, no text
# relocations, no executable stack, is never unloaded, and its own calls cannot be taken over.
# PACKAGES: binutils
set -u
: "${LOAM_ROOT:?}" "${LOAM_LIB:?}"
fail() { echo "library_shape.sh: $*"; exit 1; }

readelf -dW "$LOAM_LIB" >dynamic && readelf -lW "$LOAM_LIB" >segments &&
    readelf -rW "$LOAM_LIB" >relocations || fail "readelf cannot read $LOAM_LIB"

needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' dynamic)
echo "needs: $(echo $needed)"
for library in $needed; do
    case $library in
        libc.so.6|ld-linux*.so.*) ;;
        *) fail "it needs $library" ;;
    esac
done
grep -q 'SONAME.*\[libloam\.so\.1\]' dynamic || fail "its name is not libloam.so.1: $(grep SONAME dynamic)"
grep -q 'FLAGS_1.*NODELETE' dynamic || fail "it could be unloaded under its callers (no NODELETE)"
! grep -q 'STATIC_TLS' dynamic || fail "it needs static TLS: dlopen fails when that is used up"
! grep -q 'TEXTREL' dynamic || fail "it has text relocations"
! grep -q 'TPOFF\|TLSDESC\|DTPOFF\|DTPMOD' relocations ||
    fail "it has thread-local data: $(grep -m1 'TPOFF\|TLSDESC\|DTPOFF\|DTPMOD' relocations)"
size -A "$LOAM_LIB" | awk '$1 ~ /^\.(text|data|bss)$/ { printf "%s %d bytes; ", $1, $2 } END { print "" }'
tls=$(awk '$1 == "TLS" { print $6 }' segments)
echo "TLS segment: ${tls:-none}"
[ -z "$tls" ] || [ $((tls)) -eq 0 ] || fail "it has a TLS segment of $tls bytes"
awk '$1 == "GNU_STACK" { found = 1; bad = $0 ~ /RWE/ } END { exit !found || bad }' segments ||
    fail "its stack is executable"
awk '$1 == "LOAD" && $0 ~ /RWE/ { bad = 1 } END { exit bad }' segments ||
    fail "a segment is writable and executable"

# realloc must reach our own malloc, not the program's or, when dlopened, the C library's: a call
# that goes through the table of a name we export ourselves could be taken over. (The operators of
# C++ are the exception: there the standard wants the program's to be called.)
taken=$(sed -n 's/.*R_[A-Z0-9_]*\(GLOB_DAT\|JUMP_SLO\|64\|ABS64\)[A-Z]* .* \([a-z_]*\) + 0$/\2/p' relocations |
    grep -xF "$(grep -v '^#\|^_Z' "$LOAM_ROOT/tests/checks/symbols.txt")")
[ -z "$taken" ] || fail "its own calls can be taken over by another library: $(echo $taken)"
