# The documents and the code say the same: options, public names, the files and commands that are named, man pages.
# PACKAGES: man-db
set -u
: "${LOAM_ROOT:?}" "${LOAM_BUILD:?}"
export LC_ALL=C.UTF-8
cd "$LOAM_ROOT" || exit 1
wrong=0
complain() { echo "documents.sh: $*"; wrong=$((wrong + 1)); }

documents=(README.md CONTRIBUTING.md CHANGELOG.md docs/*.md docs/man/*.[137])
for folder in tests benchmarks compat/* examples/*; do
    [ ! -e "$folder/README.md" ] || documents+=("$folder/README.md")
done
for file in LICENSE docs/architecture.md docs/tuning.md docs/decisions.md docs/man/loam.1 docs/man/libloam.7 docs/man/libloam.3; do
    [ -s "$file" ] || complain "there is no $file"
done

# ---- every option is in docs/tuning.md and in libloam(7), and no other is called one there ---------
options=$("$LOAM_BUILD/loam" options | sed -n 's/^\([a-z_]*\):.*/\1/p')
[ -n "$options" ] || complain "loam options lists nothing"
for option in $options; do
    grep -q "^| \`$option\` |" docs/tuning.md || complain "docs/tuning.md has no row for the option $option"
    grep -q "^\\\\fB$option:" docs/man/libloam.7 || complain "libloam.7 does not describe the option $option"
done
for option in $(sed -n 's/^\\fB\([a-z_]*\):.*/\1/p' docs/man/libloam.7); do
    grep -qx "$option" <<<"$options" || complain "libloam.7 describes the option $option, which there is not"
done

# ---- every public name of loam.h and region.h is in a man page ----------------------------------------
sed 's/\\f[BIRP]//g; s/\\//g' docs/man/*.[37] >"$OLDPWD/pages"
names=$(sed 's:/\*.*\*/::' include/loam/loam.h | grep -v '^#' | grep -oE '\b(loam_[a-z_]+|LOAM_[A-Z_]+)\b' |
    grep -vx LOAM_PUBLIC | sort -u)
[ "$(wc -l <<<"$names")" -ge 10 ] || complain "include/loam/loam.h: only these names were found: $names"
for name in $names; do
    grep -qw -- "$name" "$OLDPWD/pages" || complain "$name of include/loam/loam.h is in no man page"
done
names=$(sed 's:/\*.*\*/::' include/loam/region.h | grep -v '^#\|^ \*' | grep -oE '\b(loam_[a-z_]+|LOAM_[A-Z_]+)\b' | sort -u)
[ "$(wc -l <<<"$names")" -ge 40 ] || complain "include/loam/region.h: only these names were found: $names"
for name in $names; do
    grep -qw -- "$name" "$OLDPWD/pages" || complain "$name of include/loam/region.h is in no man page"
done
for member in $(sed -n '/^struct loam_stats {/,/^};/p' include/loam/loam.h |
        sed -n 's/^    [a-z0-9_]* \([a-z_]*\)[;[].*/\1/p'); do
    grep -qw -- "$member" docs/man/libloam.3 || complain "libloam.3 does not name the member $member of struct loam_stats"
done

# ---- every file that is named exists ------------------------------------------------------------------
exists() { # WORD FOLDER: as it is, beside the document, or under src and include; a pattern fits something
    local place
    for place in . "$2" src include tests; do
        compgen -G "$place/$1" >/dev/null && return 0
    done
    return 1
}
tops=$(ls -A)
# A path of ours: its first part lies in the root, or it ends as a source does. What a build makes is none.
is_path() {
    case $1 in /*|../*|build/*|sys/*|.git/*|*//*) return 1 ;; esac
    grep -qxF -- "${1%%/*}" <<<"$tops" && return 0
    [[ $1 =~ \.(c|h|cc|sh|md|py|awk|cmake|txt)$ ]]
}
named=0
for document in "${documents[@]}"; do
    case $document in
        *.md) words=$(grep -oE '`[^`]+`' "$document" | tr '`"(),:;|'"'" ' ') ;;
        *) words=$(sed 's/\\f[BIRP]//g; s/\\//g' "$document" | tr '"(),;' ' ') ;;
    esac
    for word in $(set -f; printf '%s\n' $words | sed 's:^\./::; s:[.]$::' | grep -E '^[A-Za-z.][A-Za-z0-9_.*-]*(/[A-Za-z0-9_.*-]+)+/?$' | sort -u); do
        is_path "$word" || continue
        named=$((named + 1))
        exists "$word" "$(dirname "$document")" || complain "$document names $word, which there is not"
    done
    for link in $(grep -oE '\]\([^)#]+' "$document" | cut -c3- | grep -v '^https\?:'); do
        named=$((named + 1))
        [ -e "$(dirname "$document")/$link" ] || complain "$document links to $link, which there is not"
    done
    for page in $(sed 's/ (\([137]\))/(\1)/g; s/\\//g' "$document" |
            grep -oE '\b(loam|libloam|loam_[a-z_]+)\([137]\)' | sed 's/(\(.\))/.\1/' | sort -u); do
        [ -e "docs/man/$page" ] || complain "$document refers to the page $page, which there is not"
    done
    # commands of the root, and their options
    for script in run test bench; do
        grep -qF -- "./$script" "$document" || continue
        [ -x "$script" ] || complain "$document names ./$script, which cannot be run"
        help=$(./"$script" --help 2>&1)
        for option in $(grep -oE "\./$script( --?[a-z][a-z-]*)+" "$document" | grep -oE -- ' --[a-z-]+' | sort -u); do
            [ "$option" = --help ] || grep -qF -- "$option" <<<"$help" || complain "$document: ./$script has no option $option"
        done
    done
done
[ "$named" -ge 50 ] || complain "only $named names of files were found: the search is broken"
echo "$named names of files in ${#documents[@]} documents"

# ---- man pages are clean -----------------------------------------------------------------------------
if command -v mandoc >/dev/null; then
    for page in docs/man/*.[137]; do
        out=$(mandoc -Tlint -Wwarning "$page" 2>&1)
        [ -z "$out" ] || complain "mandoc: $out"
    done
fi
if command -v man >/dev/null && command -v groff >/dev/null; then
    for page in docs/man/*.[137]; do
        out=$(man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null)
        [ -z "$out" ] || complain "man $page: $out"
        [ "$(man -E UTF-8 -l "$page" 2>/dev/null | wc -l)" -ge 20 ] || complain "man $page shows next to nothing"
    done
elif [ "$wrong" -eq 0 ]; then
    echo "all but the man pages' form is checked; that needs man and groff; type: sudo apt-get install man-db"
    exit 77
fi
[ "$wrong" -eq 0 ] || { echo "documents.sh: $wrong faults"; exit 1; }
