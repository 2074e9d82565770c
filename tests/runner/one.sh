# Runs one test: makes its program, gives it a folder and a time limit, writes what came of it to
# $results/N.done (status, seconds, name, reason). The log holds the test's own words, or why it does not compile. Read by ./test (bash), called in the background.

# Fills `program` with the command to run. What it prints goes to the log.
prepare_one() { # NAME
    local name=$1 file=${file_of[$1]} out flags=()
    program=()
    case $file in *.sh) program=(bash "$file"); return ;; esac
    case ${kind_of[$name]} in
        unit|region) prepare_inside "$name"; return ;;
    esac

    out=$build/tests/${kind_of[$name]}/${name##*/}
    # -fno-builtin: else the compiler drops pairs of malloc and free
    flags=(-O1 -fno-builtin -pthread -I"$root/include" -I"$build/include")
    flags+=($(expand "$directive_cflags"))
    case ${directive_link:-$(default_link "$name")} in
        preload) preload=$build/libloam.so.1; flags+=($(expand "$directive_libs")) ;;
        shared) flags+=($(expand "$directive_libs") -Wl,--no-as-needed "$build/libloam.so" "-Wl,-rpath,$build") ;;
        static) flags+=(-static $(expand "$directive_libs") "$build/libloam.a") ;;
        object) flags+=("$build/loam.o" $(expand "$directive_libs")) ;;
        none) flags+=($(expand "$directive_libs")) ;;
        *) echo "link is preload, shared, static, object or none, not '$directive_link'"; return 1 ;;
    esac
    compile "$file" "$out" "${flags[@]}" || return 1
    program=("$out")
}

default_link() { # NAME
    case ${kind_of[$1]} in surface) echo preload ;; *) echo none ;; esac
}

expand() { # WORDS: with @ROOT@ and @BUILD@ filled in
    local words=${1//@ROOT@/$root}
    printf '%s' "${words//@BUILD@/$build}"
}

# CMake has built it, unless it does not compile.
prepare_inside() { # NAME
    local where=$build_root/${preset_of[$1]} base=${file_of[$1]##*/}
    if grep -qx "${preset_of[$1]}" "$results/unbuilt" 2>/dev/null; then
        # one make at a time in a folder
        flock "$where/tests/build.lock" cmake --build "$where" --target "$(target_of "$1")" || return 1
    fi
    program=("$where/tests/${kind_of[$1]}/${base%.c}")
    case ${preset_of[$1]} in
        # gcc 12's TSan does not know the addresses of a kernel that randomizes 32 bits of them
        tsan) program=(setarch -R "${program[@]}") ;;
    esac
}

run_one() { # NAME
    local name=$1 log start status scratch package preload= settings=()
    trap - EXIT INT TERM HUP
    log=$(log_of "$name")
    start=${EPOCHREALTIME/./}
    read_directives "${file_of[$name]}"
    for package in $directive_packages; do
        if [ -n "${packages_left[$package]:-}" ]; then
            finish "$name" skip "$start" "${packages_left[$package]}"
            return
        fi
    done
    if ! prepare_one "$name" >"$log.build" 2>&1 </dev/null; then
        mv "$log.build" "$log"
        finish "$name" fail "$start" "it does not compile"
        return
    fi
    scratch=$results/${name//\//-}
    mkdir -p "$scratch"
    environment_of "$name"
    (
        cd "$scratch" || exit 125
        exec "$build/tests/limit" "$directive_timeout" env "${settings[@]}" "${program[@]}"
    ) >"$log" 2>&1
    status=$?
    chmod -R u+rwX "$scratch" 2>/dev/null
    rm -rf "$scratch"
    judge "$name" "$status" "$start" "$log"
}

# The environment of the test, in `settings`.
environment_of() { # NAME
    local setting loam=
    settings=("LOAM_ROOT=$root" "LOAM_BUILD=$build" "LOAM_LIB=$build/libloam.so.1" "CC=${CC:-gcc}" "CXX=${CXX:-g++}"
        "HOME=$scratch" "TMPDIR=$scratch" "PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH"
        "UBSAN_OPTIONS=print_stacktrace=1" "TSAN_OPTIONS=second_deadlock_stack=1")
    for setting in "${directive_env[@]}"; do
        case $setting in
            LOAM=*) loam=${setting#*=} ;;
            *) settings+=("$(expand "$setting")") ;;
        esac
    done
    [ "${mode_of[$name]}" != locked ] || loam+=${loam:+,}rseq:off
    [ -z "$loam" ] || settings+=("LOAM=$loam")
    [ -z "$preload" ] || settings+=("LD_PRELOAD=$preload")
}

judge() { # NAME STATUS START LOG
    local reason
    reason=$(grep -v '^ *$' "$4" | tail -n 1 | cut -c1-200)
    case $2 in
        0) finish "$1" pass "$3" '' ;;
        77) if [ -n "$reason" ]; then finish "$1" skip "$3" "$reason"
            else finish "$1" fail "$3" "it asks to be skipped (77) and says no reason"
            fi ;;
        124) finish "$1" fail "$3" "exit status 124 (${reason:-no output})" ;;
        *) finish "$1" fail "$3" "exit status $2" ;;
    esac
}

finish() { # NAME STATUS START REASON
    local tenths=$(( (${EPOCHREALTIME/./} - $3) / 100000 )) file
    file=$results/${1//\//-}
    printf '%s\n%d.%d\n%s\n%s\n' "$2" $((tenths / 10)) $((tenths % 10)) "$1" "$4" >"$file.part"
    mv "$file.part" "$file.done"
}
