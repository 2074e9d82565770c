# redis-server on Loam under redis-benchmark and under a script whose answers are known.
# PACKAGES: redis-server redis-tools
# TEST: timeout=200
. "$LOAM_ROOT/tests/runner/programs.sh"
need redis-server redis-server
need redis-tools redis-benchmark redis-cli
servers=
trap 'for s in $servers; do kill "$s" 2>/dev/null; done; wait' EXIT

awk 'BEGIN {
    for (i = 0; i < 20000; i++) {
        printf "SET key:%d value:%d:%s\n", i, i, substr("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1, i % 60)
        printf "RPUSH list:%d a%d b%d\nHSET hash:%d f%d %d\nZADD set:%d %d m%d\nSADD tags:%d t%d\n", i % 100, i, i, i % 300, i % 50, i, i % 70, i % 1000, i, i % 40, i
        if (i % 3 == 0) printf "APPEND key:%d %s\n", i - i % 7, "more"
        if (i % 11 == 0) printf "DEL key:%d\n", i - 5
        if (i % 101 == 0) printf "EVAL \"local t = {} for i = 1, 200 do t[i] = ARGV[1] .. i end return #table.concat(t)\" 0 %d\n", i
    }
    print "SAVE"
}' >"$input/commands"

# a server of its own, and everything it holds afterwards
life() { # NAME [env SETTING]
    local name=$1 server
    shift
    mkdir -p "$name" && cd "$name" || exit 1
    "$@" redis-server --port 0 --unixsocket "$PWD/socket" --dir "$PWD" --save '' --maxmemory 0 --activedefrag no >server.log 2>&1 &
    server=$!
    servers="$servers $server"
    wait_until 20 redis-cli -s socket ping || fail "redis-server does not come up: $(tail -n 5 server.log)"
    if [ $# -gt 0 ]; then is_on_loam "$server" || fail "redis-server does not run on Loam"; fi
    "$@" redis-cli -s socket <"$input/commands" >answers || fail "redis-cli failed"
    {
        redis-cli -s socket dbsize
        seq -f 'GET key:%.0f' 0 19999 | redis-cli -s socket
        seq -f 'LRANGE list:%.0f 0 -1' 0 99 | redis-cli -s socket
        seq -f 'HGETALL hash:%.0f' 0 299 | redis-cli -s socket | paste - - | sort
        seq -f 'ZRANGE set:%.0f 0 -1 WITHSCORES' 0 69 | redis-cli -s socket
        seq -f 'SMEMBERS tags:%.0f' 0 39 | redis-cli -s socket | sort
    } >contents
    "$@" redis-benchmark -s socket -q -c 20 -n 20000 -r 10000 -P 4 -d 300 \
        -t set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100,mset >benchmark 2>benchmark.err || fail "redis-benchmark failed: $(tail -n 3 benchmark.err)"
    redis-cli -s socket get key:9 >>contents
    redis-cli -s socket info memory | grep -E '^(used_memory|used_memory_rss|mem_allocator):'
    # a save in a child while the parent goes on: fork of a big heap
    redis-cli -s socket bgsave >/dev/null
    redis-benchmark -s socket -q -c 5 -n 5000 -r 10000 -t set >/dev/null 2>&1
    wait_until 30 bash -c 'redis-cli -s socket info persistence | grep -q "rdb_bgsave_in_progress:0"' || fail "bgsave does not end"
    redis-cli -s socket info persistence | grep -q 'rdb_last_bgsave_status:ok' || fail "bgsave failed"
    redis-cli -s socket dbsize >keys_in_file
    redis-cli -s socket flushall >/dev/null
    redis-cli -s socket shutdown nosave
    wait "$server" || fail "redis-server ended with status $?: $(tail -n 5 server.log)"
    grep -iE 'crash|assert|bug report' server.log && fail "redis-server complains"
    unmentioned server.log benchmark.err
    cd "$scratch" || exit 1
}
life plain
life loam env "LD_PRELOAD=$LOAM_LIB"
for file in answers contents; do
    cmp "plain/$file" "loam/$file" || fail "$file differ on Loam from the C library's"
done
[ "$(wc -l <loam/contents)" -gt 60000 ] || fail "the contents are not whole"
grep -q requests loam/benchmark || fail "redis-benchmark measured nothing"
tr '\r' '\n' <loam/benchmark | grep 'requests per second'
