# nginx on Loam with two workers on the loopback: files come over whole, also after a reload.
# PACKAGES: nginx curl
. "$LOAM_ROOT/tests/runner/programs.sh"
need nginx nginx
need curl curl
make_words 100000 >"$input/words"
make_tree
export no_proxy=127.0.0.1
who=
[ "$(id -u)" -ne 0 ] || who='user root;'
configure() { # PORT
    mkdir -p tmp
    cat >nginx.conf <<CONF
$who
worker_processes 2; daemon off; pid $scratch/pid; error_log $scratch/error.log;
events { worker_connections 128; }
http {
    access_log off; gzip on; gzip_types text/plain; gzip_min_length 100; default_type text/plain;
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
    server { listen 127.0.0.1:$1; root $input; location /tree/ { autoindex on; } }
}
CONF
}
server=
trap '[ -z "$server" ] || kill $server 2>/dev/null; wait' EXIT
# nginx cannot pick a free port itself: try some
for port in $(shuf -i 20000-60000 -n 5); do
    configure "$port"
    LD_PRELOAD=$LOAM_LIB nginx -p "$scratch" -c nginx.conf 2>server.log &
    server=$!
    wait_until 10 bash -c "kill -0 $server && curl -sf http://127.0.0.1:$port/words -o first" && break
    kill $server 2>/dev/null; wait $server; server=
done
[ -n "$server" ] || fail "nginx does not come up: $(cat server.log error.log)"
is_on_loam "$server" || fail "nginx does not run on Loam"
for worker in $(pgrep -P "$server"); do is_on_loam "$worker" || fail "a worker does not run on Loam"; done
fetch_all() {
    for f in "$input"/tree/*.h; do
        echo "url = http://127.0.0.1:$port/tree/${f##*/}"; echo "output = got/${f##*/}"
    done >list
    rm -rf got; mkdir got
    curl -s --compressed --no-progress-meter --parallel --parallel-max 16 -K list || fail "curl failed"
    for f in "$input"/tree/*.h; do cmp "$f" "got/${f##*/}" || fail "a file is not what came"; done
    curl -s --compressed "http://127.0.0.1:$port/words" | cmp - "$input/words" || fail "the big file is not what came"
    curl -s "http://127.0.0.1:$port/tree/" | grep -q 'types.h' || fail "no list of the folder"
    [ "$(curl -s -o body -w '%{http_code}' "http://127.0.0.1:$port/nothing")" = 404 ] || fail "a missing file should be 404"
}
fetch_all
kill -HUP "$server"
sleep 0.5
fetch_all
kill -QUIT "$server"
wait "$server" || fail "nginx ends with status $?"
server=
unmentioned server.log error.log
grep -E 'signal 11|signal 6|\[alert\]' error.log && fail "a worker died"
echo "$(ls got | wc -l) files, twice, the same"
