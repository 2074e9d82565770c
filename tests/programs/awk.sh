# awk: arrays, strings and regular expressions, in mawk and in gawk.
# PACKAGES: gawk mawk
. "$LOAM_ROOT/tests/runner/programs.sh"
need mawk mawk
need gawk gawk
make_words 20000 >"$input/words"
cat >"$input/program.awk" <<'AWK'
{ count[$1]++; sum[$1] += $5; last[$1] = last[$1] substr($2, 1, 1); if (length(last[$1]) > 40) last[$1] = "" }
/[0-9]{3}f/ { hits++ }
{ n = split($0, parts, /[aeiou ]+/); pieces += n; gsub(/[0-9]/, "#"); text = text substr($0, 1, 3) }
END {
    for (k in count) print k, count[k], sum[k], last[k] | "sort"
    close("sort")
    print hits, pieces, length(text)
    for (i = 0; i < 300; i++) long = long text
    print length(long)
}
AWK
good mawk mawk -f "$input/program.awk" "$input/words"
good gawk gawk -f "$input/program.awk" "$input/words"
good gawk_big gawk -M 'BEGIN { x = 1; for (i = 1; i < 1500; i++) x *= i; print x }'
