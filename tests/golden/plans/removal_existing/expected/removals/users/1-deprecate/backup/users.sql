-- backup.users: transhume.backup_demo_users: a table for the values
-- from   specs/demo/removals/users.yaml:1
-- after  describe.users
-- undo   drops the backup

-- transhume: apply on target
CREATE TABLE transhume.backup_demo_users (
  id bigint NOT NULL,
  hashed_password character varying(128),
  is_active boolean,
  _present boolean NOT NULL,
  _born boolean NOT NULL DEFAULT false,
  _written text[] NOT NULL DEFAULT '{}',
  _changed timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (id)
);

CREATE OR REPLACE FUNCTION transhume.capture_demo_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.users AS t WHERE t.id = old.id) THEN
    INSERT INTO transhume.backup_demo_users (id, _present)
    VALUES (old.id, false)
    ON CONFLICT (id) DO UPDATE SET _present = false, _changed = clock_timestamp();
  END IF;
  IF tg_op <> 'DELETE' THEN
    INSERT INTO transhume.backup_demo_users (id, hashed_password, is_active, _present)
    SELECT t.id, t.hashed_password, t.is_active, true
    FROM app.users AS t
    WHERE t.id = new.id
    ON CONFLICT (id) DO UPDATE SET
      hashed_password = excluded.hashed_password,
      is_active = excluded.is_active, _present = true, _changed = clock_timestamp();
  END IF;
  RETURN NULL;
END
$transhume$;

CREATE OR REPLACE FUNCTION transhume.truncated_demo_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  UPDATE transhume.backup_demo_users AS b SET _present = false, _changed = clock_timestamp()
  WHERE b._present AND NOT EXISTS (SELECT FROM app.users AS t WHERE t.id = b.id);
  RETURN NULL;
END
$transhume$;

-- transhume: revert on target
DROP FUNCTION transhume.capture_demo_users(), transhume.truncated_demo_users();
DROP TABLE transhume.backup_demo_users;
