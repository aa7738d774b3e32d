-- add.people: app.people (old_code): the columns are added, without values yet
-- from   specs/demo/removals/people.yaml:1
-- locks  ACCESS EXCLUSIVE on app.people and each of its children (ADD COLUMN, SET DEFAULT, CREATE TRIGGER)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: gate on target -- there is something to restore from
SELECT 'the backup is not there' AS problem WHERE to_regclass('transhume.backup_demo_people') IS NULL;

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
SELECT 'column ' || a.attname || ' of ' || a.attrelid::regclass || ' is there already'
FROM attribute AS a
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

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.people and each of its children
ALTER TABLE app.people
  ADD COLUMN old_code character varying(8);

-- ACCESS EXCLUSIVE on app.people: for rows to come; those that are there get theirs from the backup
ALTER TABLE ONLY app.people
  ALTER COLUMN old_code SET DEFAULT '-'::character varying;

-- ACCESS EXCLUSIVE on app.staff: for rows to come; those that are there get theirs from the backup
ALTER TABLE ONLY app.staff
  ALTER COLUMN old_code SET DEFAULT 'staff'::character varying;

-- ACCESS EXCLUSIVE on app.interns: for rows to come; those that are there get theirs from the backup
ALTER TABLE ONLY app.interns
  ALTER COLUMN old_code SET DEFAULT '-'::character varying;

-- storage, statistics, comments, grants
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('demo', 'people') AND s.stage IN ('column')
    ORDER BY array_position(ARRAY['column'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;

CREATE OR REPLACE FUNCTION transhume.moving_demo_people() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  INSERT INTO transhume.moved_demo_people (_transaction, id, _member, old_code, _present, _born, _written, _changed)
  SELECT pg_current_xact_id(), new.id, tg_relid, b.old_code, b._present, b._born, b._written, b._changed
  FROM transhume.backup_demo_people AS b
  WHERE b.id = old.id AND b._member = tg_relid AND b._present
  ON CONFLICT (_transaction, id, _member) DO UPDATE SET
    old_code = excluded.old_code,
    _present = excluded._present,
    _born = excluded._born,
    _written = excluded._written,
    _changed = excluded._changed;
  RETURN new;
END
$transhume$;

CREATE OR REPLACE FUNCTION transhume.soak_demo_people() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
DECLARE
  moved transhume.moved_demo_people%ROWTYPE;
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.people AS t WHERE t.id = old.id AND t.tableoid = tg_relid) THEN
    UPDATE transhume.backup_demo_people AS b SET _present = false, _changed = clock_timestamp() WHERE b.id = old.id AND b._member = tg_relid;
  END IF;
  IF tg_op <> 'DELETE' THEN
    DELETE FROM transhume.moved_demo_people AS m WHERE m._transaction = pg_current_xact_id() AND m.id = new.id AND m._member = tg_relid RETURNING m.* INTO moved;
    IF moved._transaction IS NOT NULL THEN
      INSERT INTO transhume.backup_demo_people (id, _member, old_code, _present, _born, _written, _changed)
      VALUES (moved.id, moved._member, moved.old_code, moved._present, moved._born, moved._written, moved._changed)
      ON CONFLICT (id, _member) DO UPDATE SET
        old_code = excluded.old_code,
        _present = excluded._present,
        _born = excluded._born,
        _written = excluded._written,
        _changed = excluded._changed;
    ELSIF tg_op = 'INSERT' THEN
      INSERT INTO transhume.backup_demo_people (id, _member, _present, _born, _written)
      VALUES (new.id, tg_relid, true, true, ARRAY[]::text[])
      ON CONFLICT (id, _member) DO UPDATE SET
        old_code = NULL, _present = true, _born = true, _written = excluded._written,
        _changed = clock_timestamp();
    END IF;
  END IF;
  RETURN NULL;
END
$transhume$;

CREATE OR REPLACE FUNCTION transhume.wrote_demo_people() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF coalesce(current_setting('transhume.refill', true), '') <> 'on' THEN
    UPDATE transhume.backup_demo_people AS b SET _written = b._written || tg_argv[0] WHERE b.id = new.id AND b._member = tg_relid;
  END IF;
  RETURN NULL;
END
$transhume$;

-- ACCESS EXCLUSIVE on app.people
CREATE TRIGGER zz_transhume_people_wrote_1 AFTER UPDATE ON app.people
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.old_code), ROW(new.old_code)))
  EXECUTE FUNCTION transhume.wrote_demo_people('old_code');
ALTER TABLE app.people ENABLE ALWAYS TRIGGER zz_transhume_people_wrote_1;
-- ACCESS EXCLUSIVE on app.staff
CREATE TRIGGER zz_transhume_people_wrote_1 AFTER UPDATE ON app.staff
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.old_code), ROW(new.old_code)))
  EXECUTE FUNCTION transhume.wrote_demo_people('old_code');
ALTER TABLE app.staff ENABLE ALWAYS TRIGGER zz_transhume_people_wrote_1;
-- ACCESS EXCLUSIVE on app.interns
CREATE TRIGGER zz_transhume_people_wrote_1 AFTER UPDATE ON app.interns
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.old_code), ROW(new.old_code)))
  EXECUTE FUNCTION transhume.wrote_demo_people('old_code');
ALTER TABLE app.interns ENABLE ALWAYS TRIGGER zz_transhume_people_wrote_1;
