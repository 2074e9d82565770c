# What the interface tests share; read by each of them: . "${0%/*}/support/common.sh"
#
# The folders under test are what the build made (build/release/compat/NAME), copied into the scratch folder as a user
# would copy them. LOAM_COMPAT names their parent; without it, it is looked for beside LOAM_LIB and in build/release.
set -eu
here=$(cd "${0%/*}" && pwd)
root=$(cd "$here/../.." && pwd)
if [ -z "${LOAM_COMPAT:-}" ]; then
    LOAM_COMPAT=$root/build/release/compat
    if [ -n "${LOAM_LIB:-}" ]; then
        LOAM_COMPAT=${LOAM_LIB%/*}/compat
    fi
fi
if [ -z "${LOAM_SCRATCH:-}" ]; then
    LOAM_SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/loam-compat.XXXXXX")
    trap 'rm -rf "$LOAM_SCRATCH"' EXIT
fi
cd "$LOAM_SCRATCH"
unset LD_PRELOAD

fail() {
    printf '%s: %s\n' "${0##*/}" "$*"
    exit 1
}

skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}

# interface NAME: copies the produced folder NAME into the scratch folder.
interface() {
    [ -d "$LOAM_COMPAT/$1" ] || fail "$LOAM_COMPAT/$1 is missing: build it with cmake --build --preset release"
    rm -rf "./$1"
    cp -R "$LOAM_COMPAT/$1" .
}

# The compilers that this machine has; gcc must be there.
compilers() {
    command -v gcc >/dev/null || fail "gcc is missing (Debian package gcc)"
    if command -v clang >/dev/null; then
        echo gcc clang
    else
        echo "no clang (Debian package clang): checked with gcc only" >&2
        echo gcc
    fi
}

# quiet COMMAND...: the command must succeed and say nothing at all.
quiet() {
    if ! "$@" >quiet.log 2>&1; then
        cat quiet.log
        fail "failed: $*"
    fi
    if [ -s quiet.log ]; then
        cat quiet.log
        fail "said something: $*"
    fi
}

# refused COMMAND...: the command must fail; what it said is in refused.log.
refused() {
    if "$@" >refused.log 2>&1; then
        fail "succeeded, and should not have: $*"
    fi
}

# says PATTERN FILE: an extended regular expression that must be found.
says() {
    grep -Eq -e "$1" "$2" || {
        cat "$2"
        fail "nothing in $2 matches: $1"
    }
}

# calls NAME FILE: how many calls of NAME a log of strace holds.
calls() {
    grep -Ec "(^|[] ])$1\\(" "$2" || true
}

# The tracer works here (containers may forbid ptrace), else the test is skipped.
need_strace() {
    command -v strace >/dev/null || skip "strace is missing (Debian package strace)"
    strace -o strace.try true 2>/dev/null || skip "strace may not trace here (ptrace is forbidden)"
}

# tsan COMMAND...: without address randomization, which gcc 12's ThreadSanitizer does not stand on every kernel.
tsan() {
    if command -v setarch >/dev/null && setarch -R true 2>/dev/null; then
        set -- setarch -R "$@"
    fi
    TSAN_OPTIONS=halt_on_error=1 timeout 200 "$@" >tsan.log 2>&1 || {
        head -60 tsan.log
        fail "ThreadSanitizer"
    }
}

# median_ratio FILE: lines "a b" of paired times; prints the median of a/b.
median_ratio() {
    awk '{ print $1 / $2 }' "$1" | sort -n | awk '{ r[NR] = $1 } END { printf "%.3f", NR % 2 ? r[(NR + 1) / 2] : (r[NR / 2] + r[NR / 2 + 1]) / 2 }'
}
