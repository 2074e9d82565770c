# configure_build ROOT PRESET FOLDER: prepares a build folder with CMake; for ./run and ./test (POSIX sh).
#
# A folder that belongs to another checkout, or was moved with this one, is begun anew: CMake would refuse it.
configure_build() {
    configure_fresh= configure_generator=
    if [ -e "$3/CMakeCache.txt" ]; then
        if ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$1" "$3/CMakeCache.txt" ||
           ! grep -qxF "CMAKE_CACHEFILE_DIR:INTERNAL=$3" "$3/CMakeCache.txt"; then
            configure_fresh=--fresh
        fi
    elif ! command -v make >/dev/null 2>&1; then
        configure_generator=-GNinja
    fi
    cmake $configure_fresh $configure_generator -S "$1" --preset "$2" -B "$3"
}
