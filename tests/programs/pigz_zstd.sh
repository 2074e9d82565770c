# Compressors with threads that hand buffers to each other: pigz, zstd -T2.
# PACKAGES: pigz zstd
. "$LOAM_ROOT/tests/runner/programs.sh"
need pigz pigz
need zstd zstd
make_words 300000 >"$input/words"
good pigz bash -c "pigz -n -p 4 -b 128 -c '$input/words' >words.gz && pigz -dc words.gz | cmp - '$input/words'"
good zstd bash -c "zstd -q -T2 -9 -c '$input/words' >words.zst && zstd -dc words.zst | cmp - '$input/words'"
good zstd_long bash -c "zstd -q -T2 --long=24 -19 -B1MiB -c <(head -c 3000000 '$input/words') >words.zst"
good zstd_train bash -c "split -l 1000 '$input/words' part. && zstd -q --train part.* -o dictionary && rm part.*"
