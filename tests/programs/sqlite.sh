# sqlite3: create, fill, index, query, update, vacuum; the database files are the same bit for bit.
# PACKAGES: sqlite3
. "$LOAM_ROOT/tests/runner/programs.sh"
need sqlite3 sqlite3
cat >"$input/work.sql" <<'SQL'
PRAGMA page_size = 4096; PRAGMA threads = 2; PRAGMA temp_store = MEMORY;
CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT, v REAL, b BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
INSERT INTO t SELECT i, printf('%08x', (i * 2654435761) % 4294967296), i * 0.5, zeroblob(i % 60) FROM n;
CREATE INDEX by_k ON t (k); CREATE INDEX by_v ON t (v, k);
SELECT count(*), sum(v), min(k), max(k) FROM t;
SELECT substr(k, 1, 2) AS p, count(*), avg(v), group_concat(id % 10, '') FROM t WHERE id % 7 = 0 GROUP BY p ORDER BY 3 DESC LIMIT 50;
SELECT a.id, b.id FROM t a JOIN t b ON b.k > a.k AND b.id = a.id + 1 WHERE a.id % 501 = 0 ORDER BY a.k;
UPDATE t SET k = upper(k) || id WHERE id % 3 = 0;
DELETE FROM t WHERE id % 5 = 0;
CREATE VIRTUAL TABLE f USING fts5(x);
INSERT INTO f SELECT k || ' ' || v FROM t LIMIT 20000;
SELECT count(*) FROM f WHERE f MATCH '0*';
VACUUM; PRAGMA integrity_check;
SQL
good sqlite sqlite3 test.db ".read $input/work.sql"
tail -n 1 sqlite.loam/stdout | grep -qx ok || fail "integrity_check says no ok"
good dump sqlite3 "$scratch/sqlite.loam/work/test.db" '.dump t'
same refused sqlite3 "$scratch/sqlite.loam/work/test.db" 'SELECT nonsense FROM nowhere'
