# The benchmark of the regions measures all five strategies and malloc, and draws what it measured: at small sizes here.
# PACKAGES: valgrind
set -u
: "${LOAM_ROOT:?}" "${LOAM_BUILD:?}"
fail() { echo "regions_growth.sh: $*"; exit 1; }
mkdir -p copy/benchmarks && cp -R "$LOAM_ROOT/benchmarks/regions" copy/benchmarks/ && cp -R "$LOAM_ROOT/include" copy/ || fail "cp"
folder=copy/benchmarks/regions
rm -f $folder/*.csv $folder/*.svg
sh $folder/run "$LOAM_BUILD" 10000 || fail "run"
for strategy in bump cells blocks buddy bitmap malloc; do
    [ "$(grep -c "^$strategy,1000*," $folder/growth.csv)" = 2 ] || fail "$strategy has not two rows: $(cat $folder/growth.csv)"
done
awk -F, 'NR > 1 && (NF != 9 || $3 <= 0 || $6 <= 0 || $7 <= 0 || $9 < 0 || $9 > 1 || ($1 != "bump" && ($4 <= 0 || $5 <= 0))) { print; bad = 1 }
    END { exit bad }' $folder/growth.csv || fail "these rows make no sense"
panels() { grep -c 'data-panel=' $folder/growth.svg; }
lines() { grep -c '<title>' $folder/growth.svg; } # fill has seven, pair and drain have no bump
[ "$(panels) $(lines)" = "3 19" ] || fail "the plot has $(panels) panels and $(lines) lines"
if ! command -v valgrind >/dev/null; then
    echo "instructions are not counted: valgrind is missing (Debian package valgrind)"
    exit 0
fi
sh $folder/steps "$LOAM_BUILD" 1000 || fail "steps"
awk -F, 'NR > 1 && (NF != 5 || $3 < 20 || $3 > 2000 || ($1 != "bump" && ($4 < 20 || $4 > 5000 || $5 < 20))) { print; bad = 1 }
    END { exit bad || NR != 7 }' $folder/steps.csv || fail "steps.csv: $(cat $folder/steps.csv)"
[ "$(panels)" = 6 ] || fail "the plot of both has $(panels) panels"
if command -v xmllint >/dev/null; then xmllint --noout $folder/growth.svg || fail "the plot is no XML"; fi
cat $folder/steps.csv
