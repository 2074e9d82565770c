#!/bin/sh
# check_layers.sh SRC: fails when a file under SRC includes a folder that is above its own.
#
# The order is base os bounds map span arena cache api. region stands beside map and may use base, os
# and bounds. guard and observe may use all below api; those below reach them only through a
# header named hook.h. A name without a folder must be a file of the same folder.
set -eu
src=$1
find "$src" -type f \( -name '*.c' -o -name '*.h' -o -name '*.S' \) | LC_ALL=C sort |
awk -v src="$src" '
BEGIN {
    count = split("base os bounds map span arena cache api", order, " ")
    for (i = 1; i <= count; i++) rank[order[i]] = i
    side["guard"] = side["observe"] = 1
}
function complain(line, why) { printf "%s:%d: %s\n", file, line, why; bad = 1 }
function check(line, me, name,    to, parts, n) {
    n = split(name, parts, "/")
    if (n == 1) {
        if ((getline junk < (src "/" me "/" name)) < 0)
            complain(line, "\"" name "\" is not a file of " me "; name its folder")
        close(src "/" me "/" name)
        return
    }
    to = parts[1]
    if (to == "loam" || to == me) return
    if (!(to in rank) && !(to in side) && to != "region") {
        complain(line, "\"" name "\": there is no folder " to " to include from"); return
    }
    if (me == "region") {
        if (to != "base" && to != "os" && to != "bounds")
            complain(line, "region includes " to "; it may use base, os and bounds")
    } else if (to == "region") {
        complain(line, me " includes region, which stands beside it")
    } else if (me in side) {
        if (to == "api") complain(line, me " includes api, which is above it")
    } else if (to in side) {
        if (me != "api" && parts[n] != "hook.h")
            complain(line, me " includes " name "; from below only " to "/hook.h may be")
    } else if (rank[to] > rank[me]) {
        complain(line, me " includes " to ", which is above it")
    }
}
{
    file = $0
    rest = substr(file, length(src) + 2)
    n = split(rest, path, "/")
    if (n < 2 || (!(path[1] in rank) && !(path[1] in side) && path[1] != "region")) {
        printf "%s: stands in no known folder of src/\n", file; bad = 1; next
    }
    line = 0
    while ((getline text < file) > 0) {
        line++
        if (text !~ /^[ \t]*#[ \t]*include[ \t]*"/) continue
        sub(/^[^"]*"/, "", text); sub(/".*$/, "", text)
        check(line, path[1], text)
    }
    close(file)
}
END { exit bad }'
