# The fuzz targets find nothing in some seconds each, beginning with the seeds: that they build, run, and that no bug lies at the
# surface. Longer runs: fuzz/README.md.
# TEST: timeout=400
# PACKAGES: clang libclang-rt-14-dev
set -u
: "${LOAM_ROOT:?}" "${LOAM_BUILD:?}"
seconds=${LOAM_FUZZ_SECONDS:-10}
clang=${CLANG:-$(command -v clang-14 || command -v clang)} || {
    echo "needs clang; type: sudo apt-get install clang libclang-rt-14-dev"
    exit 77
}
echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return p && n ? 0 : 0; }' >probe.c
if ! "$clang" -fsanitize=fuzzer,address probe.c -o probe 2>probe.err; then
    cat probe.err
    echo "$clang has no libFuzzer; type: sudo apt-get install libclang-rt-14-dev"
    exit 77
fi
out=$LOAM_BUILD/fuzz
CLANG=$clang sh "$LOAM_ROOT/fuzz/build.sh" "$out" || exit 1

run() { # NAME MODE
    mkdir -p "corpus-$1"
    LOAM=rseq:$2 "$out/$1" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=4096 -detect_leaks=0 -print_final_stats=1 \
        "corpus-$1" "$LOAM_ROOT/fuzz/seeds/$1" >"$1-$2.log" 2>&1 || {
        tail -n 40 "$1-$2.log"
        echo "$1, LOAM=rseq:$2: found something; the input in base64:"
        base64 -w 0 crash-* timeout-* oom-* 2>/dev/null | head -c 6000
        exit 1
    }
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$1-$2.log")
    echo "$1, LOAM=rseq:$2: $runs inputs in $seconds s"
    [ "${runs:-0}" -gt 20 ] || exit 1 # more than the seeds
}
run api_operations auto
run api_operations off
run bounds_operations auto
run option_words auto
