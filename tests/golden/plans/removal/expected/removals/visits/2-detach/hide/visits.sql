-- hide.visits: app.visits: fee -> zz_removed_fee
-- from   specs/demo/removals/visits.yaml:1
-- after  enforce.visits
-- locks  ACCESS EXCLUSIVE on app.visits (RENAME COLUMN)
-- undo   shows them again

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.visits
ALTER TABLE app.visits RENAME COLUMN fee TO zz_removed_fee;
CREATE OR REPLACE FUNCTION transhume.capture_demo_visits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.visits AS t WHERE t.id = old.id) THEN
    INSERT INTO transhume.backup_demo_visits (id, _present)
    VALUES (old.id, false)
    ON CONFLICT (id) DO UPDATE SET _present = false, _changed = clock_timestamp();
  END IF;
  IF tg_op <> 'DELETE' THEN
    INSERT INTO transhume.backup_demo_visits (id, fee, _present)
    SELECT t.id, t.zz_removed_fee, true
    FROM app.visits AS t
    WHERE t.id = new.id
    ON CONFLICT (id) DO UPDATE SET
      fee = excluded.fee, _present = true, _changed = clock_timestamp();
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
    count(*) FILTER (WHERE t.here AND b._present AND pg_catalog.record_image_ne(ROW(t.fee), ROW(b.fee))) AS different
  FROM (SELECT true AS here, t.id, t.zz_removed_fee AS fee FROM app.visits AS t) AS t
  FULL JOIN (SELECT b.* FROM transhume.backup_demo_visits AS b WHERE b._present) AS b ON b.id = t.id
) AS counted
CROSS JOIN LATERAL (
  VALUES
    (counted.missing, counted.missing || ' rows are not in the backup'),
    (counted.surplus, counted.surplus || ' rows of the backup are not in the table'),
    (counted.different, counted.different || ' rows have other values in the backup')
) AS found (rows, problem)
WHERE found.rows > 0;

-- transhume: revert on target
-- ACCESS EXCLUSIVE on app.visits
ALTER TABLE app.visits RENAME COLUMN zz_removed_fee TO fee;
CREATE OR REPLACE FUNCTION transhume.capture_demo_visits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.visits AS t WHERE t.id = old.id) THEN
    INSERT INTO transhume.backup_demo_visits (id, _present)
    VALUES (old.id, false)
    ON CONFLICT (id) DO UPDATE SET _present = false, _changed = clock_timestamp();
  END IF;
  IF tg_op <> 'DELETE' THEN
    INSERT INTO transhume.backup_demo_visits (id, fee, _present)
    SELECT t.id, t.fee, true
    FROM app.visits AS t
    WHERE t.id = new.id
    ON CONFLICT (id) DO UPDATE SET
      fee = excluded.fee, _present = true, _changed = clock_timestamp();
  END IF;
  RETURN NULL;
END
$transhume$;
