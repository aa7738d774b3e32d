-- hide.people: app.people: old_code -> zz_removed_old_code
-- from   specs/demo/removals/people.yaml:1
-- after  enforce.people
-- locks  ACCESS EXCLUSIVE on app.people and each of its children (RENAME COLUMN)
-- undo   shows them again

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.people and each of its children
ALTER TABLE app.people RENAME COLUMN old_code TO zz_removed_old_code;
CREATE OR REPLACE FUNCTION transhume.capture_demo_people() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.people AS t WHERE t.id = old.id AND t.tableoid = tg_relid) THEN
    INSERT INTO transhume.backup_demo_people (id, _member, _present)
    VALUES (old.id, tg_relid, false)
    ON CONFLICT (id, _member) DO UPDATE SET _present = false, _changed = clock_timestamp();
  END IF;
  IF tg_op <> 'DELETE' THEN
    INSERT INTO transhume.backup_demo_people (id, _member, old_code, _present)
    SELECT t.id, t.tableoid, t.zz_removed_old_code, true
    FROM app.people AS t
    WHERE t.id = new.id AND t.tableoid = tg_relid
    ON CONFLICT (id, _member) DO UPDATE SET
      old_code = excluded.old_code, _present = true, _changed = clock_timestamp();
  END IF;
  RETURN NULL;
END
$transhume$;

-- transhume: verify on target
SELECT found.problem
FROM (
  SELECT
    count(*) FILTER (WHERE b._present IS NULL) AS missing,
    count(*) FILTER (WHERE t.here IS NULL) AS surplus,
    count(*) FILTER (WHERE t.here AND b._present AND pg_catalog.record_image_ne(ROW(t.old_code), ROW(b.old_code))) AS different
  FROM (SELECT true AS here, t.id, t.tableoid AS _member, t.zz_removed_old_code AS old_code FROM app.people AS t) AS t
  FULL JOIN (SELECT b.* FROM transhume.backup_demo_people AS b WHERE b._present) AS b ON b.id = t.id AND b._member = t._member
) AS counted
CROSS JOIN LATERAL (
  VALUES
    (counted.missing, counted.missing || ' rows are not in the backup'),
    (counted.surplus, counted.surplus || ' rows of the backup are not in the table'),
    (counted.different, counted.different || ' rows have other values in the backup')
) AS found (rows, problem)
WHERE found.rows > 0;

-- transhume: revert on target
-- ACCESS EXCLUSIVE on app.people and each of its children
ALTER TABLE app.people RENAME COLUMN zz_removed_old_code TO old_code;
CREATE OR REPLACE FUNCTION transhume.capture_demo_people() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.people AS t WHERE t.id = old.id AND t.tableoid = tg_relid) THEN
    INSERT INTO transhume.backup_demo_people (id, _member, _present)
    VALUES (old.id, tg_relid, false)
    ON CONFLICT (id, _member) DO UPDATE SET _present = false, _changed = clock_timestamp();
  END IF;
  IF tg_op <> 'DELETE' THEN
    INSERT INTO transhume.backup_demo_people (id, _member, old_code, _present)
    SELECT t.id, t.tableoid, t.old_code, true
    FROM app.people AS t
    WHERE t.id = new.id AND t.tableoid = tg_relid
    ON CONFLICT (id, _member) DO UPDATE SET
      old_code = excluded.old_code, _present = true, _changed = clock_timestamp();
  END IF;
  RETURN NULL;
END
$transhume$;
