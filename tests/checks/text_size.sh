# The code of the default library is at most 96 KiB, and what every process runs of it stands within the first 52 KiB (CMakeLists.txt).
# PACKAGES: binutils
set -u
: "${LOAM_LIB:?}" "${LOAM_BUILD:?}"
budget=$((96 * 1024))
if grep -q '^LOAM_DEBUG:BOOL=ON\|^CMAKE_BUILD_TYPE:STRING=Debug' "$LOAM_BUILD/CMakeCache.txt" 2>/dev/null; then
    echo "the budget is for the release build, this is a debug build"
    exit 77
fi
text=$(size -A "$LOAM_LIB" | awk '$1 == ".text" { print $2 }')
case $text in ''|*[!0-9]*) echo "text_size.sh: size says nothing of $LOAM_LIB"; exit 1 ;; esac
echo ".text of ${LOAM_LIB##*/}: $text bytes (budget $budget)"
if [ "$text" -gt "$budget" ]; then
    echo "the largest functions:"
    nm -S --size-sort "$LOAM_LIB" | tail -n 12
    exit 1
fi

front=$((52 * 1024))
everyday='malloc calloc free malloc_slow free_slow free_longer api_start cache_alloc_slow cache_free_slow arena_take arena_give
    transfer_take transfer_put area_take area_give span_alloc span_free span_chunk_take span_chunk_give span_tick span_purge_excess
    meta_alloc map_set options_start os_milliseconds'
nm -S "$LOAM_LIB" | awk -v front="$front" -v names="$everyday" '
    function number(hex,   i, n) { for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1; return n }
    BEGIN { many = split(names, list); for (i in list) wanted[list[i]] = 1 }
    $3 ~ /^[tT]$/ { at = number($1); if (first == "" || at < first) first = at; if ($4 in wanted) { found++; end = at + number($2); if (end > last) { last = end; name = $4 } } }
    END {
        printf "what every process runs ends at %d bytes, with %s (budget %d)\n", last - first, name, front
        if (found < many) { printf "only %d of %d functions found: is the list out of date?\n", found, many; exit 1 }
        if (last - first > front) exit 1
    }'
