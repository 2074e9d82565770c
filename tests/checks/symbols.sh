# libloam.so exports the names it must, symbols.txt and what include/loam/*.h declares, and no other;
# loam.o and libloam.a the same, so that nothing internal can clash with a program's own names.
# PACKAGES: binutils
set -u
: "${LOAM_ROOT:?}" "${LOAM_BUILD:?}" "${LOAM_LIB:?}"
here=$LOAM_ROOT/tests/checks
fail() { echo "symbols.sh: $*"; exit 1; }

grep -v '^#' "$here/symbols.txt" >wanted.unsorted
# Declarations, from the compiler's own output (no comments, no macros): a function's name stands
# right before the first parenthesis that no "(*" follows.
for header in "$LOAM_ROOT"/include/loam/*.h; do echo "#include \"$header\""; done |
    "${CC:-cc}" -E -P -x c -I"$LOAM_ROOT/include" -I"$LOAM_BUILD/include" - >headers || fail "the headers do not compile"
sed 's/__attribute__ *(([^()]*\(([^()]*)\)*[^()]*))//g' headers | tr '\n' ' ' | tr ';{}' '\n\n\n' |
    sed -n 's/^[^(]*[ *]\(loam_[a-z0-9_]*\) *([^*].*/\1/p' | LC_ALL=C sort -u >declared
[ "$(wc -l <declared)" -ge 5 ] || fail "only these declarations were found: $(cat declared)"
cat wanted.unsorted declared | LC_ALL=C sort -u >wanted

# FILE NM-OPTIONS...: its global defined names
names() {
    local file=$1
    shift
    nm --defined-only "$@" "$file" >nm.out || fail "nm cannot read $file"
    awk 'NF >= 3 && $2 ~ /[A-Z]/ { print $3 }' nm.out | LC_ALL=C sort -u
}
# NAME NM-OPTIONS...: its names against the wanted ones
compare() {
    local file=$1
    shift
    [ -e "$file" ] || fail "there is no $file"
    names "$file" "$@" >found
    LC_ALL=C comm -23 wanted found >missing
    LC_ALL=C comm -13 wanted found >extra
    echo "${file##*/}: $(wc -l <found) names, $(wc -l <missing) missing, $(wc -l <extra) too many"
    [ ! -s missing ] || fail "${file##*/} lacks: $(tr '\n' ' ' <missing)"
    [ ! -s extra ] || fail "${file##*/} should not export: $(tr '\n' ' ' <extra)"
}
compare "$LOAM_LIB" --dynamic
compare "$LOAM_BUILD/loam.o" --extern-only
compare "$LOAM_BUILD/libloam.a" --extern-only
