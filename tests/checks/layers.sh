# The check of the build that no folder of src/ includes one above it: passes our tree, sees each kind of mistake.
set -u
: "${LOAM_ROOT:?}"
check=$LOAM_ROOT/cmake/check_layers.sh
fail() { echo "layers.sh: $*"; exit 1; }
sh "$check" "$LOAM_ROOT/src" || fail "our own tree"
mkdir -p src/{base,os,bounds,map,span,arena,cache,api,guard,observe,region} || exit 1
touch src/base/base.h src/guard/hook.h
refused() { # FILE INCLUDE
    printf '/* */\n#include %s\n' "$2" >"src/$1"
    sh "$check" src >out && fail "$1 may include $2"
    grep -q "^src/$1:2: " out || fail "$1: the place is not named: $(cat out)"
    rm "src/$1"
}
allowed() { # FILE INCLUDE
    printf '#include %s\n' "$2" >"src/$1"
    sh "$check" src >out || fail "$1 may not include $2: $(cat out)"
    rm "src/$1"
}
refused base/x.c '"os/pages.h"'
refused bounds/x.h '"map/map.h"'
refused arena/x.c '"cache/cache.h"'
refused cache/x.c '"api/inside.h"'
refused cache/x.c '"guard/report.h"'
refused guard/x.c '"api/inside.h"'
refused region/x.c '"map/map.h"'
refused api/x.c '"region/region.h"'
refused os/x.c '"../api/inside.h"'
refused os/x.c '"elsewhere.h"'
refused os/x.c '"nowhere/x.h"'
allowed api/x.c '"guard/report.h"'
allowed base/x.c '"base.h"'
allowed cache/x.c '"guard/hook.h"'
allowed observe/x.c '"cache/cache.h"'
allowed region/x.c '"bounds/bounds.h"'
allowed base/x.c '<stdio.h>'
mkdir src/extra && touch src/extra/x.c
sh "$check" src >out && fail "a folder that is not in the list passes"
echo "all as it should be"
