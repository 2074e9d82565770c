# What the tests of real programs share: each tests/programs/*.sh reads this first (bash).
#
# A test runs a program twice, with the C library's malloc and with Loam's, and compares: output,
# errors, exit status, and every file that was written. ./test gives LOAM_LIB (the library), LOAM_ROOT,
# LOAM_BUILD and an empty folder to stand in. By hand, also with another allocator to try the test:
#   cd "$(mktemp -d)" && LOAM_ROOT=... LOAM_LIB=/usr/lib/.../libmimalloc.so.2 bash .../programs/sort.sh
set -u
: "${LOAM_ROOT:?}" "${LOAM_LIB:?}"
export LC_ALL=C TZ=UTC
scratch=$PWD
input=$scratch/input     # what both runs read
mkdir -p "$input"

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

skip() {
    printf '%s\n' "$*"
    exit 77
}

# need PACKAGE COMMAND...: the test is skipped when a command is not there.
need() {
    local package=$1 command
    shift
    for command in "$@"; do
        command -v "$command" >/dev/null 2>&1 ||
            skip "needs $command; type: sudo apt-get install $package"
    done
}

# on_loam CMD...: runs it, and what it starts, on Loam.
on_loam() {
    LD_PRELOAD=$LOAM_LIB "$@"
}

# is_on_loam PID: the library is in that process.
is_on_loam() {
    grep -qF "${LOAM_LIB##*/}" "/proc/$1/maps"
}

# same NAME CMD...: runs CMD in a fresh folder without and with Loam; everything must be the same.
# Output and folders stay in $scratch/NAME.plain and NAME.loam for further looks.
same() {
    local name=$1
    shift
    run_in_folder "$name.plain" "$@"
    run_in_folder "$name.loam" on_loam "$@"
    diff -r "$scratch/$name.plain" "$scratch/$name.loam" >"$scratch/$name.diff" 2>&1 || {
        head -c 2000 "$scratch/$name.diff"
        fail "$name: differs on Loam from the C library: $*"
    }
    # the way it ended is compared; that it did something is what this sees
    cat "$scratch/$name.loam"/std* | grep -q . || ! grep -q ' 0$' "$scratch/$name.loam/status" || [ -n "$(ls -A "$scratch/$name.loam/work")" ] ||
        fail "$name: neither run wrote anything, and both ended well: nothing was compared: $*"
    echo "same: $name ($(cat "$scratch/$name.loam/status"))"
}

# good NAME CMD...: same, and the exit status is 0.
good() {
    same "$@"
    [ "$(cat "$scratch/$1.loam/status")" = 'exit status 0' ] || {
        head -c 2000 "$scratch/$1.loam/stderr"
        fail "$1: both runs fail"
    }
}

# Both runs stand in a folder of the same name, as some programs write its name into their files.
run_in_folder() { # FOLDER CMD...
    local folder=$1
    shift
    rm -rf "$scratch/work"
    mkdir -p "$scratch/$folder" "$scratch/work"
    (cd "$scratch/work" && "$@") >"$scratch/$folder/stdout" 2>"$scratch/$folder/stderr" </dev/null
    echo "exit status $?" >"$scratch/$folder/status"
    mv "$scratch/work" "$scratch/$folder/work"
}

# unmentioned FILE...: the logs of servers, in which no line of the library may be.
unmentioned() {
    if grep -H '^loam: ' "$@"; then fail "the library complains"; fi
}

# wait_until SECONDS CMD...: true once CMD succeeds.
wait_until() {
    local tries=$(($1 * 20))
    shift
    while [ "$tries" -gt 0 ]; do
        "$@" >/dev/null 2>&1 && return 0
        tries=$((tries - 1))
        sleep 0.05
    done
    return 1
}

# A text of N lines that looks like words and numbers, always the same.
make_words() { # N
    awk -v n="$1" 'BEGIN {
        x = 12345
        for (i = 0; i < n; i++) {
            line = ""
            for (k = 0; k < 4; k++) {
                x = (x * 1103515245 + 12345) % 2147483648
                line = line sprintf("%x ", int(x / 7) % (k == 0 ? 5000 : 1000000))
            }
            print line i
        }
    }'
}

# A tree of real files that nobody changes meanwhile.
make_tree() {
    cp -rL /usr/include/linux "$input/tree" || fail "no /usr/include/linux to read"
}

on_loam grep -qF "${LOAM_LIB##*/}" /proc/self/maps || fail "$LOAM_LIB does not get into a program"
