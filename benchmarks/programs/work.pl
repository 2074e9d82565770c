# Ordinary Perl: hashes, arrays, regular expressions, sorting. Prints a checksum; argument: SCALE.
use strict;
use warnings;

my $scale = $ARGV[0] // 1;
my $state = 1;
my $checksum = 0;

sub below { $state = ($state * 1103515245 + 12345) & 0x7fffffff; return ($state >> 8) % $_[0]; }
sub mix { $checksum = ($checksum * 31 + $_[0]) % 4294967291; return; }
sub times_of { my $n = int($_[0] * $scale); return $n < 1 ? 1 : $n; }

# A log is written, then read with regular expressions.
my @log;
for my $i (1 .. times_of(40000)) {
    push @log, sprintf("%d.%d.0.1 - user%d \"GET /page/%d?q=%s HTTP/1.1\" 200 %d", below(256), below(256), below(900),
        below(3000), 'x' x below(40), below(100000));
}
my (%users, %pages);
for (@log) {
    next unless /^(\S+) - (\w+) "GET (\/[^?]*)\?q=(\w*) HTTP\/1\.1" (\d+) (\d+)$/;
    push @{ $users{$2} }, { page => $3, query => $4, size => $6 };
    $pages{$3}{$2} += $6;
}
mix(scalar @{ $users{$_} }) for sort keys %users;
for my $page (sort keys %pages) {
    my %by = %{ $pages{$page} };
    mix($by{$_}) for sort { $by{$b} <=> $by{$a} || $a cmp $b } keys %by;
}

# Text is cut, changed and joined.
for my $i (1 .. times_of(30000)) {
    my @fields = map { "field" . below(5000) } 1 .. 12;
    my $line = join ',', @fields;
    (my $copy = $line) =~ s/field(\d)/column$1/g;
    mix(length($copy) + scalar(split /,/, $copy));
}

# Records that come and go.
my %records;
for my $i (1 .. times_of(250000)) {
    my $id = below(4000);
    my $record = $records{$id} //= { name => "record $id", history => [] };
    push @{ $record->{history} }, $i;
    delete $records{$id} if @{ $record->{history} } > 25;
}
mix(scalar @{ $records{$_}{history} }) for sort { $a <=> $b } keys %records;

printf "checksum %016x\n", $checksum;
