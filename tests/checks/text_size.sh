# The code of the default library is at most 96 KiB.
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
