-- measure.orders: how long a restore of app.orders (origin) takes
-- from   specs/dispatch/removals/orders.yaml:2
-- after  gate.orders
-- locks  ACCESS SHARE on app.orders (SELECT)
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
  CREATE TABLE transhume.scratch_dispatch_orders (LIKE app.orders INCLUDING DEFAULTS INCLUDING INDEXES);
  FOR index IN  -- those that come after the refill; not unique here, for the rows are of different instants
    SELECT i.indexrelid::regclass AS name, k.conname AS key, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index AS i
    LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid
    WHERE i.indrelid = to_regclass('transhume.scratch_dispatch_orders') AND EXISTS (
      SELECT
      FROM pg_depend AS d
      JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.refobjid = i.indrelid AND a.attname IN ('origin', 'zz_removed_origin') AND d.objid IN (i.indexrelid, k.oid)
    )
  LOOP
    IF index.key IS NULL THEN
      EXECUTE format('DROP INDEX %s', index.name);
    ELSE
      EXECUTE format('ALTER TABLE transhume.scratch_dispatch_orders DROP CONSTRAINT %I', index.key);
    END IF;
    built := built || replace(index.definition, 'CREATE UNIQUE INDEX', 'CREATE INDEX');
  END LOOP;
  INSERT INTO transhume.scratch_dispatch_orders SELECT t.* FROM app.orders AS t ORDER BY t.id LIMIT 20000;
  GET DIAGNOSTICS sample = ROW_COUNT;
  ANALYZE transhume.scratch_dispatch_orders;
  SELECT count(*) INTO total FROM transhume.backup_dispatch_orders AS b WHERE b._present;
  began := clock_timestamp();
  PERFORM 1 FROM transhume.scratch_dispatch_orders AS t FOR NO KEY UPDATE;
  UPDATE transhume.scratch_dispatch_orders AS t SET zz_removed_origin = b.origin
  FROM (SELECT b.* FROM transhume.backup_dispatch_orders AS b ORDER BY b.id LIMIT 20000) AS b
  WHERE b.id = t.id;
  refill := extract(epoch FROM clock_timestamp() - began);
  began := clock_timestamp();
  FOR place IN 1 .. cardinality(built) LOOP
    EXECUTE built[place];
  END LOOP;
  ANALYZE transhume.scratch_dispatch_orders;
  rebuild := extract(epoch FROM clock_timestamp() - began);
  DROP TABLE transhume.scratch_dispatch_orders;
  INSERT INTO transhume.removal_figure (project, removal, sample, refill_seconds, rebuild_seconds, rows, predicted_seconds)
  VALUES ('dispatch', 'orders', sample, refill, rebuild, total, 5 + 3 * total * (refill + rebuild) / greatest(sample, 1));
END
$transhume$;

-- transhume: verify on target -- within the limit
SELECT 'to bring ' || f.rows || ' rows back is predicted to take ' || ceil(f.predicted_seconds) || ' s, more than ' ||
  '5 minutes' || ': stay in phase 2, where it is a rename, or say accept_long_restore' AS problem
FROM transhume.removal_figure AS f
WHERE (f.project, f.removal) = ('dispatch', 'orders')
  AND f.measured_at = (SELECT max(m.measured_at) FROM transhume.removal_figure AS m WHERE (m.project, m.removal) = ('dispatch', 'orders'))
  AND f.predicted_seconds > extract(epoch FROM '5 minutes'::interval);
