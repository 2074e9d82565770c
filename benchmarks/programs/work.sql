-- Ordinary SQL in memory: tables, indexes, joins, groups, text, deletes. @N@ is the number of rows.
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, town TEXT, born INTEGER);
CREATE TABLE sale(id INTEGER PRIMARY KEY, person INTEGER, item TEXT, amount REAL, note TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @N@ / 10)
INSERT INTO person SELECT i, 'name ' || (i * 7919 % 10007), 'town ' || (i * 31 % 211), 1930 + i % 80 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @N@)
INSERT INTO sale SELECT i, i * 7 % (@N@ / 10) + 1, 'item ' || (i * 13 % 499), (i * 37 % 10000) / 100.0,
    substr('a note that is longer or shorter than the one before it, for the sake of the pages', 1, i % 80) FROM n;
CREATE INDEX sale_person ON sale(person);
CREATE INDEX sale_item ON sale(item, amount);
SELECT town, count(*), round(sum(amount), 2) FROM person JOIN sale ON person.id = sale.person GROUP BY town ORDER BY 3 DESC LIMIT 20;
SELECT item, count(DISTINCT person), max(note) FROM sale GROUP BY item ORDER BY 2 DESC, 1 LIMIT 20;
SELECT name, group_concat(item, ',') FROM (SELECT name, item FROM person JOIN sale ON person.id = sale.person WHERE born < 1950
    ORDER BY name, item LIMIT 3000) GROUP BY name ORDER BY name LIMIT 10;
UPDATE sale SET note = upper(note) || item WHERE id % 3 = 0;
DELETE FROM sale WHERE id % 5 = 0;
SELECT count(*), sum(length(note)), round(avg(amount), 4) FROM sale;
WITH ranked AS (SELECT person, amount, row_number() OVER (PARTITION BY person ORDER BY amount DESC, id) AS place FROM sale)
SELECT place, count(*), round(sum(amount), 2) FROM ranked WHERE place <= 5 GROUP BY place;
VACUUM;
PRAGMA integrity_check;
