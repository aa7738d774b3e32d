-- backup.visits: transhume.backup_demo_visits: a table for the values
-- from   specs/demo/removals/visits.yaml:1
-- after  describe.visits
-- undo   drops the backup

-- transhume: apply on target
CREATE TABLE transhume.backup_demo_visits (
  id uuid NOT NULL,
  fee numeric(12,2),
  _present boolean NOT NULL,
  _born boolean NOT NULL DEFAULT false,
  _written text[] NOT NULL DEFAULT '{}',
  _changed timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (id)
);

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

CREATE OR REPLACE FUNCTION transhume.truncated_demo_visits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  UPDATE transhume.backup_demo_visits AS b SET _present = false, _changed = clock_timestamp()
  WHERE b._present AND NOT EXISTS (SELECT FROM app.visits AS t WHERE t.id = b.id);
  RETURN NULL;
END
$transhume$;

-- transhume: revert on target
DROP FUNCTION transhume.capture_demo_visits(), transhume.truncated_demo_visits();
DROP TABLE transhume.backup_demo_visits;
