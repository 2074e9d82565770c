# grep -r with plain, extended and fixed patterns.
. "$LOAM_ROOT/tests/runner/programs.sh"
make_tree
good grep_r grep -rn 'size_t' "$input/tree"
good grep_extended grep -rnE '(u|s)(8|16|32|64)[[:space:]]+[a-z_]+\[' "$input/tree"
good grep_backreference grep -rnE '\<([a-z_]{4,})\>.*\<\1\>' "$input/tree"
make_words 2000 | cut -d' ' -f1 >"$input/list"
good grep_list grep -rhoiwFf "$input/list" "$input/tree"
same grep_nothing grep -rc 'nowhere to be found' "$input/tree"
grep -q 'exit status 1' grep_nothing.loam/status || fail "grep that finds nothing should end with 1"
