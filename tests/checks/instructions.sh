# Instructions of each call on its fast path stay at or under the committed counts (instructions.txt).
# PACKAGES: valgrind
#
# callgrind counts; it runs no restartable sequences, so they are run unseen (LOAM=rseq:trust), and
# once more the locked tables (LOAM=rseq:off). Budgets for x86-64 with gcc 12 -O2: malloc 26, free 44,
# up to 1 KiB. `instructions.sh --update` writes the counts measured now as the committed ones.
set -u
: "${LOAM_ROOT:?}" "${LOAM_LIB:?}"
here=$LOAM_ROOT/tests/checks
golden=$here/instructions.txt
malloc_budget=26 free_budget=44
n=2000
fail() { echo "instructions.sh: $*"; exit 1; }
skip() { echo "$*"; exit 77; }

command -v valgrind >/dev/null || skip "valgrind is not installed (package valgrind)"
[ "$(uname -m)" = x86_64 ] || skip "the counts are for x86-64, this is $(uname -m)"
readelf -p .comment "$LOAM_LIB" | grep -q 'GCC: .* 12\.' ||
    skip "the counts are for gcc 12; this library was built by $(readelf -p .comment "$LOAM_LIB" | sed -n 's/.*\] *//p' | head -n1)"
if grep -q '^LOAM_DEBUG:BOOL=ON\|^CMAKE_BUILD_TYPE:STRING=Debug' "${LOAM_BUILD:-.}/CMakeCache.txt" 2>/dev/null; then
    skip "the counts are for the release build, this is a debug build"
fi

"${CC:-cc}" -O2 -fno-builtin -fno-plt -o calls "$here/support/instructions.c" "$LOAM_LIB" ||
    fail "the driver is not built"

# N SETTING: lines "caller callee calls cost" of the driver's functions
record() {
    LD_PRELOAD=$LOAM_LIB LOAM=rseq:$2 valgrind --tool=callgrind --demangle=no --compress-strings=no --compress-pos=no \
        --callgrind-out-file=record.out ./calls "$1" >valgrind.log 2>&1 || { cat valgrind.log; fail "valgrind failed"; }
    # "fn=" names the function that the following lines belong to; "cfn=", "calls=COUNT ..." and the
    # line after them (position, inclusive cost) a call from it.
    awk '/^fn=/ { caller = substr($0, 4); sub(/\..*/, "", caller); next } # without .constprop.0
         /^cfn=/ { callee = substr($0, 5); next }
         /^calls=/ { split(substr($0, 7), part, " "); getline
                     if (callee ~ /^_*mem(cpy|move)/) copied += $2
                     if (caller ~ /^[a-z_]*_[0-9]+$/) { calls[caller " " callee] += part[1]
                                                       cost[caller " " callee] += $2 } }
         END { cost["realloc_grow_4000 realloc"] -= copied # the C library has one memcpy for each kind of processor
               for (key in calls) print key, calls[key], cost[key] }' record.out
}

# The cost of one more call: what 2 N calls took over N, divided by N, rounded up to a tenth.
measure() {
    for setting in trust off; do
        record $n $setting >once.txt || exit 1
        record $((2 * n)) $setting >twice.txt || exit 1
        awk -v n=$n -v setting=$setting 'NR == FNR { calls[$1 " " $2] = $3; cost[$1 " " $2] = $4; next }
            $3 - calls[$1 " " $2] == n {
                tenths = ($4 - cost[$1 " " $2]) * 10 / n
                tenths = tenths == int(tenths) ? tenths : int(tenths) + 1
                printf "%s %s %s %.1f\n", setting, $1, $2, tenths / 10 }' once.txt twice.txt
    done | LC_ALL=C sort >measured
    # two entries of each loop, but one of realloc's and usable's (their free is called once), three of realloc_grow's
    [ "$(wc -l <measured)" -eq 70 ] || { cat measured; fail "$(wc -l <measured) counts instead of 70"; }
}
measure

if [ "${1:-}" = --update ]; then
    { echo "# setting, loop, call, instructions of one call (inclusive); written by instructions.sh --update"
      cat measured; } >"$golden"
    echo "written: $golden"
fi

# The fast paths to the tenth. Where memset or slow paths are in it, 3 % more may come by chance; where the clock is looked at every
# 64th time (over 1 KiB), half an instruction.
compare() {
    awk -v mb=$malloc_budget -v fb=$free_budget '
        NR == FNR { if ($0 !~ /^#/) want[$1 " " $2 " " $3] = $4; next }
        { key = $1 " " $2 " " $3; note = ""
          if (!(key in want)) { print key ": not in instructions.txt"; bad = 1; next }
          most = want[key] * (want[key] > 100 ? 1.03 : 1) + ($2 ~ /_[0-9]+000$/ && $2 !~ /_1000$/ ? 0.5 : 0)
          if ($4 > most) { note = "  MORE than " want[key]; bad = 1 }
          else if ($4 < want[key]) note = "  less than " want[key] "; instructions.sh --update"
          if ($1 == "trust" && $2 ~ /^pair_(64|1000)$/ && $3 == "malloc" && $4 > mb) { note = note "  OVER the budget of " mb; bad = 1 }
          if ($1 == "trust" && $2 ~ /^pair_(64|1000)$/ && $3 == "free" && $4 > fb) { note = note "  OVER the budget of " fb; bad = 1 }
          printf "%-6s %-17s %-14s %7.1f%s\n", $1, $2, $3, $4, note; delete want[key] }
        END { for (key in want) { print key ": no longer measured"; bad = 1 } exit bad }' "$golden" measured
}

compare && exit 0
# What is due on a tick of half a second may have fallen into one of the runs: what is really more is more again.
for again in 1 2; do
    echo "once more:"
    measure
    compare && exit 0
done
fail "see above"
