# The libraries export the names they must and no other, in all their forms, so that nothing internal
# can clash with a program's own names. libloam: symbols.txt and what include/loam/loam.h declares;
# libloam_region: what include/loam/region.h declares.
# PACKAGES: binutils
set -u
: "${LOAM_ROOT:?}" "${LOAM_BUILD:?}" "${LOAM_LIB:?}"
fail() { echo "symbols.sh: $*"; exit 1; }

# HEADER: the functions it declares, from the compiler's own output (no comments, no macros): a
# function's name stands right before the first parenthesis that no "*" follows.
declared() {
    echo "#include <loam/$1>" | "${CC:-cc}" -E -P -x c -I"$LOAM_ROOT/include" -I"$LOAM_BUILD/include" - >preprocessed ||
        fail "loam/$1 does not compile"
    sed 's/__attribute__ *(([^()]*\(([^()]*)\)*[^()]*))//g' preprocessed | tr '\n' ' ' | tr ';{}' '\n\n\n' |
        sed -n 's/^[^(]*[ *]\(loam_[a-z0-9_]*\) *([^*].*/\1/p'
}
# FILE NM-OPTION: its global defined names
names() {
    nm --defined-only "$2" "$1" >nm.out || fail "nm cannot read $1"
    awk 'NF >= 3 && $2 ~ /[A-Z]/ { print $3 }' nm.out | LC_ALL=C sort -u
}
# FILE NM-OPTION WANTED: its names against the wanted ones
compare() {
    [ -e "$1" ] || fail "there is no $1"
    names "$1" "$2" >found
    LC_ALL=C comm -23 "$3" found >missing
    LC_ALL=C comm -13 "$3" found >extra
    echo "${1##*/}: $(wc -l <found) names, $(wc -l <missing) missing, $(wc -l <extra) too many"
    [ ! -s missing ] || fail "${1##*/} lacks: $(tr '\n' ' ' <missing)"
    [ ! -s extra ] || fail "${1##*/} should not export: $(tr '\n' ' ' <extra)"
}
compare_all() { # LIBRARY OBJECT WANTED
    [ "$(wc -l <"$3")" -ge 8 ] || fail "only these names are wanted of $1: $(cat "$3")"
    compare "$LOAM_BUILD/$1.so.1" --dynamic "$3"
    compare "$LOAM_BUILD/$2.o" --extern-only "$3"
    compare "$LOAM_BUILD/$1.a" --extern-only "$3"
}

{ grep -v '^#' "$LOAM_ROOT/tests/checks/symbols.txt"; declared loam.h; } | LC_ALL=C sort -u >wanted
compare_all libloam loam wanted
declared region.h | LC_ALL=C sort -u >wanted_region
compare_all libloam_region loam_region wanted_region
