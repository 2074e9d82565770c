#!/bin/sh
# The reference workload: threads load images and captions into a bounded buffer, played in order with checksums; on mymalloc.c,
# on the C library and on Loam with the same output. Prints how long it takes against the C library, in paired runs.
# TEST: timeout=200
. "${0%/*}/support/common.sh"
interface mymalloc
player=$root/examples/player/player.c
for compiler in $(compilers); do
    quiet "$compiler" -O2 -Wall -Wextra -pthread -o plain "$player"
    quiet "$compiler" -O2 -c mymalloc/mymalloc.c
    quiet "$compiler" -O2 -Wall -Wextra -pthread -DWITH_MYMALLOC -Imymalloc -o mine "$player" mymalloc.o
    nm mine | grep -q ' T mymalloc$' || fail "the player does not stand on mymalloc.c"
    nm mine | grep -q ' U mymalloc' && fail "unresolved"
    for shape in "1 1 40 30" "25 4 320 240" "12 3 800 600"; do
        # shellcheck disable=SC2086
        set -- $shape
        rm -rf slides
        ./plain make slides "$1" "$3" "$4" || fail "make"
        ./plain play slides "$2" 2 >plain.out 2>plain.time || fail "on the C library: $shape"
        ./mine play slides "$2" 2 >mine.out 2>mine.time || fail "on mymalloc.c: $shape"
        [ "$(wc -l <plain.out)" = $((2 * $1)) ] || fail "not every slide was played: $shape"
        cmp plain.out mine.out || fail "another output: $shape"
        if [ -n "${LOAM_LIB:-}" ] && [ -f "$LOAM_LIB" ]; then
            LD_PRELOAD=$LOAM_LIB ./plain play slides "$2" 2 >loam.out 2>loam.time || fail "on Loam: $shape"
            cmp plain.out loam.out || fail "another output on Loam: $shape"
        fi
    done
done
# The one that the build makes, on the same slides.
if [ -n "${LOAM_BUILD:-}" ]; then
    nm "$LOAM_BUILD/examples/player" | grep -q ' T mymalloc$' || fail "the build's player does not stand on mymalloc.c"
    "$LOAM_BUILD/examples/player" play slides 3 2 >built.out 2>built.time || fail "the build's player"
    cmp plain.out built.out || fail "the build's player: another output"
fi
# A slide that is not what it was is heard.
printf 'x' | dd of=slides/0003.ppm bs=1 seek=5000 conv=notrunc 2>/dev/null
refused ./mine play slides 2
says 'a slide is not what it was: Slide 4' refused.log

quiet gcc -O1 -g -fsanitize=thread -c -o tsan.o mymalloc/mymalloc.c
quiet gcc -O1 -g -fsanitize=thread -pthread -DWITH_MYMALLOC -Imymalloc -o player_tsan "$player" tsan.o
rm -rf slides
./plain make slides 30 320 240
tsan ./player_tsan play slides 4 2

for size in "320 240" "1280 960"; do
    rm -rf slides pairs
    # shellcheck disable=SC2086
    ./plain make slides 30 $size
    for turn in 1 2 3 4 5 6 7; do
        ./mine play slides 4 8 >/dev/null 2>mine.time || fail "turn $turn"
        ./plain play slides 4 8 >/dev/null 2>plain.time || fail "turn $turn"
        echo "$(cat mine.time) $(cat plain.time)" >>pairs
    done
    echo "240 slides around $size: $(median_ratio pairs) of the time of the C library (median of 7 pairs)"
done
