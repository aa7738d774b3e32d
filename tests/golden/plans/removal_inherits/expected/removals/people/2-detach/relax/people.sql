-- relax.people: app.people: rows may come without old_code
-- from   specs/demo/removals/people.yaml:1
-- locks  ACCESS EXCLUSIVE on app.people and each of its children (DROP NOT NULL)
-- undo   gives rows that came without a value the one of `on_restore`, then sets NOT NULL again

-- transhume: gate on target -- its children are those of the plan
WITH RECURSIVE member AS (
  SELECT to_regclass('app.people')::oid AS oid
  UNION
  SELECT i.inhrelid FROM member AS m JOIN pg_inherits AS i ON i.inhparent = m.oid
), reviewed AS (
  SELECT r.name, to_regclass(r.name)::oid AS oid
  FROM (
    VALUES
      ('app.people'),
      ('app.staff'),
      ('app.interns')
  ) AS r (name)
), attribute AS (
  SELECT a.*, (
    SELECT count(*) FROM pg_inherits AS i JOIN member AS p ON p.oid = i.inhparent WHERE i.inhrelid = a.attrelid
  ) AS parents
  FROM member AS m
  JOIN pg_attribute AS a ON a.attrelid = m.oid AND a.attname IN ('old_code', 'zz_removed_old_code') AND NOT a.attisdropped
)
SELECT m.oid::regclass || ' is a child that the plan does not know: its rows are not in the backup' AS problem
FROM member AS m
WHERE NOT EXISTS (SELECT FROM reviewed AS r WHERE r.oid = m.oid)
UNION ALL
SELECT r.name || ' is no child any more'
FROM reviewed AS r
WHERE NOT EXISTS (SELECT FROM member AS m WHERE m.oid = r.oid)
UNION ALL
SELECT 'column ' || a.attname || ' of ' || a.attrelid::regclass || ' would stay: it is its own too, or that of another parent'
FROM attribute AS a
WHERE a.parents > 0 AND (a.attislocal OR a.attinhcount <> a.parents)
UNION ALL
SELECT 'NOT NULL of column ' || a.attname || ' of ' || a.attrelid::regclass || ' has another name than that of its parent'
FROM attribute AS a
JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'n' AND a.attnum = ANY (k.conkey)
WHERE a.parents > 0 AND k.coninhcount > 0 AND NOT EXISTS (
  SELECT
  FROM pg_inherits AS i
  JOIN pg_constraint AS p ON p.conrelid = i.inhparent AND p.contype = 'n' AND p.conname = k.conname
  WHERE i.inhrelid = a.attrelid
)
UNION ALL
SELECT m.oid::regclass || ' has no unique key over the columns by which the backup finds its rows'
FROM member AS m
WHERE NOT EXISTS (
  SELECT
  FROM pg_index AS i
  CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE "C") AS names, bool_and(a.attnotnull) AS strict
    FROM generate_series(0, i.indnkeyatts - 1) AS n
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n]
  ) AS k
  WHERE i.indrelid = m.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
    AND i.indnkeyatts = 1 AND k.strict AND k.names = ARRAY['id']
);

-- transhume: gate on target -- the backup is what the table has
SELECT found.problem
FROM (
  SELECT
    count(*) FILTER (WHERE b._present IS NULL) AS missing,
    count(*) FILTER (WHERE t.here IS NULL) AS surplus,
    count(*) FILTER (WHERE t.here AND b._present AND pg_catalog.record_image_ne(ROW(t.old_code), ROW(b.old_code))) AS different
  FROM (SELECT true AS here, t.id, t.tableoid AS _member, t.old_code AS old_code FROM app.people AS t) AS t
  FULL JOIN (SELECT b.* FROM transhume.backup_demo_people AS b WHERE b._present) AS b ON b.id = t.id AND b._member = t._member
) AS counted
CROSS JOIN LATERAL (
  VALUES
    (counted.missing, counted.missing || ' rows are not in the backup'),
    (counted.surplus, counted.surplus || ' rows of the backup are not in the table'),
    (counted.different, counted.different || ' rows have other values in the backup')
) AS found (rows, problem)
WHERE found.rows > 0;

-- transhume: gate on target -- the replica identity is another index
SELECT i.indexrelid::regclass || ' is the replica identity of ' || i.indrelid::regclass || ': give it another one' AS problem
FROM pg_index AS i
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[])
WHERE i.indrelid = to_regclass('app.people') AND i.indisreplident AND a.attname IN ('old_code', 'zz_removed_old_code');

-- transhume: gate on target -- the replica identity is another index
SELECT i.indexrelid::regclass || ' is the replica identity of ' || i.indrelid::regclass || ': give it another one' AS problem
FROM pg_index AS i
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[])
WHERE i.indrelid = to_regclass('app.staff') AND i.indisreplident AND a.attname IN ('old_code', 'zz_removed_old_code');

-- transhume: gate on target -- the replica identity is another index
SELECT i.indexrelid::regclass || ' is the replica identity of ' || i.indrelid::regclass || ': give it another one' AS problem
FROM pg_index AS i
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[])
WHERE i.indrelid = to_regclass('app.interns') AND i.indisreplident AND a.attname IN ('old_code', 'zz_removed_old_code');

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.people and each of its children
ALTER TABLE app.people
  ALTER COLUMN old_code DROP NOT NULL;

-- ACCESS EXCLUSIVE on app.staff and each of its children
ALTER TABLE app.staff
  ALTER COLUMN old_code DROP NOT NULL;

-- ACCESS EXCLUSIVE on app.interns
ALTER TABLE app.interns
  ALTER COLUMN old_code DROP NOT NULL;

-- transhume: revert on target
SET LOCAL session_replication_role = replica;  -- the application's triggers do not fire
UPDATE ONLY app.people AS t SET old_code = '-'::character varying WHERE t.old_code IS NULL;
SET LOCAL session_replication_role = origin;

SET LOCAL session_replication_role = replica;  -- the application's triggers do not fire
UPDATE ONLY app.staff AS t SET old_code = 'staff'::character varying WHERE t.old_code IS NULL;
SET LOCAL session_replication_role = origin;

SET LOCAL session_replication_role = replica;  -- the application's triggers do not fire
UPDATE ONLY app.interns AS t SET old_code = '-'::character varying WHERE t.old_code IS NULL;
SET LOCAL session_replication_role = origin;

-- ACCESS EXCLUSIVE on app.people and each of its children
ALTER TABLE app.people
  ALTER COLUMN old_code SET NOT NULL;

DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('demo', 'people') AND s.stage IN ('null')
    ORDER BY array_position(ARRAY['null'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;
