-- backfill.people: app.people (old_code) -> transhume.backup_demo_people, in chunks by id
-- from   specs/demo/removals/people.yaml:1
-- after  capture.people
-- locks  ACCESS SHARE on app.people and each of its children (SELECT)
-- locks  ROW EXCLUSIVE on transhume.backup_demo_people (INSERT)
-- undo   the rows go with the backup

-- transhume: size on target
SELECT count(*) AS rows FROM app.people;

-- transhume: bound on target binds after.1 after.2 rows -- the end of the next chunk
SELECT s.id::text, s.tableoid::text, count(*) OVER () AS rows
FROM (
  SELECT s.id, s.tableoid
  FROM app.people AS s
  WHERE ($1::bigint IS NULL OR (s.id, s.tableoid) > ($1::bigint, $2::oid))
  ORDER BY s.id, s.tableoid
  LIMIT $3::bigint
) AS s
ORDER BY s.id DESC, s.tableoid DESC
LIMIT 1;

-- transhume: copy on target binds after.1 after.2 upto.1 upto.2 -- one chunk, with its checkpoint
INSERT INTO transhume.backup_demo_people (id, _member, old_code, _present)
SELECT s.id, s.tableoid, s.old_code, true
FROM app.people AS s
WHERE ($1::bigint IS NULL OR (s.id, s.tableoid) > ($1::bigint, $2::oid))
  AND ($3::bigint IS NULL OR (s.id, s.tableoid) <= ($3::bigint, $4::oid))
ORDER BY s.id, s.tableoid
ON CONFLICT (id, _member) DO NOTHING;

-- transhume: verify on target
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
