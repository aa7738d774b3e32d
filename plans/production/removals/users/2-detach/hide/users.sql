-- hide.users: app.users: hashed_password -> zz_removed_hashed_password, is_active -> zz_removed_is_active
-- from   specs/production/removals/users.yaml:2
-- after  enforce.users
-- locks  ACCESS EXCLUSIVE on app.users (RENAME COLUMN)
-- undo   shows them again

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users RENAME COLUMN hashed_password TO zz_removed_hashed_password;
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users RENAME COLUMN is_active TO zz_removed_is_active;
CREATE OR REPLACE FUNCTION transhume.capture_production_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.users AS t WHERE t.id = old.id) THEN
    INSERT INTO transhume.backup_production_users (id, _present)
    VALUES (old.id, false)
    ON CONFLICT (id) DO UPDATE SET _present = false, _changed = clock_timestamp();
  END IF;
  IF tg_op <> 'DELETE' THEN
    INSERT INTO transhume.backup_production_users (id, hashed_password, is_active, _present)
    SELECT t.id, t.zz_removed_hashed_password, t.zz_removed_is_active, true
    FROM app.users AS t
    WHERE t.id = new.id
    ON CONFLICT (id) DO UPDATE SET
      hashed_password = excluded.hashed_password,
      is_active = excluded.is_active, _present = true, _changed = clock_timestamp();
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
    count(*) FILTER (WHERE t.here AND b._present AND pg_catalog.record_image_ne(ROW(t.hashed_password, t.is_active), ROW(b.hashed_password, b.is_active))) AS different
  FROM (SELECT true AS here, t.id, t.zz_removed_hashed_password AS hashed_password, t.zz_removed_is_active AS is_active FROM app.users AS t) AS t
  FULL JOIN (SELECT b.* FROM transhume.backup_production_users AS b WHERE b._present) AS b ON b.id = t.id
) AS counted
CROSS JOIN LATERAL (
  VALUES
    (counted.missing, counted.missing || ' rows are not in the backup'),
    (counted.surplus, counted.surplus || ' rows of the backup are not in the table'),
    (counted.different, counted.different || ' rows have other values in the backup')
) AS found (rows, problem)
WHERE found.rows > 0;

-- transhume: revert on target
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users RENAME COLUMN zz_removed_hashed_password TO hashed_password;
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users RENAME COLUMN zz_removed_is_active TO is_active;
CREATE OR REPLACE FUNCTION transhume.capture_production_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.users AS t WHERE t.id = old.id) THEN
    INSERT INTO transhume.backup_production_users (id, _present)
    VALUES (old.id, false)
    ON CONFLICT (id) DO UPDATE SET _present = false, _changed = clock_timestamp();
  END IF;
  IF tg_op <> 'DELETE' THEN
    INSERT INTO transhume.backup_production_users (id, hashed_password, is_active, _present)
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
