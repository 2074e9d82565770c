# tar piped to xz, alone and with two threads, and back again.
# PACKAGES: xz-utils bzip2
. "$LOAM_ROOT/tests/runner/programs.sh"
need xz-utils xz
need bzip2 bzip2
make_tree
good tar bash -o pipefail -c "tar -C '$input' --sort=name -cf - tree | xz -6 >tree.tar.xz"
good xz_threads bash -o pipefail -c "tar -C '$input' --sort=name -cf - tree | xz -T2 --block-size=512KiB >tree.tar.xz"
good bzip2 bash -o pipefail -c "tar -C '$input' --sort=name -cf - tree | bzip2 >tree.tar.bz2"
good unpack bash -o pipefail -c "xz -dc '$scratch/tar.loam/work/tree.tar.xz' | tar xf -"
diff -r unpack.loam/work/tree "$input/tree" || fail "what was packed is not what was unpacked"
same xz_broken bash -o pipefail -c "head -c 20000 '$scratch/tar.loam/work/tree.tar.xz' | xz -dc | md5sum"
