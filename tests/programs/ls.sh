# ls -lR, find, du, cat and wc over a tree of real files.
. "$LOAM_ROOT/tests/runner/programs.sh"
make_tree
good ls ls -lR "$input/tree"
good ls_sorted ls -lRS --full-time "$input/tree" /proc/sys/kernel/ostype
same ls_missing ls -l "$input/nothing_here" "$input/tree"
grep -q 'exit status 2' ls_missing.loam/status || fail "ls of a missing file should end with 2"
good find find "$input/tree" -name '*.h' -size +4k -printf '%p %s\n'
good du du -a --apparent-size "$input/tree"
good wc bash -c "wc '$input'/tree/*.h; cat '$input'/tree/*.h | md5sum; cp -r '$input/tree' copy"
