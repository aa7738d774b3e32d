-- backup.people: transhume.backup_demo_people: a table for the values
-- from   specs/demo/removals/people.yaml:1
-- after  describe.people
-- undo   drops the backup

-- transhume: apply on target
CREATE TABLE transhume.backup_demo_people (
  id bigint NOT NULL,
  _member oid NOT NULL,
  old_code character varying(8),
  _present boolean NOT NULL,
  _born boolean NOT NULL DEFAULT false,
  _written text[] NOT NULL DEFAULT '{}',
  _changed timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (id, _member)
);

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

CREATE OR REPLACE FUNCTION transhume.truncated_demo_people() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  UPDATE transhume.backup_demo_people AS b SET _present = false, _changed = clock_timestamp()
  WHERE b._present AND NOT EXISTS (SELECT FROM app.people AS t WHERE t.id = b.id AND t.tableoid = b._member);
  RETURN NULL;
END
$transhume$;

-- transhume: revert on target
DROP FUNCTION transhume.capture_demo_people(), transhume.truncated_demo_people();
DROP TABLE transhume.backup_demo_people;
