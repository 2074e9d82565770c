# cmake --install: programs find library and headers by pkg-config, by CMake, and moved elsewhere.
# PACKAGES: pkg-config
set -u
: "${LOAM_ROOT:?}" "${LOAM_BUILD:?}"
fail() { echo "install.sh: $*"; exit 1; }
cmake --install "$LOAM_BUILD" --prefix "$PWD/first" >log 2>&1 || { tail log; fail "cmake --install"; }
mv first moved
prefix=$PWD/moved
libdir=$(dirname "$(find "$prefix" -name libloam.so.1)")
for file in bin/loam include/loam/version.h include/loam/loam.h include/loam/region.h; do [ -e "$prefix/$file" ] || fail "no $file"; done
for file in libloam.so libloam.a loam.o libloam_region.so libloam_region.a pkgconfig/loam.pc pkgconfig/loam_region.pc; do [ -e "$libdir/$file" ] || fail "no $file"; done
for page in "$LOAM_ROOT"/docs/man/*.[137]; do
    [ ! -e "$page" ] || [ -e "$prefix/share/man/man${page##*.}/${page##*/}" ] || fail "no man page ${page##*/}"
done
"$prefix/bin/loam" run cat /proc/self/maps | grep -q "$libdir/libloam.so.1" || fail "the installed command does not find its library"

# the regions are inside the command: it draws its picture without libloam_region.so
printf 'alloc a 100\nfree a\n' >two.ops
LD_LIBRARY_PATH='' "$prefix/bin/loam" region-map --strategy buddy -o two.svg two.ops || fail "the installed command draws no region"
grep -q 'data-strategy="buddy".*data-rows="3"' two.svg || fail "region-map: $(head -c 300 two.svg)"

cat >region.c <<'C'
#include <loam/region.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    free(malloc(10));
    struct loam_region_options options = {.kind = LOAM_REGION_BUMP};
    loam_region *region;
    int error = loam_region_create(&region, &options);
    puts(loam_strerror(error));
    return error || !loam_region_alloc(region, 10) || loam_region_destroy(region);
}
C
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

gcc -fno-builtin region.c -o region_by_pc $(pkg-config --cflags --libs loam_region) || fail "pkg-config: loam_region does not link"
[ "$(LD_LIBRARY_PATH=$libdir ./region_by_pc)" = "no error" ] || fail "pkg-config: a program with loam_region"
LD_LIBRARY_PATH=$libdir ldd region_by_pc >needed
grep -q "$libdir/libloam_region.so.1" needed || fail "pkg-config: not with loam_region"
! grep -q 'libloam\.so' needed || fail "pkg-config: loam_region brings a malloc with it"

cat >CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.20)
project(user C)
find_package(Loam 0.1 REQUIRED)
add_executable(shared main.c)
target_link_libraries(shared PRIVATE Loam::loam)
add_executable(static main.c)
target_link_libraries(static PRIVATE Loam::static)
add_executable(region region.c)
target_link_libraries(region PRIVATE Loam::region)
add_executable(region_static region.c)
target_link_libraries(region_static PRIVATE Loam::region_static)
add_compile_options(-fno-builtin) # else the compiler drops malloc where nothing is done with it
add_executable(both region.c)
target_link_libraries(both PRIVATE Loam::static Loam::region_static)
CMAKE
{ cmake -S . -B b -DCMAKE_PREFIX_PATH="$prefix" && cmake --build b; } >log 2>&1 || { tail -n 20 log; fail "find_package"; }
b/shared || fail "shared does not run"
b/static || fail "static does not run"
ldd b/shared | grep -q "$libdir/libloam.so.1" || fail "Loam::loam is not the shared library"
nm b/static | grep -qE ' T malloc$' || fail "Loam::static holds no malloc"
if ldd b/static | grep -q loam; then fail "Loam::static needs the shared library"; fi
for program in region region_static both; do
    [ "$(b/$program)" = "no error" ] || fail "$program does not run"
done
ldd b/region | grep -q "$libdir/libloam_region.so.1" || fail "Loam::region is not the shared library"
if ldd b/region_static | grep -q loam; then fail "Loam::region_static needs a shared library"; fi
nm b/both | grep -qE ' T malloc$' || fail "Loam::static and Loam::region_static do not go together"
echo "all as it should be"
