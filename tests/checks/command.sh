# The command loam: what it runs, passes on, refuses, and says.
set -u
: "${LOAM_BUILD:?}"
loam=$LOAM_BUILD/loam
fail() { echo "command.sh: $*"; exit 1; }
# gives STATUS CMD...: the exit status; output in out and err
gives() {
    local want=$1 got
    shift
    "$@" >out 2>err
    got=$?
    [ $got -eq "$want" ] || { cat err; fail "exit status $got instead of $want: $*"; }
}
says() { grep -qE -- "$1" err || fail "stderr does not say '$1': $(cat err)"; }

gives 0 "$loam" run cat /proc/self/maps
grep -q "$LOAM_BUILD/libloam.so.1" out || fail "the library is not in the program"
[ ! -s err ] || fail "loam run writes to stderr: $(cat err)"
gives 7 "$loam" run sh -c 'exit 7'
gives 143 bash -c "'$loam' run sh -c 'kill -TERM \$\$'; exit \$?"
gives 0 "$loam" run -- sh -c 'cat; printf %s "$2"; echo to-err >&2' sh a 'b  c' <<<"input"
[ "$(cat out)" = "$(printf 'input\nb  c')" ] || fail "input or arguments are not passed on: $(cat out)"
[ "$(cat err)" = to-err ] || fail "stderr is not the program's: $(cat err)"
gives 127 "$loam" run no-such-program-here
says 'no-such-program-here'
gives 126 "$loam" run /etc/passwd
says '/etc/passwd'
gives 2 "$loam" run
gives 2 "$loam" run --stast ls
says "did you mean '--stats'"
gives 2 "$loam" rnu
says "did you mean 'run'"
gives 2 "$loam" frobnicate
says 'loam help'
gives 2 "$loam" options extra
gives 2 "$loam"
says '^usage:'
gives 0 "$loam" help
grep -q '^usage:' out || fail "help prints no usage"

# what was there stays, ours stands in front
gives 0 env LD_PRELOAD=libm.so.6 "$loam" run sh -c 'echo "$LD_PRELOAD"'
[ "$(cat out)" = "$LOAM_BUILD/libloam.so.1:libm.so.6" ] || fail "LD_PRELOAD is $(cat out)"
gives 0 env LOAM=rseq:off "$loam" run --stats sh -c 'echo "$$ $LOAM"'
[[ $(head -n 1 out) =~ ^([0-9]+)\ rseq:off,stats:([0-9]+)$ && ${BASH_REMATCH[1]} = "${BASH_REMATCH[2]}" ]] || fail "LOAM is $(head -n 1 out)"
gives 0 "$loam" run --stats sort /etc/passwd
diff <(sort /etc/passwd) out || fail "--stats changes the output"
[ "$(grep -c '[0-9]' err)" -ge 3 ] || fail "--stats prints no numbers: $(cat err)"
# children are other processes: one summary, not five
gives 0 "$loam" run --stats sort /etc/passwd
one=$(wc -l <err)
gives 0 "$loam" run --stats bash -c 'for i in 1 2 3 4; do sort /etc/passwd | tail -n 1; done'
many=$(wc -l <err)
[ "$many" -lt $((one * 2)) ] || fail "--stats prints $many lines for a program with children, $one for one without"

version=$(sed -n 's/^project(loam VERSION \([0-9.]*\).*/\1/p' "$LOAM_ROOT/CMakeLists.txt")
gives 0 "$loam" version
[ "$(cat out)" = "loam $version" ] || fail "version is '$(cat out)', not 'loam $version'"
gives 0 "$loam" options
grep -q rseq out && grep -q stats out || fail "options does not list rseq and stats: $(cat out)"
gives 0 "$loam" doctor
grep -qE '^kernel +Linux' out && grep -qE '^lists by processor +[a-z]' out || fail "doctor: $(cat out)"
gives 125 bash -c "'$loam' help >/dev/full"

# region-map; what it draws is held by region/region_map
printf 'alloc a 300\nalloc b 300\nfree a # one\n' >some.ops
gives 0 "$loam" region-map --strategy blocks --size 4096 some.ops
grep -q 'data-strategy="blocks" data-size="4096" data-rows="4"' out || fail "region-map: $(head -c 300 out)"
gives 0 "$loam" region-map -o some.svg "$LOAM_ROOT/examples/merging.ops"
[ ! -s out ] && grep -q '^</svg>$' some.svg || fail "region-map -o writes no whole picture"
gives 0 "$loam" region-map --help
grep -q -- --strategy out || fail "region-map --help does not name its options"
gives 2 "$loam" region-mop some.ops
says "did you mean 'region-map'"
gives 2 "$loam" region-map --stratgey buddy some.ops
says "did you mean '--strategy'"
gives 2 "$loam" region-map --strategy bitmpa some.ops
says "did you mean 'bitmap'"
gives 2 "$loam" region-map --size -5 some.ops
says 'number of bytes'
gives 2 "$loam" region-map
gives 1 "$loam" region-map no-such-file
says 'no-such-file'
gives 1 bash -c "cat some.ops | '$loam' region-map /dev/stdin" # it is read twice
says '/dev/stdin'
gives 1 "$loam" region-map --size 10 some.ops
says 'a region of 10 bytes: the region can never serve this size'
gives 1 bash -c "'$loam' region-map some.ops >/dev/full"

# LD_PRELOAD cannot name a folder with a space: said, not silently run without us
mkdir 'a b' && cp "$loam" "$LOAM_BUILD/libloam.so.1" 'a b' || fail "cp"
gives 125 'a b/loam' run true
says 'space or colon'
mkdir alone && cp "$loam" alone || fail "cp"
if [ ! -e "$(strings -n 8 "$loam" | grep -m1 '^/.*/lib' || echo /nowhere)/libloam.so.1" ]; then
    gives 125 alone/loam run true
    says 'libloam.so.1'
fi
echo "all as it should be"
