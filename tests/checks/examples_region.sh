# The four examples of regions build as their head says, against libloam_region; those that the build made do what they say.
set -u
: "${LOAM_ROOT:?}" "${LOAM_BUILD:?}"
fail() { echo "examples_region.sh: $*"; exit 1; }
is() { [ "$1" = "$2" ] || fail "$3: found '$1', expected '$2'"; }

for example in request_arena particles shared_buddy savepoints; do
    "${CC:-gcc}" -std=gnu17 -O2 -Wall -Wextra -Wconversion -Wshadow -Werror -I"$LOAM_ROOT/include" -I"$LOAM_BUILD/include" \
        -o $example "$LOAM_ROOT/examples/$example.c" "$LOAM_BUILD/libloam_region.so" "-Wl,-rpath,$LOAM_BUILD" -lm ||
        fail "$example does not compile"
    rm $example
    cp "$LOAM_BUILD/examples/$example" . || fail "the build makes no $example"
done

# ---- savepoints: the tree, and that nothing of undone tries is left (the number of nodes is the tree's own)
cat >in <<'TXT'
f(x, 2) = 3 * (x + 1) - -x
a = f(g(1), 2)
1+2*3-4
f(1)+2
x
3 +
TXT
./savepoints <in >out 2>err || fail "savepoints: exit status $?"
cat >expected <<'TXT'
(f[x, 2] = ((3 * (x + 1)) - (-x)))  [15 nodes]
(a = f[g[1], 2])  [11 nodes]
((1 + (2 * 3)) - 4)  [7 nodes]
(f[1] + 2)  [6 nodes]
x  [1 nodes]
error at column 4
TXT
diff expected out || fail "savepoints: other trees than expected"
grep -q 'tries, [1-9][0-9]* of them undone' err || fail "savepoints: nothing was undone: $(cat err)"

# ---- particles: a picture with sparks in it, out of a pool that does not grow
./particles 300 >out 2>err || fail "particles: exit status $?"
is "$(head -c 15 out | tr '\n' ' ')" "P5 320 240 255 " "particles: the picture's head"
is "$(wc -c <out)" $((15 + 320 * 240)) "particles: bytes of the picture"
sparks=$(tail -c +16 out | tr -d '\0' | wc -c)
[ "$sparks" -gt 2000 ] || fail "particles: only $sparks pixels are lit"
is "$(sed -n 's/.*of //p' err | sort -u | wc -l)" 1 "particles: the pool grew: $(cat err)"

# ---- shared_buddy: every message arrives whole, and nothing is left
is "$(./shared_buddy 3 5000)" "15000 messages from 3 processes, 0 wrong; left in the region: 0 blocks" shared_buddy

# ---- request_arena
./request_arena 0 >out &
server=$!
trap 'kill $server 2>/dev/null' EXIT
for _ in $(seq 100); do
    port=$(sed -n 's/^listening on 127.0.0.1://p' out)
    [ -n "$port" ] && break
    sleep 0.1
done
[ -n "$port" ] || fail "request_arena does not listen"
# ask PATH...: one connection, a request after the other; prints the bodies
ask() {
    local path length line
    exec 3<>"/dev/tcp/127.0.0.1/$port" || fail "request_arena does not answer"
    for path in "$@"; do
        printf 'GET %s HTTP/1.1\r\nHost: x\r\n\r\n' "$path" >&3
        while IFS= read -r line <&3; do
            line=${line%$'\r'}
            case $line in Content-Length:*) length=${line#*: } ;; '') break ;; esac
        done
        head -c "$length" <&3
    done
    exec 3>&-
}
is "$(ask '/sum?1,2,3')" "3 numbers, sum 6" "request_arena: a sum"
many=$(seq -s, 1 1500)
first=$(ask /memory)
is "$(ask /memory "/sum?$many" '/sum?5' /memory)" "$first
1500 numbers, sum 1125750
1 numbers, sum 5
$first" "request_arena: the same memory before and after 1500 numbers"
is "$(ask "/sum?$(seq -s, 1 2000 | tr '23456789' 1 | cut -c 1-7000),$(yes 1, | head -n 4000 | tr -d '\n' | cut -c 1-8000)" '/sum?7')" \
    "the request needs more memory than a request may have
1 numbers, sum 7" "request_arena: a request that is too large, and the next one"
is "$(ask /nothing)" "there is no such page" "request_arena: a page that is not there"
is "$(ask /quit)" "bye" "request_arena: quit"
wait $server || fail "request_arena: exit status $?"
