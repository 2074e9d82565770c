# The model of taking a table over (tests/model/closing.pml): no interleaving loses or doubles a block, and the two controls (no
# barrier; sequences that are not restarted) are found to do so.
# TEST: timeout=300
# PACKAGES: spin gcc
set -u
: "${LOAM_ROOT:?}"
command -v spin >/dev/null 2>&1 || {
    echo "needs spin; type: sudo apt-get install spin"
    exit 77
}

# verify NAME FLAG...: makes and runs the verifier; its output is in NAME.out
verify() {
    local name=$1
    shift
    rm -rf "$name" && mkdir "$name" && (
        cd "$name" && spin -a "$@" "$LOAM_ROOT/tests/model/closing.pml" >spin.out 2>&1 &&
        ${CC:-gcc} -O1 -w -DSAFETY -DVECTORSZ=2048 -o pan pan.c && ./pan -m20000 -w20 -n >"../$name.out" 2>&1
    ) || {
        cat "$name/spin.out" "$name.out" 2>/dev/null
        echo "$name: the verifier could not be made or run"
        exit 1
    }
}

errors() { sed -n 's/.*errors: *\([0-9]*\).*/\1/p' "$1.out"; }
states() { sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$1.out"; }

verify model
[ "$(errors model)" = 0 ] && ! grep -q 'max search depth too small\|out of memory' model.out || {
    cat model.out
    echo "the model has an interleaving that loses or doubles a block"
    exit 1
}
echo "model: $(states model) states, no error"
for control in NO_FENCE NO_RESTART; do
    verify "$control" -D$control
    grep -q 'assertion violated' $control.out || {
        cat "$control.out"
        echo "the control $control came to no harm: the model shows nothing"
        exit 1
    }
    echo "control $control: found to lose or double a block"
done
