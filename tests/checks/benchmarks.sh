# The benchmark's own checks hold: its arithmetic, its order, its counts, its page, and that broken allocators are told of.
# PACKAGES: chromium valgrind
# TEST: timeout=300
set -u
: "${LOAM_ROOT:?}"
exec "$LOAM_ROOT/benchmarks/check"
