-- backfill.visits: app.visits (fee) -> transhume.backup_demo_visits, in chunks by id
-- from   specs/demo/removals/visits.yaml:1
-- after  capture.visits
-- locks  ACCESS SHARE on app.visits (SELECT)
-- locks  ROW EXCLUSIVE on transhume.backup_demo_visits (INSERT)
-- undo   the rows go with the backup

-- transhume: size on target
SELECT count(*) AS rows FROM app.visits;

-- transhume: bound on target binds after.1 rows -- the end of the next chunk
SELECT s.id::text, count(*) OVER () AS rows
FROM (
  SELECT s.id
  FROM app.visits AS s
  WHERE ($1::uuid IS NULL OR s.id > $1::uuid)
  ORDER BY s.id
  LIMIT $2::bigint
) AS s
ORDER BY s.id DESC
LIMIT 1;

-- transhume: copy on target binds after.1 upto.1 -- one chunk, with its checkpoint
INSERT INTO transhume.backup_demo_visits (id, fee, _present)
SELECT s.id, s.fee, true
FROM app.visits AS s
WHERE ($1::uuid IS NULL OR s.id > $1::uuid)
  AND ($2::uuid IS NULL OR s.id <= $2::uuid)
ORDER BY s.id
ON CONFLICT (id) DO NOTHING;

-- transhume: verify on target
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
