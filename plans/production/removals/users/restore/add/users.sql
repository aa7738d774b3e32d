-- add.users: app.users (hashed_password, is_active): the columns are added, without values yet
-- from   specs/production/removals/users.yaml:2
-- locks  ACCESS EXCLUSIVE on app.users (ADD COLUMN, SET DEFAULT, CREATE TRIGGER)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: gate on target -- there is something to restore from
SELECT 'the backup is not there' AS problem WHERE to_regclass('transhume.backup_production_users') IS NULL;

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users
  ADD COLUMN hashed_password character varying(128),
  ADD COLUMN is_active boolean;

-- ACCESS EXCLUSIVE on app.users: for rows to come; those that are there get theirs from the backup
ALTER TABLE app.users
  ALTER COLUMN hashed_password SET DEFAULT '!'::character varying,
  ALTER COLUMN is_active SET DEFAULT true;

-- storage, statistics, comments, grants
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('production', 'users') AND s.stage IN ('column')
    ORDER BY array_position(ARRAY['column'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;

CREATE OR REPLACE FUNCTION transhume.moving_production_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  INSERT INTO transhume.moved_production_users (_transaction, id, hashed_password, is_active, _present, _born, _written, _changed)
  SELECT pg_current_xact_id(), new.id, b.hashed_password, b.is_active, b._present, b._born, b._written, b._changed
  FROM transhume.backup_production_users AS b
  WHERE b.id = old.id AND b._present
  ON CONFLICT (_transaction, id) DO UPDATE SET
    hashed_password = excluded.hashed_password,
    is_active = excluded.is_active,
    _present = excluded._present,
    _born = excluded._born,
    _written = excluded._written,
    _changed = excluded._changed;
  RETURN new;
END
$transhume$;

CREATE OR REPLACE FUNCTION transhume.soak_production_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
DECLARE
  moved transhume.moved_production_users%ROWTYPE;
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.users AS t WHERE t.id = old.id) THEN
    UPDATE transhume.backup_production_users AS b SET _present = false, _changed = clock_timestamp() WHERE b.id = old.id;
  END IF;
  IF tg_op <> 'DELETE' THEN
    DELETE FROM transhume.moved_production_users AS m WHERE m._transaction = pg_current_xact_id() AND m.id = new.id RETURNING m.* INTO moved;
    IF moved._transaction IS NOT NULL THEN
      INSERT INTO transhume.backup_production_users (id, hashed_password, is_active, _present, _born, _written, _changed)
      VALUES (moved.id, moved.hashed_password, moved.is_active, moved._present, moved._born, moved._written, moved._changed)
      ON CONFLICT (id) DO UPDATE SET
        hashed_password = excluded.hashed_password,
        is_active = excluded.is_active,
        _present = excluded._present,
        _born = excluded._born,
        _written = excluded._written,
        _changed = excluded._changed;
    ELSIF tg_op = 'INSERT' THEN
      INSERT INTO transhume.backup_production_users (id, _present, _born, _written)
      VALUES (new.id, true, true, ARRAY[]::text[])
      ON CONFLICT (id) DO UPDATE SET
        hashed_password = NULL,
        is_active = NULL, _present = true, _born = true, _written = excluded._written,
        _changed = clock_timestamp();
    END IF;
  END IF;
  RETURN NULL;
END
$transhume$;

CREATE OR REPLACE FUNCTION transhume.wrote_production_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF coalesce(current_setting('transhume.refill', true), '') <> 'on' THEN
    UPDATE transhume.backup_production_users AS b SET _written = b._written || tg_argv[0] WHERE b.id = new.id;
  END IF;
  RETURN NULL;
END
$transhume$;

-- ACCESS EXCLUSIVE on app.users
CREATE TRIGGER zz_transhume_users_wrote_1 AFTER UPDATE ON app.users
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.hashed_password), ROW(new.hashed_password)))
  EXECUTE FUNCTION transhume.wrote_production_users('hashed_password');
ALTER TABLE app.users ENABLE ALWAYS TRIGGER zz_transhume_users_wrote_1;
-- ACCESS EXCLUSIVE on app.users
CREATE TRIGGER zz_transhume_users_wrote_2 AFTER UPDATE ON app.users
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.is_active), ROW(new.is_active)))
  EXECUTE FUNCTION transhume.wrote_production_users('is_active');
ALTER TABLE app.users ENABLE ALWAYS TRIGGER zz_transhume_users_wrote_2;
