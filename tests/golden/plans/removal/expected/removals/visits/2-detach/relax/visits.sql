-- relax.visits: app.visits: rows may come without the columns (they may be NULL already)
-- from   specs/demo/removals/visits.yaml:1
-- undo   gives rows that came without a value the one of `on_restore`, then sets NOT NULL again

-- transhume: gate on target -- the backup is what the table has
SELECT found.problem
FROM (
  SELECT
    count(*) FILTER (WHERE b._present IS NULL) AS missing,
    count(*) FILTER (WHERE t.here IS NULL) AS surplus,
    count(*) FILTER (WHERE t.here AND b._present AND pg_catalog.record_image_ne(ROW(t.fee), ROW(b.fee))) AS different
  FROM (SELECT true AS here, t.id, t.fee AS fee FROM app.visits AS t) AS t
  FULL JOIN (SELECT b.* FROM transhume.backup_demo_visits AS b WHERE b._present) AS b ON b.id = t.id
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
WHERE i.indrelid = to_regclass('app.visits') AND i.indisreplident AND a.attname IN ('fee', 'zz_removed_fee');
