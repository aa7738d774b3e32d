-- measure.people: how long a restore of app.people (old_code) takes
-- from   specs/demo/removals/people.yaml:1
-- after  gate.people
-- locks  ACCESS SHARE on app.people and each of its children (SELECT)
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
  CREATE TABLE transhume.scratch_demo_people (LIKE app.people INCLUDING DEFAULTS INCLUDING INDEXES, _member oid);
  FOR index IN  -- those that come after the refill; not unique here, for the rows are of different instants
    SELECT i.indexrelid::regclass AS name, k.conname AS key, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index AS i
    LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid
    WHERE i.indrelid = to_regclass('transhume.scratch_demo_people') AND EXISTS (
      SELECT
      FROM pg_depend AS d
      JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.refobjid = i.indrelid AND a.attname IN ('old_code', 'zz_removed_old_code') AND d.objid IN (i.indexrelid, k.oid)
    )
  LOOP
    IF index.key IS NULL THEN
      EXECUTE format('DROP INDEX %s', index.name);
    ELSE
      EXECUTE format('ALTER TABLE transhume.scratch_demo_people DROP CONSTRAINT %I', index.key);
    END IF;
    built := built || replace(index.definition, 'CREATE UNIQUE INDEX', 'CREATE INDEX');
  END LOOP;
  FOR index IN  -- rows of two members may have equal keys
    SELECT i.indexrelid::regclass AS name, k.conname AS key
    FROM pg_index AS i
    LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid
    WHERE i.indrelid = to_regclass('transhume.scratch_demo_people') AND i.indisunique
  LOOP
    IF index.key IS NULL THEN
      EXECUTE format('DROP INDEX %s', index.name);
    ELSE
      EXECUTE format('ALTER TABLE transhume.scratch_demo_people DROP CONSTRAINT %I', index.key);
    END IF;
  END LOOP;
  CREATE UNIQUE INDEX ON transhume.scratch_demo_people (id, _member);
  FOR index IN  -- what its children have, as far as the sample has the columns: built on all of the sample, not on a part
    SELECT 'CREATE INDEX ON transhume.scratch_demo_people' || substr(x.definition, strpos(x.definition, ' USING ')) AS definition
    FROM pg_index AS i
    CROSS JOIN LATERAL (VALUES (pg_get_indexdef(i.indexrelid))) AS x (definition)
    CROSS JOIN LATERAL (
      SELECT array_agg(a.attname::text)
      FROM pg_attribute AS a
      WHERE a.attrelid = i.indrelid AND (
        a.attnum = ANY (i.indkey::smallint[]) OR EXISTS (
          SELECT FROM pg_depend AS d
          WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum
        )
      )
    ) AS k (names)
    WHERE i.indrelid = ANY (ARRAY['app.staff', 'app.interns']::regclass[]) AND k.names && ARRAY['old_code', 'zz_removed_old_code'] AND k.names <@ ARRAY(
      SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = to_regclass('transhume.scratch_demo_people') AND a.attnum > 0
    )
  LOOP
    built := built || index.definition;
  END LOOP;
  INSERT INTO transhume.scratch_demo_people SELECT t.*, t.tableoid FROM app.people AS t ORDER BY t.id, t.tableoid LIMIT 20000;
  GET DIAGNOSTICS sample = ROW_COUNT;
  ANALYZE transhume.scratch_demo_people;
  SELECT count(*) INTO total FROM transhume.backup_demo_people AS b WHERE b._present;
  began := clock_timestamp();
  PERFORM 1 FROM transhume.scratch_demo_people AS t FOR NO KEY UPDATE;
  UPDATE transhume.scratch_demo_people AS t SET zz_removed_old_code = b.old_code
  FROM (SELECT b.* FROM transhume.backup_demo_people AS b ORDER BY b.id, b._member LIMIT 20000) AS b
  WHERE b.id = t.id AND b._member = t._member;
  refill := extract(epoch FROM clock_timestamp() - began);
  began := clock_timestamp();
  FOR place IN 1 .. cardinality(built) LOOP
    EXECUTE built[place];
  END LOOP;
  ANALYZE transhume.scratch_demo_people;
  rebuild := extract(epoch FROM clock_timestamp() - began);
  DROP TABLE transhume.scratch_demo_people;
  INSERT INTO transhume.removal_figure (project, removal, sample, refill_seconds, rebuild_seconds, rows, predicted_seconds)
  VALUES ('demo', 'people', sample, refill, rebuild, total, 5 + 3 * total * (refill + rebuild) / greatest(sample, 1));
END
$transhume$;

-- transhume: verify on target -- within the limit
SELECT 'to bring ' || f.rows || ' rows back is predicted to take ' || ceil(f.predicted_seconds) || ' s, more than ' ||
  '5 minutes' || ': stay in phase 2, where it is a rename, or say accept_long_restore' AS problem
FROM transhume.removal_figure AS f
WHERE (f.project, f.removal) = ('demo', 'people')
  AND f.measured_at = (SELECT max(m.measured_at) FROM transhume.removal_figure AS m WHERE (m.project, m.removal) = ('demo', 'people'))
  AND f.predicted_seconds > extract(epoch FROM '5 minutes'::interval);
