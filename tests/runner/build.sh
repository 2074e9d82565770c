# Installs what is needed and builds what the chosen tests run on. Read by ./test (bash).

# packages_left[P]: why package P is not there.
declare -A packages_left

install_needed() {
    local wanted="cmake make gcc g++ libc6-dev binutils" test package all=() missing
    local tool
    if ! command -v dpkg-query >/dev/null 2>&1; then return; fi
    # a toolchain that is there is good, however it came
    local need=()
    for tool in cmake make gcc g++ ld; do
        command -v "$tool" >/dev/null 2>&1 || { need+=($(packages_missing $wanted)); break; }
    done
    for test in "${chosen[@]}"; do
        read_directives "${file_of[$test]}"
        all+=($directive_packages)
    done
    if [ ${#all[@]} -gt 0 ]; then
        need+=($(packages_missing $(printf '%s\n' "${all[@]}" | sort -u)))
    fi
    [ ${#need[@]} -gt 0 ] || return
    if [ -n "$install" ]; then
        echo "installing: ${need[*]}"
        packages_install "${need[@]}" && return
        # one that cannot be had must not keep the others away
        for package in "${need[@]}"; do
            packages_install "$package" || packages_left[$package]=$packages_why
        done
    fi
    for package in $(packages_missing "${need[@]}"); do
        : "${packages_left[$package]:=needs the package $package; type: sudo apt-get install $package}"
    done
}

# cmake --build that goes on after an error, as far as it can. The flag is the generator's.
build_all_it_can() { # FOLDER ARG...
    local folder=$1 keep_going=(-k)
    shift
    [ ! -e "$folder/build.ninja" ] || keep_going=(-k 0)
    cmake --build "$folder" --parallel "$jobs" "$@" -- "${keep_going[@]}"
}

build_failed() { # LOG
    grep -nE 'error|Error|undefined|failed' "$1" | head -n 30
    tail -n 12 "$1"
    echo "FAIL  build: log: $1"
}

# The library and the command. Without them nothing can be run.
build_library() {
    local log=$logs/build.log
    {
        configure_build "$root" "$preset" "$build" &&
        cmake --build "$build" --parallel "$jobs" --target loam_shared loam_archive loam
    } >"$log" 2>&1 || { build_failed "$log"; return 1; }
    compile "$root/tests/runner/limit.c" "$build/tests/limit" -O1 >"$log" 2>&1 ||
        { build_failed "$log"; return 1; }
    # everything else of the default build (compat): each counts by its own tests
    build_all_it_can "$build" >"$logs/build-rest.log" 2>&1 && return 0
    build_failed "$logs/build-rest.log"
    failed=$((failed + 1))
}

# unit and region tests, in each preset that is asked for. One that does not compile is found by
# building it alone, in run_one: its own failure then, with its own log.
build_inside_tests() {
    local test p
    local -A targets=()
    for test in "${chosen[@]}"; do
        case ${kind_of[$test]} in
            unit|region)
                case ${file_of[$test]} in *.sh) continue ;; esac
                p=${preset_of[$test]}
                targets[$p]+=" $(target_of "$test")" ;;
        esac
    done
    for p in "${!targets[@]}"; do
        mkdir -p "$build_root/$p/tests"
        {
            if [ "$p" != "$preset" ]; then configure_build "$root" "$p" "$build_root/$p"; fi &&
            build_all_it_can "$build_root/$p" --target ${targets[$p]}
        } >"$build_root/$p/tests/build.log" 2>&1 || echo "$p" >>"$results/unbuilt"
    done
}

target_of() { # NAME
    local base=${file_of[$1]##*/}
    printf 'test_%s_%s' "${kind_of[$1]}" "${base%.c}"
}

# compile SOURCE OUTPUT FLAG...: gcc or g++; only when something is newer, or the command another.
compile() {
    local source=$1 output=$2 command
    shift 2
    case $source in
        *.cc) command=("${CXX:-g++}" -std=gnu++17) ;;
        *) command=("${CC:-gcc}" -std=gnu17) ;;
    esac
    command+=(-g -Wall -Wextra -o "$output" "$source" "$@")
    mkdir -p "$(dirname "$output")"
    # both modes of a test come here at the same time
    local lock
    exec {lock}>"$output.lock"
    flock "$lock"
    compile_if_old; local status=$?
    exec {lock}>&-
    return $status
}

compile_if_old() { # with the names of compile
    if [ -x "$output" ] && [ "$(cat "$output.command" 2>/dev/null)" = "${command[*]}" ] &&
       [ "$output" -nt "$source" ] && [ "$output" -nt "$build/libloam.a" ] &&
       [ -z "$(find "$root/include" "$(dirname "$source")" -name '*.h' -newer "$output" -print -quit)" ]; then
        return 0
    fi
    rm -f "$output"
    echo "${command[*]}"
    "${command[@]}" || return 1
    echo "${command[*]}" >"$output.command"
}
