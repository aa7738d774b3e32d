-- drop.people: app.people (old_code) is dropped
-- from   specs/demo/removals/people.yaml:1
-- after  unlink.people
-- locks  ACCESS EXCLUSIVE on app.people and each of its children (LOCK TABLE, DROP TRIGGER, CREATE TRIGGER, DROP
--        COLUMN)
-- undo   `transhume restore people`: values come from the backup

-- transhume: apply on target
CREATE TABLE transhume.moved_demo_people (
  _transaction xid8 NOT NULL,
  LIKE transhume.backup_demo_people INCLUDING DEFAULTS,
  PRIMARY KEY (_transaction, id, _member)
);

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

-- ACCESS EXCLUSIVE on app.people and each of its children: everything from here on, for as short as it can be
LOCK TABLE app.people IN ACCESS EXCLUSIVE MODE;

-- nothing has come since the gates were asked
DO $transhume$
DECLARE
  problems text;
BEGIN
  SELECT string_agg(f.problem, '; ') INTO problems
  FROM (
    (SELECT live.kind || ' ' || live.identity || ' uses the columns, and ' ||
      CASE live.effect WHEN 'goes' THEN 'the plan does not know it' ELSE 'the removal does not name it' END AS problem
    FROM (
      WITH RECURSIVE tree AS (
        SELECT a.attrelid AS relid, a.attnum::integer AS attnum, a.attname AS column_name
        FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass('app.people') AND a.attname IN ('old_code', 'zz_removed_old_code') AND NOT a.attisdropped
        UNION ALL
        SELECT i.inhrelid, c.attnum::integer, c.attname
        FROM tree AS t
        JOIN pg_inherits AS i ON i.inhparent = t.relid
        JOIN pg_attribute AS c ON c.attrelid = i.inhrelid AND c.attname = t.column_name AND NOT c.attisdropped
      ), doomed AS (
        SELECT 'pg_class'::regclass::oid AS classid, relid AS objid, attnum AS objsubid, 0 AS depth FROM tree
        UNION
        SELECT d.classid, d.objid, d.objsubid, p.depth + 1
        FROM doomed AS p
        JOIN pg_depend AS d
          ON d.refclassid = p.classid AND d.refobjid = p.objid AND (p.objsubid = 0 OR d.refobjsubid = p.objsubid)
        WHERE d.deptype IN ('a', 'i', 'P', 'S') AND p.depth < 16
          AND NOT (d.classid = 'pg_class'::regclass AND d.objid IN (SELECT relid FROM tree) AND d.objsubid = 0)
      ), goes AS (
        SELECT DISTINCT classid, objid, objsubid FROM doomed
      ), edge AS (
        SELECT d.classid, d.objid, d.objsubid
        FROM goes AS p
        JOIN pg_depend AS d
          ON d.refclassid = p.classid AND d.refobjid = p.objid AND (p.objsubid = 0 OR d.refobjsubid = p.objsubid)
        WHERE d.deptype = 'n'
          AND NOT EXISTS (SELECT FROM goes AS x WHERE (x.classid, x.objid, x.objsubid) = (d.classid, d.objid, d.objsubid))
        UNION
        SELECT d.refclassid, d.refobjid, d.refobjsubid
        FROM goes AS p
        JOIN pg_depend AS d ON d.classid = p.classid AND d.objid = p.objid AND d.objsubid = p.objsubid AND d.deptype = 'i'
        WHERE NOT EXISTS (
            SELECT FROM goes AS x
            WHERE (x.classid, x.objid) = (d.refclassid, d.refobjid) AND x.objsubid IN (0, d.refobjsubid)
          )
          AND NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT relid FROM tree))
      ), blocks AS (
        SELECT classid, objid, objsubid, 1 AS depth FROM edge
        UNION
        SELECT x.classid, x.objid, x.objsubid, b.depth + 1
        FROM blocks AS b
        CROSS JOIN LATERAL (
          SELECT d.classid, d.objid, d.objsubid
          FROM pg_depend AS d
          WHERE d.refclassid = b.classid AND d.refobjid = b.objid AND (b.objsubid = 0 OR d.refobjsubid = b.objsubid)
            AND NOT (b.classid = 'pg_class'::regclass AND b.objid IN (SELECT relid FROM tree))
          UNION ALL
          SELECT d.refclassid, d.refobjid, d.refobjsubid
          FROM pg_depend AS d
          WHERE d.classid = b.classid AND d.objid = b.objid AND d.deptype = 'i' AND b.classid = 'pg_rewrite'::regclass
        ) AS x
        WHERE b.depth < 16
      ), found AS (
        SELECT classid, objid, objsubid, 'goes' AS effect FROM doomed WHERE depth > 0
        UNION
        SELECT classid, objid, objsubid, CASE min(depth) WHEN 1 THEN 'blocks' ELSE 'above' END
        FROM blocks
        WHERE (classid, objid, objsubid) NOT IN (SELECT classid, objid, objsubid FROM goes)
        GROUP BY classid, objid, objsubid
      ), named AS (
        SELECT f.effect, CASE k.contype WHEN 'c' THEN 'check constraint' ELSE o.type END AS kind, o.identity
        FROM found AS f
        LEFT JOIN pg_rewrite AS r ON f.classid = 'pg_rewrite'::regclass AND r.oid = f.objid AND r.rulename = '_RETURN'
        LEFT JOIN pg_publication_rel AS p ON f.classid = 'pg_publication_rel'::regclass AND p.oid = f.objid
        LEFT JOIN pg_constraint AS k ON f.classid = 'pg_constraint'::regclass AND k.oid = f.objid
        LEFT JOIN pg_trigger AS g ON f.classid = 'pg_trigger'::regclass AND g.oid = f.objid
        LEFT JOIN pg_class AS c ON f.classid = 'pg_class'::regclass AND c.oid = f.objid
        CROSS JOIN LATERAL pg_identify_object(
          CASE WHEN r.oid IS NOT NULL THEN 'pg_class'::regclass::oid
               WHEN p.oid IS NOT NULL THEN 'pg_publication'::regclass::oid ELSE f.classid END,
          coalesce(r.ev_class, p.prpubid, f.objid),
          CASE WHEN r.oid IS NOT NULL OR p.oid IS NOT NULL THEN 0 ELSE f.objsubid END
        ) AS o
        WHERE f.classid NOT IN ('pg_type'::regclass, 'pg_attrdef'::regclass)
          AND k.contype IS DISTINCT FROM 'n'
          AND coalesce(k.conparentid, 0) = 0 AND k.conislocal IS NOT FALSE AND coalesce(NOT c.relispartition, true)
          AND g.tgisinternal IS NOT TRUE
          AND NOT coalesce(g.tgname LIKE 'zz%\_transhume\_%', false)
          AND NOT (f.classid = 'pg_class'::regclass AND c.relnamespace = 'pg_toast'::regnamespace)
      )
      SELECT max(effect) AS effect, kind, identity FROM named GROUP BY kind, identity
    ) AS live
    WHERE (live.kind, live.identity) NOT IN (
      ('column', 'app.staff.old_code'),
      ('column', 'app.interns.old_code'),
      ('index', 'app.staff_old'),
      ('table constraint', 'people_old on app.people')
    )
      AND NOT (live.effect = 'goes' AND (live.kind, live.identity) IN (
        SELECT d.kind, d.identity FROM transhume.removal_dependent AS d
        WHERE (d.project, d.removal) = ('demo', 'people')
      ))
    ORDER BY live.kind, live.identity)
    UNION ALL (
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
    SELECT 'column ' || a.attname || ' of ' || a.attrelid::regclass || ' would stay: it is its own too, or that of another parent'
    FROM attribute AS a
    WHERE a.parents > 0 AND (a.attislocal OR a.attinhcount <> a.parents)
    UNION ALL
    SELECT 'NOT NULL of column ' || a.attname || ' of ' || a.attrelid::regclass || ' has another name than that of its parent'
    FROM attribute AS a
    JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'n' AND a.attnum = ANY (k.conkey)
    WHERE a.parents > 0 AND k.coninhcount > 0 AND NOT EXISTS (
      SELECT
      FROM pg_inherits AS i
      JOIN pg_constraint AS p ON p.conrelid = i.inhparent AND p.contype = 'n' AND p.conname = k.conname
      WHERE i.inhrelid = a.attrelid
    )
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
    )
    )
  ) AS f;
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'TH002', MESSAGE = problems;
  END IF;
END
$transhume$;

-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zz_transhume_people_capture ON app.people;
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zz_transhume_people_capture_update ON app.people;
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zz_transhume_people_capture ON app.staff;
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zz_transhume_people_capture_update ON app.staff;
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zz_transhume_people_capture ON app.interns;
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zz_transhume_people_capture_update ON app.interns;
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zzzz_transhume_people_guard_insert ON app.people;
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zzzz_transhume_people_guard_update ON app.people;
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zzzz_transhume_people_guard_insert ON app.staff;
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zzzz_transhume_people_guard_update ON app.staff;
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zzzz_transhume_people_guard_insert ON app.interns;
-- ACCESS EXCLUSIVE on app.people and each of its children
DROP TRIGGER zzzz_transhume_people_guard_update ON app.interns;

-- ACCESS EXCLUSIVE on app.people
CREATE TRIGGER zzzz_transhume_people_moving BEFORE UPDATE ON app.people
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id), ROW(new.id)))
  EXECUTE FUNCTION transhume.moving_demo_people();
ALTER TABLE app.people ENABLE ALWAYS TRIGGER zzzz_transhume_people_moving;
-- ACCESS EXCLUSIVE on app.staff
CREATE TRIGGER zzzz_transhume_people_moving BEFORE UPDATE ON app.staff
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id), ROW(new.id)))
  EXECUTE FUNCTION transhume.moving_demo_people();
ALTER TABLE app.staff ENABLE ALWAYS TRIGGER zzzz_transhume_people_moving;
-- ACCESS EXCLUSIVE on app.interns
CREATE TRIGGER zzzz_transhume_people_moving BEFORE UPDATE ON app.interns
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id), ROW(new.id)))
  EXECUTE FUNCTION transhume.moving_demo_people();
ALTER TABLE app.interns ENABLE ALWAYS TRIGGER zzzz_transhume_people_moving;
-- SHARE ROW EXCLUSIVE on app.people
CREATE TRIGGER zz_transhume_people_soak AFTER INSERT OR DELETE ON app.people
  FOR EACH ROW EXECUTE FUNCTION transhume.soak_demo_people();
ALTER TABLE app.people ENABLE ALWAYS TRIGGER zz_transhume_people_soak;
-- SHARE ROW EXCLUSIVE on app.people
CREATE TRIGGER zz_transhume_people_soak_update AFTER UPDATE ON app.people
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id), ROW(new.id)))
  EXECUTE FUNCTION transhume.soak_demo_people();
ALTER TABLE app.people ENABLE ALWAYS TRIGGER zz_transhume_people_soak_update;
-- SHARE ROW EXCLUSIVE on app.staff
CREATE TRIGGER zz_transhume_people_soak AFTER INSERT OR DELETE ON app.staff
  FOR EACH ROW EXECUTE FUNCTION transhume.soak_demo_people();
ALTER TABLE app.staff ENABLE ALWAYS TRIGGER zz_transhume_people_soak;
-- SHARE ROW EXCLUSIVE on app.staff
CREATE TRIGGER zz_transhume_people_soak_update AFTER UPDATE ON app.staff
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id), ROW(new.id)))
  EXECUTE FUNCTION transhume.soak_demo_people();
ALTER TABLE app.staff ENABLE ALWAYS TRIGGER zz_transhume_people_soak_update;
-- SHARE ROW EXCLUSIVE on app.interns
CREATE TRIGGER zz_transhume_people_soak AFTER INSERT OR DELETE ON app.interns
  FOR EACH ROW EXECUTE FUNCTION transhume.soak_demo_people();
ALTER TABLE app.interns ENABLE ALWAYS TRIGGER zz_transhume_people_soak;
-- SHARE ROW EXCLUSIVE on app.interns
CREATE TRIGGER zz_transhume_people_soak_update AFTER UPDATE ON app.interns
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id), ROW(new.id)))
  EXECUTE FUNCTION transhume.soak_demo_people();
ALTER TABLE app.interns ENABLE ALWAYS TRIGGER zz_transhume_people_soak_update;

-- ACCESS EXCLUSIVE on app.people and each of its children
ALTER TABLE app.people
  DROP COLUMN zz_removed_old_code RESTRICT;

DROP FUNCTION transhume.capture_demo_people(),
  transhume.guard_demo_people();
