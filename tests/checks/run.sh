# ./run: builds what is missing or old, is silent about it, and is otherwise the program.
# TEST: timeout=300
set -u
: "${LOAM_ROOT:?}"
fail() { echo "run.sh: $*"; exit 1; }
tree=$PWD/clone
mkdir "$tree" || exit 1
cp -r "$LOAM_ROOT"/{CMakeLists.txt,CMakePresets.json,cmake,run,src,include,tools} "$tree" || fail "cp"
[ ! -d "$LOAM_ROOT/compat" ] || cp -r "$LOAM_ROOT/compat" "$tree"
unset LOAM_BUILD
run=$tree/run
gives() { # STATUS CMD...
    local want=$1 got
    shift
    "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$want" ] || { cat err; fail "exit status $got instead of $want: $*"; }
}
quiet() { [ ! -s err ] || fail "something on stderr: $(cat err)"; }

gives 0 "$run" ls -a /
quiet
diff <(ls -a /) out || fail "the output of ls is changed"
stamp=$(stat -c %y "$tree/build/release/libloam.so.1")
gives 5 "$run" sh -c 'echo x >&2; exit 5'
[ "$(cat err)" = x ] || fail "stderr is not the program's"
gives 143 bash -c "'$run' sh -c 'kill -TERM \$\$'; exit \$?"
gives 0 "$run" grep -c libloam.so.1 /proc/self/maps
[ "$stamp" = "$(stat -c %y "$tree/build/release/libloam.so.1")" ] || fail "built again without a change"
gives 127 "$run" no-such-program-here
gives 0 "$run" --stats true
[ -s err ] || fail "--stats says nothing"
gives 2 "$run"
grep -q -- --stats out || fail "./run alone does not explain itself"
gives 125 "$run" --stast ls
grep -q stast err || fail "the wrong option is not named"

# a change is built; a mistake is shown; a file that went away is noticed
version='const char *loam_run_test(void) { return "loam_run_marker"; }'
printf 'const char *loam_run_test(void);\n%s\n' "$version" >"$tree/src/base/run_test.c"
gives 0 "$run" true
quiet
grep -q loam_run_marker "$tree/build/release/libloam.so.1" || fail "a new file was not built"
echo 'int broken = ;' >>"$tree/src/base/run_test.c"
gives 125 "$run" true
grep -q 'run_test.c:3' err || fail "the mistake is not shown: $(cat err)"
rm "$tree/src/base/run_test.c"
gives 0 "$run" true
quiet
if grep -q loam_run_marker "$tree/build/release/libloam.so.1"; then fail "a file that is gone is still in"; fi

# two at once, both with something to build
touch "$tree/src/base/log.c"
"$run" true & one=$!
"$run" true & two=$!
wait $one || fail "the first of two"
wait $two || fail "the second of two"

# no toolchain and nobody to install one: the very words to type
mkdir bin
for tool in sh env cat find grep sed tr id mktemp rm mkdir touch flock nproc tail dirname; do ln -s "$(command -v $tool)" bin/; done
rm -rf "$tree/build"
gives 125 env PATH="$PWD/bin" "$run" true
grep -q 'cmake gcc' err || fail "the packages are not named: $(cat err)"
echo "all as it should be"
