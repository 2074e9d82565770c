# perl: hashes, sorting, regular expressions, closures, strings that grow, fork.
# PACKAGES: perl
. "$LOAM_ROOT/tests/runner/programs.sh"
need perl perl
export PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0
make_words 150000 >"$input/words"
cat >"$input/program.pl" <<'PERL'
use strict; use warnings; use Data::Dumper; use List::Util qw(sum); use Digest::MD5 qw(md5_hex);
my (%count, %lists, $text);
open(my $in, '<', $ARGV[0]) or die;
while (<$in>) {
    my @f = split; $count{$f[0]}++; push @{$lists{$f[0]}{$f[1] % 16 || 0}}, $f[4] if $f[1] =~ /^\d+$/;
    $text .= $1 if /([a-f]{2,})/;
}
print join("\n", map { "$_ $count{$_}" } sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count), "\n";
$Data::Dumper::Sortkeys = 1; print md5_hex(Dumper(\%lists)), " ", length($text), "\n";
my @closures = map { my $n = $_; my @kept = (1 .. $n % 50); sub { $n + sum(0, @kept) } } 1 .. 20000;
print sum(map { $_->() } @closures), "\n";
my $big = ''; $big .= chr(65 + $_ % 26) x ($_ % 100) for 1 .. 20000; $big =~ s/([AEIOU]+)/lc $1/ge; print md5_hex($big), "\n";
for my $child (1 .. 4) { my $pid = fork; if (!$pid) { my %h = map { $_ => "x" x $_ } 1 .. 2000; exit(scalar(keys %h) == 2000 ? 0 : 1) } waitpid $pid, 0; print "child $child: $?\n" }
PERL
good perl perl "$input/program.pl" "$input/words"
same perl_die perl -e 'my @a = map { [$_] } 1 .. 1000; die "on purpose\n"'
