# Which tests there are, and what the first lines of a test ask for. Read by ./test (bash).
#
# A test has a name, a kind (the folder it lies in), a file, a mode and a preset:
#   unit/NAME, region/NAME            programs on the allocator's inside, built by CMake
#   surface/NAME, surface/NAME.locked ordinary programs on the library, in each of its two modes
#   compat/NAME, programs/NAME, checks/NAME   mostly scripts
#   asan/unit/NAME                    the first two under a sanitizer

tests=()                # all names, in order
declare -A kind_of file_of mode_of preset_of

# read_directives FILE: the lines "// TEST: key=value" and "# PACKAGES: a b" among the first 15.
read_directives() {
    directive_env=() directive_libs= directive_cflags= directive_link= directive_modes=
    directive_sanitize=asan,ubsan,tsan directive_timeout=120 directive_packages=
    local line count=0
    while [ $count -lt 15 ] && IFS= read -r line; do
        count=$((count + 1))
        [[ $line =~ ^(//|\#)\ *(TEST|PACKAGES):\ *(.*[^ ])\ *$ ]] || continue
        line=${BASH_REMATCH[3]}
        if [ "${BASH_REMATCH[2]}" = PACKAGES ]; then
            directive_packages+=" $line"
            continue
        fi
        case $line in
            libs=*) directive_libs+=" ${line#*=}" ;;
            cflags=*) directive_cflags+=" ${line#*=}" ;;
            env=*) directive_env+=("${line#*=}") ;;
            link=*) directive_link=${line#*=} ;;
            sanitize=*) directive_sanitize=${line#*=} ;;
            modes=*) directive_modes=${line#*=} ;;
            timeout=*) directive_timeout=${line#*=} ;;
            *) echo "$1: unknown directive '$line'" >&2; return 1 ;;
        esac
    done <"$1"
    return 0
}

add_test() { # NAME KIND FILE MODE PRESET
    tests+=("$1")
    kind_of[$1]=$2 file_of[$1]=$3 mode_of[$1]=$4 preset_of[$1]=$5
}

# One entry for each mode of a file; the plain one has the plain name.
add_modes() { # KIND FILE DEFAULT_MODES PRESET
    local base=${2##*/} mode
    base=${base%.*}
    read_directives "$2" || exit 2
    for mode in $(tr ',' ' ' <<<"${directive_modes:-$3}"); do
        case $mode in
            rseq) add_test "$1/$base" "$1" "$2" rseq "$4" ;;
            locked) add_test "$1/$base.locked" "$1" "$2" locked "$4" ;;
            *) echo "$2: modes are rseq and locked, not '$mode'" >&2; exit 2 ;;
        esac
    done
}

discover_tests() { # PRESET SANITIZER...
    local preset=$1 kind file sanitizer base
    shift
    for kind in unit region; do
        for file in "$root/tests/$kind"/*.c; do add_modes "$kind" "$file" rseq "$preset"; done
    done
    for file in "$root"/tests/surface/*.c "$root"/tests/surface/*.cc; do
        add_modes surface "$file" rseq,locked "$preset"
    done
    for kind in compat checks programs; do
        for file in "$root/tests/$kind"/*.sh "$root/tests/$kind"/*.c "$root/tests/$kind"/*.cc; do
            add_modes "$kind" "$file" rseq "$preset"
        done
    done
    for sanitizer in asan ubsan tsan; do
        for kind in unit region; do
            for file in "$root/tests/$kind"/*.c; do
                base=${file##*/}
                read_directives "$file" || exit 2
                [[ ,$directive_sanitize, == *",$sanitizer,"* ]] || continue
                add_test "$sanitizer/$kind/${base%.c}" "$kind" "$file" rseq "$sanitizer"
            done
        done
    done
}

# The tests to run, in `chosen`: those that a name fits (the whole name, or what follows its folder),
# or all; sanitized ones only where asked for.
select_tests() { # NAME...
    local test pattern found
    chosen=()
    for pattern in "$@"; do
        found=
        for test in "${tests[@]}"; do
            is_wanted "$test" "$pattern" || continue
            # shellcheck disable=SC2053 # a pattern on purpose
            if [[ $test == $pattern || ${test#*/} == $pattern || ${test%.locked} == $pattern ||
                  $(basename "${test%.locked}") == $pattern ]]; then
                found=1
                [[ " ${chosen[*]:-} " == *" $test "* ]] || chosen+=("$test")
            fi
        done
        if [ -z "$found" ]; then
            echo "./test: no test is named $pattern (./test --list prints all)" >&2
            return 1
        fi
    done
    [ $# -eq 0 ] || return 0
    for test in "${tests[@]}"; do
        if is_wanted "$test" ''; then chosen+=("$test"); fi
    done
}

is_wanted() { # TEST PATTERN
    case $1 in
        asan/*|ubsan/*|tsan/*)
            [[ " ${sanitizers[*]:-} " == *" ${1%%/*} "* || $2 == "${1%%/*}"/* ]] || return 1 ;;
    esac
    case $1 in
        programs/*) [ -z "$fast" ] ;;
        *) [ -z "$programs_only" ] ;;
    esac
}

log_of() { # NAME
    printf '%s/%s.log' "$logs" "${1//\//-}"
}
