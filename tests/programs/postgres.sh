# postgres on Loam: initdb, a server on a unix socket in a folder of our own, pgbench, queries whose answers are known.
# PACKAGES: postgresql-15
# TEST: timeout=300
. "$LOAM_ROOT/tests/runner/programs.sh"
bin=/usr/lib/postgresql/15/bin
[ -x $bin/initdb ] && [ -x $bin/pgbench ] || skip "needs postgres; type: sudo apt-get install postgresql-15"

# postgres refuses to run as root: the user of its package runs it, in a folder that user may enter,
# on a copy of the library (the checkout may lie where only root may look)
place=$(mktemp -d /tmp/loam-postgres.XXXXXX) || fail "no folder"
cp "$LOAM_LIB" "$place/${LOAM_LIB##*/}"
lib=$place/${LOAM_LIB##*/}
user=()
if [ "$(id -u)" -eq 0 ]; then
    id postgres >/dev/null 2>&1 || skip "needs the user postgres; type: sudo apt-get install postgresql-15"
    chown postgres "$place"
    user=(runuser -u postgres --)
fi
stop_all() {
    for data in "$place"/*/data; do
        [ ! -e "$data/postmaster.pid" ] || "${user[@]}" $bin/pg_ctl -D "$data" -m immediate stop >/dev/null 2>&1
    done
    rm -rf "$place"
}
trap stop_all EXIT
cat >"$place/work.sql" <<'SQL'
CREATE TABLE t AS SELECT i AS id, md5(i::text) AS k, (i * 7919 % 10007)::numeric / 7 AS v, repeat(chr(65 + i % 26), i % 200) AS s FROM generate_series(1, 100000) i;
CREATE INDEX ON t (k); CREATE INDEX ON t (v, id); ANALYZE t;
SELECT count(*), sum(v), max(k), sum(length(s)) FROM t;
SELECT substr(k, 1, 2) AS p, count(*), avg(v), md5(string_agg(s, ',' ORDER BY id)) FROM t GROUP BY p ORDER BY p;
SET work_mem = '256kB';
SELECT md5(string_agg(k, '' ORDER BY v, k)) FROM t;
SELECT count(*) FROM t a JOIN t b ON a.k < b.k AND a.id = b.id + 1;
SET work_mem = '64MB';
SELECT rank, id FROM (SELECT id, rank() OVER (PARTITION BY id % 100 ORDER BY v DESC, id) FROM t) x WHERE rank <= 2 ORDER BY id;
SELECT md5(jsonb_agg(to_jsonb(t) ORDER BY id)::text) FROM t WHERE id % 13 = 0;
DO $$ DECLARE a text[]; BEGIN FOR i IN 1 .. 20000 LOOP a := a || i::text; IF i % 1000 = 0 THEN a := NULL; END IF; END LOOP; END $$;
SELECT 1 / 0;
DELETE FROM t WHERE id % 3 = 0; VACUUM FULL t; SELECT count(*) FROM t;
SQL

life() { # NAME PREFIX...: the environment comes last in "${@:2}"
    local name=$1 as=("${user[@]}" env "${@:2}") home=$place/$1 psql
    "${user[@]}" mkdir "$home"
    cd "$place" || exit 1
    "${as[@]}" $bin/initdb -D "$home/data" -A trust -U loam -E UTF8 --locale=C -N >"$name.initdb" 2>&1 || { tail "$name.initdb"; fail "$name: initdb failed"; }
    "${as[@]}" $bin/pg_ctl -D "$home/data" -w -t 60 -l "$home/log" -o "-k $home -c listen_addresses='' -c shared_buffers=32MB -c max_parallel_workers_per_gather=2 -c min_parallel_table_scan_size=0 -c parallel_setup_cost=0 -c fsync=off" start >/dev/null ||
        { tail "$home/log"; fail "$name: the server does not start"; }
    psql=("${as[@]}" $bin/psql -h "$home" -U loam -d postgres -X -q)
    if [ "$name" = loam ]; then
        is_on_loam "$(head -n 1 "$home/data/postmaster.pid")" || fail "the server does not run on Loam"
    fi
    "${psql[@]}" -f "$place/work.sql" >"$name.answers" 2>"$name.errors"
    "${as[@]}" $bin/pgbench -h "$home" -U loam -i -q -s 3 postgres >/dev/null 2>"$name.pgbench" || { tail "$name.pgbench"; fail "$name: pgbench -i failed"; }
    "${as[@]}" $bin/pgbench -h "$home" -U loam -c 8 -j 2 -t 150 postgres >>"$name.pgbench" 2>&1 || { tail "$name.pgbench"; fail "$name: pgbench failed"; }
    "${psql[@]}" -At -c 'SELECT count(*) FROM pgbench_history' \
        -c 'SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history), (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(tbalance) FROM pgbench_tellers)' >>"$name.answers"
    "${as[@]}" $bin/pg_dump -h "$home" -U loam -t t postgres >"$name.dump" || fail "$name: pg_dump failed"
    "${as[@]}" $bin/pg_ctl -D "$home/data" -w -m fast stop >/dev/null || fail "$name: the server does not stop"
    grep -E 'PANIC|terminated by signal|stack smashing' "$home/log" && fail "$name: a process of the server died"
    unmentioned "$home/log" "$name.pgbench"
    grep -E '^(tps|number of transactions actually)' "$name.pgbench"
}
life plain LC_ALL=C
life loam LC_ALL=C LD_PRELOAD="$lib" ${LOAM:+"LOAM=$LOAM"}
for file in answers errors dump initdb; do
    # a dump holds a random word that guards it against being fed to psql by halves
    sed -i -e "s,$place/[a-z]*,PLACE,g" -e '/^\\\(un\)\?restrict /d' "$place/plain.$file" "$place/loam.$file"
    diff "$place/plain.$file" "$place/loam.$file" | head -n 20
    cmp -s "$place/plain.$file" "$place/loam.$file" || fail "$file differ on Loam from the C library's"
done
tail -n 2 "$place/loam.answers" | tr '\n' ' ' | grep -q '^1200 t|t ' || fail "pgbench's accounts do not add up: $(tail -n 2 "$place/loam.answers")"
grep -q 'division by zero' "$place/loam.errors" || fail "an error of a query was expected"
