#!/bin/sh
# tools/coverage.sh: builds the preset coverage, runs the tests of the inside, and prints for each
# source file the share of its lines that they reach, the least first.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${LOAM_BUILD:-$root/build}/coverage
cmake -S "$root" --preset coverage -B "$build" >/dev/null
cmake --build "$build" --parallel 2 >/dev/null
find "$build" -name '*.gcda' -delete
for program in "$build"/tests/unit/* "$build"/tests/region/*; do
    [ -f "$program" ] && [ -x "$program" ] || continue
    "$program" >/dev/null || [ $? -eq 77 ] || echo "$program fails: ./test shows it" >&2
done
cd "$build"
find . -path '*loam_core*' -name '*.gcda' -exec gcov -n {} + 2>/dev/null |
awk -v src="$root/src/" -v quote="'" '
    /^File / { split($0, parts, quote); file = parts[2] }
    /^Lines executed:/ && index(file, src) == 1 {
        split($2, share, /[:%]/)
        # a header is counted in each file that includes it: the best of them
        name = substr(file, length(src) + 1)
        if (!(name in best) || share[2] + 0 > best[name]) best[name] = share[2] + 0
    }
    END { for (name in best) printf "%6.1f %%  %s\n", best[name], name }' | sort -n
