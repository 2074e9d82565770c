# ./test itself: counts, shows and ends as it says, and leaves nothing behind.
# TEST: timeout=300
set -u
: "${LOAM_ROOT:?}"
fail() { echo "runner.sh: $*"; cat out 2>/dev/null; exit 1; }
tree=$PWD/clone
mkdir -p "$tree"/tests/{unit,surface,programs} || exit 1
cp -r "$LOAM_ROOT"/{CMakeLists.txt,CMakePresets.json,cmake,test,src,include,tools} "$tree" || fail "cp"
cp -r "$LOAM_ROOT/tests/runner" "$tree/tests" || fail "cp"
cd "$tree/tests" || exit 1
echo 'int main(void) { return 0; }' >unit/good.c
printf '#include <stdio.h>\nint main(void) { puts("bad.c:2: found 3"); return 1; }\n' >unit/bad.c
printf '#include <stdlib.h>\nint main(void) { abort(); }\n' >unit/aborts.c
echo 'int main(void) { return missing; }' >unit/broken.c
echo 'int main(void) { return 77; }' >surface/silent_skip.c
printf '#include <stdio.h>\nint main(void) { puts("needs a moon"); return 77; }\n' >surface/skip.c
printf '// TEST: modes=locked\n#include <stdlib.h>\n#include <string.h>\nint main(void) { return strcmp(getenv("LOAM"), "rseq:off") != 0; }\n' >surface/mode.c
printf '// TEST: env=LOAM=stats:1\n// TEST: modes=rseq\n#include <stdlib.h>\n#include <string.h>\nint main(void) { return strcmp(getenv("LOAM"), "stats:1") != 0; }\n' >surface/setting.c
printf '# TEST: timeout=1\n(setsid sleep 4321 &)\nsleep 4322\n' >programs/slow.sh
printf '(setsid sleep 4323 &)\n' >programs/leaves.sh
unset LOAM_BUILD
cd "$tree" || exit 1
./test --no-install >"$OLDPWD/out" 2>&1
status=$?
cd "$OLDPWD" || exit 1
[ $status -eq 1 ] || fail "exit status $status instead of 1"
has() { grep -qE -- "$1" out || fail "not there: $1"; }
has '^pass  unit/good '
has '^FAIL  unit/bad .*exit status 1$'
has '\| bad.c:2: found 3$'
has '^FAIL  unit/aborts .*exit status 134$'
has '^FAIL  unit/broken .*does not compile$'
has "broken.c:1:.*error: 'missing' undeclared"
has '^FAIL  surface/silent_skip .*no reason$'
has '^skip  surface/skip: needs a moon$'
has '^skip  surface/skip.locked: needs a moon$'
has '^pass  surface/mode.locked '
has '^pass  surface/setting '
has '^FAIL  programs/slow .*timed out after 1 s'
has '^pass  programs/leaves '
has "log: $tree/build/release/tests/log/unit-bad.log$"
[ "$(tail -n 1 out)" = '4 passed, 6 failed, 2 skipped' ] || fail "the last line is: $(tail -n 1 out)"
if pgrep -f 'sleep 432[123]'; then fail "processes are left"; fi

only() { (cd "$tree" && ./test --no-install "$@" 2>&1 | tail -n 1); }
[ "$(only good)" = '1 passed, 0 failed, 0 skipped' ] || fail "./test good: $(only good)"
[ "$(only 'surface/s*')" = '1 passed, 2 failed, 2 skipped' ] || fail "./test 'surface/s*': $(only 'surface/s*')"
(cd "$tree" && ./test --no-install good >/dev/null 2>&1) || fail "one that passes should end with 0"
(cd "$tree" && ./test nothing_like_it >/dev/null 2>&1); [ $? -eq 2 ] || fail "an unknown name should end with 2"
(cd "$tree" && ./test --lits >/dev/null 2>&1); [ $? -eq 2 ] || fail "an unknown option should end with 2"
[ "$(cd "$tree" && ./test --list --fast | grep -c .)" -eq 10 ] || fail "--list --fast: $(cd "$tree" && ./test --list --fast)"
[ "$(cd "$tree" && ./test --list --programs)" = "$(printf 'programs/leaves\nprograms/slow')" ] || fail "--list --programs"
echo "all as it should be"
