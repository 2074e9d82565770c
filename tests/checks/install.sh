# cmake --install: programs find library and headers by pkg-config, by CMake, and moved elsewhere.
# PACKAGES: pkg-config
set -u
: "${LOAM_ROOT:?}" "${LOAM_BUILD:?}"
fail() { echo "install.sh: $*"; exit 1; }
cmake --install "$LOAM_BUILD" --prefix "$PWD/first" >log 2>&1 || { tail log; fail "cmake --install"; }
mv first moved
prefix=$PWD/moved
libdir=$(dirname "$(find "$prefix" -name libloam.so.1)")
for file in bin/loam include/loam/version.h include/loam/loam.h; do [ -e "$prefix/$file" ] || fail "no $file"; done
for file in libloam.so libloam.a loam.o pkgconfig/loam.pc; do [ -e "$libdir/$file" ] || fail "no $file"; done
for page in "$LOAM_ROOT"/docs/man/*.[137]; do
    [ ! -e "$page" ] || [ -e "$prefix/share/man/man${page##*.}/${page##*/}" ] || fail "no man page ${page##*/}"
done
"$prefix/bin/loam" run cat /proc/self/maps | grep -q "$libdir/libloam.so.1" || fail "the installed command does not find its library"

cat >main.c <<'C'
#include <loam/loam.h>
#include <loam/version.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    void *p = malloc(10);
    printf("%s %d\n", LOAM_VERSION_STRING, p != NULL);
    free(p);
    return 0;
}
C
export PKG_CONFIG_PATH=$libdir/pkgconfig
gcc main.c -o by_pc $(pkg-config --cflags --libs loam) || fail "pkg-config: does not link"
LD_LIBRARY_PATH=$libdir ldd by_pc | grep -q "$libdir/libloam.so.1" || fail "pkg-config: not on Loam"
[ "$(LD_LIBRARY_PATH=$libdir ./by_pc)" = "$(pkg-config --modversion loam) 1" ] || fail "pkg-config: wrong output"

cat >CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.20)
project(user C)
find_package(Loam 0.1 REQUIRED)
add_executable(shared main.c)
target_link_libraries(shared PRIVATE Loam::loam)
add_executable(static main.c)
target_link_libraries(static PRIVATE Loam::static)
CMAKE
{ cmake -S . -B b -DCMAKE_PREFIX_PATH="$prefix" && cmake --build b; } >log 2>&1 || { tail -n 20 log; fail "find_package"; }
b/shared || fail "shared does not run"
b/static || fail "static does not run"
ldd b/shared | grep -q "$libdir/libloam.so.1" || fail "Loam::loam is not the shared library"
nm b/static | grep -qE ' T malloc$' || fail "Loam::static holds no malloc"
if ldd b/static | grep -q loam; then fail "Loam::static needs the shared library"; fi
echo "all as it should be"
