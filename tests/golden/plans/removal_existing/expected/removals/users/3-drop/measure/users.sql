-- measure.users: how long a restore of app.users (hashed_password, is_active) takes
-- from   specs/demo/removals/users.yaml:1
-- after  gate.users
-- locks  ACCESS SHARE on app.users (SELECT)
-- undo   nothing to undo

-- transhume: apply on target
DO $transhume$
DECLARE
  began timestamptz;
  sample bigint;
  refill double precision;
  rebuild double precision;
  total bigint;
  index record;
  built text[] := '{}';
BEGIN
  CREATE TABLE transhume.scratch_demo_users (LIKE app.users INCLUDING DEFAULTS INCLUDING INDEXES);
  FOR index IN  -- those that come after the refill; not unique here, for the rows are of different instants
    SELECT i.indexrelid::regclass AS name, k.conname AS key, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index AS i
    LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid
    WHERE i.indrelid = to_regclass('transhume.scratch_demo_users') AND EXISTS (
      SELECT
      FROM pg_depend AS d
      JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.refobjid = i.indrelid AND a.attname IN ('hashed_password', 'is_active') AND d.objid IN (i.indexrelid, k.oid)
    )
  LOOP
    IF index.key IS NULL THEN
      EXECUTE format('DROP INDEX %s', index.name);
    ELSE
      EXECUTE format('ALTER TABLE transhume.scratch_demo_users DROP CONSTRAINT %I', index.key);
    END IF;
    built := built || replace(index.definition, 'CREATE UNIQUE INDEX', 'CREATE INDEX');
  END LOOP;
  INSERT INTO transhume.scratch_demo_users SELECT t.* FROM app.users AS t ORDER BY t.id LIMIT 20000;
  GET DIAGNOSTICS sample = ROW_COUNT;
  ANALYZE transhume.scratch_demo_users;
  SELECT count(*) INTO total FROM transhume.backup_demo_users AS b WHERE b._present;
  began := clock_timestamp();
  PERFORM 1 FROM transhume.scratch_demo_users AS t FOR NO KEY UPDATE;
  UPDATE transhume.scratch_demo_users AS t SET hashed_password = b.hashed_password, is_active = b.is_active
  FROM (SELECT b.* FROM transhume.backup_demo_users AS b ORDER BY b.id LIMIT 20000) AS b
  WHERE b.id = t.id;
  refill := extract(epoch FROM clock_timestamp() - began);
  began := clock_timestamp();
  FOR place IN 1 .. cardinality(built) LOOP
    EXECUTE built[place];
  END LOOP;
  ANALYZE transhume.scratch_demo_users;
  rebuild := extract(epoch FROM clock_timestamp() - began);
  DROP TABLE transhume.scratch_demo_users;
  INSERT INTO transhume.removal_figure (project, removal, sample, refill_seconds, rebuild_seconds, rows, predicted_seconds)
  VALUES ('demo', 'users', sample, refill, rebuild, total, 5 + 3 * total * (refill + rebuild) / greatest(sample, 1));
END
$transhume$;
