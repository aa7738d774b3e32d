-- refill.people-rest: rows that came meanwhile without a value -> app.people (old_code), in chunks by id
-- from   specs/demo/removals/people.yaml:1
-- after  narrow.people
-- locks  ROW EXCLUSIVE on app.people and each of its children (UPDATE, SELECT FOR NO KEY UPDATE)
-- locks  ACCESS SHARE on transhume.backup_demo_people (SELECT)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: size on target
SELECT count(*) AS rows FROM transhume.backup_demo_people AS s WHERE s._present;

-- transhume: bound on target binds after.1 after.2 rows -- the end of the next chunk
SELECT s.id::text, s._member::text, count(*) OVER () AS rows
FROM (
  SELECT s.id, s._member
  FROM transhume.backup_demo_people AS s
  WHERE ($1::bigint IS NULL OR (s.id, s._member) > ($1::bigint, $2::oid))
    AND s._present
  ORDER BY s.id, s._member
  LIMIT $3::bigint
) AS s
ORDER BY s.id DESC, s._member DESC
LIMIT 1;

-- transhume: copy on target binds after.1 after.2 upto.1 upto.2 -- one chunk, with its checkpoint
SET LOCAL session_replication_role = replica;  -- the application's triggers do not fire
SET LOCAL transhume.refill = 'on';
SELECT count(*)
FROM (
  SELECT
  FROM app.people AS t
  WHERE ($1::bigint IS NULL OR (t.id, t.tableoid) > ($1::bigint, $2::oid))
    AND ($3::bigint IS NULL OR (t.id, t.tableoid) <= ($3::bigint, $4::oid))
    AND (t.old_code IS NULL)
  FOR NO KEY UPDATE
) AS locked;
UPDATE app.people AS t SET
  old_code = CASE
    WHEN t.old_code IS NULL AND 'old_code' <> ALL (b._written) THEN CASE WHEN b._born THEN CASE b._member WHEN 'app.staff'::regclass THEN 'staff'::character varying ELSE '-'::character varying END ELSE b.old_code END
    ELSE t.old_code
  END
FROM transhume.backup_demo_people AS b
WHERE b.id = t.id AND b._member = t.tableoid
  AND ($1::bigint IS NULL OR (t.id, t.tableoid) > ($1::bigint, $2::oid))
  AND ($3::bigint IS NULL OR (t.id, t.tableoid) <= ($3::bigint, $4::oid))
  AND ($1::bigint IS NULL OR (b.id, b._member) > ($1::bigint, $2::oid))
  AND ($3::bigint IS NULL OR (b.id, b._member) <= ($3::bigint, $4::oid))
  AND b._present
  AND ((t.old_code IS NULL AND 'old_code' <> ALL (b._written) AND CASE WHEN b._born THEN CASE b._member WHEN 'app.staff'::regclass THEN 'staff'::character varying ELSE '-'::character varying END ELSE b.old_code END IS NOT NULL));

-- transhume: verify on target -- the table has what the backup has
SELECT count(*) || ' rows have not the value of the backup' AS problem
FROM transhume.backup_demo_people AS b
LEFT JOIN app.people AS t ON t.id = b.id AND t.tableoid = b._member
WHERE b._present AND (('old_code' <> ALL (b._written) AND NOT b._born AND (t.id IS NULL OR pg_catalog.record_image_ne(ROW(t.old_code), ROW(b.old_code)))))
HAVING count(*) > 0;
