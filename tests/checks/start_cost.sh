# What a program that allocates once pays for Loam at its start, over the C library's own malloc under
# an empty preloaded library: at most 4 system calls, 48 KiB of private dirty memory, and 1 MiB of
# address space beyond the library's own segments.
# PACKAGES: strace
set -u
: "${LOAM_ROOT:?}" "${LOAM_LIB:?}"
calls_budget=4 dirty_budget=48 space_budget=1024
runs=9
fail() { echo "start_cost.sh: $*"; exit 1; }
command -v strace >/dev/null || { echo "strace is not installed (package strace)"; exit 77; }

"${CC:-cc}" -O1 -fno-builtin -o once "$LOAM_ROOT/tests/checks/support/start_cost.c" || fail "no program"
echo 'int nothing_at_all;' >empty.c
"${CC:-cc}" -shared -fPIC -o empty.so empty.c || fail "no empty library"
grep -q '^Private_Dirty' /proc/self/smaps_rollup || { echo "this kernel has no smaps_rollup"; exit 77; }

# LIBRARY: how many system calls
calls() {
    strace -f -o trace -E LD_PRELOAD="$1" ./once >/dev/null || fail "strace failed with $1"
    grep -c '^[0-9 ]*[a-z0-9_]*(' trace
}
# LIBRARY FIELD: the median of some runs
median() {
    local i
    for ((i = 0; i < runs; i++)); do LD_PRELOAD=$1 ./once || exit 1; done | cut -d' ' -f"$2" | sort -n |
        sed -n "$((runs / 2 + 1))p"
}
# LIBRARY: KiB of address space its segments take, in whole pages
segments() {
    local sum=0 type at size
    while read -r type _ at _ _ size _; do
        [ "$type" != LOAD ] || sum=$((sum + (size + at % 4096 + 4095) / 4096 * 4))
    done < <(readelf -lW "$1")
    echo $sum
}

empty=$PWD/empty.so
sync "$LOAM_LIB" "$empty" || fail "sync failed" # pages of a file that was just written count as dirty where they are mapped
extra=$(($(calls "$LOAM_LIB") - $(calls "$empty")))
dirty=$(($(median "$LOAM_LIB" 1) - $(median "$empty" 1)))
space=$(($(median "$LOAM_LIB" 2) - $(median "$empty" 2) - $(segments "$LOAM_LIB") + $(segments "$empty")))
echo "system calls over the C library's: $extra (budget $calls_budget)"
echo "private dirty memory over it: $dirty KiB (budget $dirty_budget)"
echo "address space beyond the library's segments ($(segments "$LOAM_LIB") KiB): $space KiB (budget $space_budget)"
bad=
[ "$extra" -le "$calls_budget" ] || bad="$bad; too many system calls, the trace with Loam ends: $(calls "$LOAM_LIB" >/dev/null; tail -n 14 trace | head -c 1500)"
[ "$dirty" -le "$dirty_budget" ] || bad="$bad; too much dirty memory"
[ "$space" -lt "$space_budget" ] || bad="$bad; too much address space"
[ -z "$bad" ] || fail "${bad#; }"
