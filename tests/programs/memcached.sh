# memcached on Loam, four threads, on a unix socket: what was set is read back.
# PACKAGES: memcached perl
. "$LOAM_ROOT/tests/runner/programs.sh"
need memcached memcached
need perl perl
cat >"$input/client.pl" <<'PERL'
use strict; use warnings; use IO::Socket::UNIX;
my ($path, $first) = @ARGV;
my $s = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) or die "$path: $!";
my ($good, $bad) = (0, 0);
sub value { my $n = shift; return join(",", $n, "v" x ($n * 37 % 3000)) }
for my $n ($first .. $first + 4999) {
    my $v = value($n);
    print $s "set k$n 0 0 " . length($v) . "\r\n$v\r\n"; my $answer = <$s>; die "set: $answer" if $answer ne "STORED\r\n";
    if ($n % 5 == 0) { print $s "append k$n 0 0 4\r\nmore\r\n"; <$s> }
    if ($n % 7 == 0) { print $s "delete k$n\r\n"; <$s> }
}
for my $n ($first .. $first + 4999) {
    print $s "get k$n\r\n"; my $head = <$s>;
    if ($head eq "END\r\n") { $n % 7 == 0 ? $good++ : $bad++; next }
    my ($length) = $head =~ /^VALUE k$n 0 (\d+)/ or die "get: $head";
    read $s, my $got, $length + 2; <$s>;
    $got eq value($n) . ($n % 5 == 0 ? "more" : "") . "\r\n" && $n % 7 != 0 ? $good++ : $bad++;
}
print "$good good, $bad bad\n"; exit($bad != 0);
PERL
as=()
[ "$(id -u)" -ne 0 ] || as=(-u root)
LD_PRELOAD=$LOAM_LIB memcached -s "$scratch/socket" -m 128 -t 4 "${as[@]}" >server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait' EXIT
wait_until 20 test -S socket || fail "memcached does not come up: $(cat server.log)"
is_on_loam $server || fail "memcached does not run on Loam"
clients=()
for n in 0 10000 20000 30000; do
    on_loam perl "$input/client.pl" socket $n >"client.$n" 2>&1 &
    clients+=($!)
done
for c in "${clients[@]}"; do wait "$c" || fail "a client was answered wrongly: $(cat client.*)"; done
[ "$(grep -c '^5000 good, 0 bad$' client.* | grep -c ':1$')" -eq 4 ] || fail "not all values were read back: $(cat client.*)"
cat client.*
kill $server
wait $server
status=$?
[ $status -eq 0 ] || [ $status -eq 143 ] || fail "memcached ends with status $status: $(cat server.log)"
if grep -vi 'signal handled' server.log; then fail "memcached complains"; fi
