# curl on the loopback against python's http.server, both on Loam: files come over whole.
# PACKAGES: curl python3
. "$LOAM_ROOT/tests/runner/programs.sh"
need curl curl
python=/usr/bin/python3
[ -x $python ] || skip "needs $python; type: sudo apt-get install python3"
make_words 100000 >"$input/words"
make_tree
cat >"$input/server.py" <<'PY'
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)     # a port that is free
open(sys.argv[2], "w").write(str(server.server_address[1]) + "\n")
server.serve_forever()
PY
LD_PRELOAD=$LOAM_LIB $python "$input/server.py" "$input" "$scratch/port" >server.log 2>&1 &
server=$!
trap 'kill $server' EXIT
wait_until 20 test -s port || fail "the server does not come up: $(cat server.log)"
is_on_loam $server || fail "the server does not run on Loam"
url=http://127.0.0.1:$(cat port)
export no_proxy=127.0.0.1
good one curl -sS "$url/words"
cmp one.loam/stdout "$input/words" || fail "the file is not what came"
good many bash -c "for f in \$(cd '$input/tree' && ls *.h); do echo \"url = $url/tree/\$f\"; echo \"output = \$f\"; done | curl -s --no-progress-meter --parallel --parallel-max 8 -K -"
(cd many.loam/work && for f in *; do cmp "$f" "$input/tree/$f" || exit 1; done) || fail "a file is not what came"
[ "$(ls many.loam/work | wc -l)" -eq "$(ls "$input"/tree/*.h | wc -l)" ] || fail "files are missing"
same missing curl -sS --fail "$url/nothing_here"
grep -q 'exit status 22' missing.loam/status || fail "curl --fail of a missing file should end with 22"
unmentioned server.log
same refused curl -sS http://127.0.0.1:1/
