-- drop.orders: app.orders (origin) is dropped
-- from   specs/dispatch/removals/orders.yaml:2
-- after  measure.orders
-- locks  ACCESS EXCLUSIVE on app.orders (LOCK TABLE, DROP TRIGGER, CREATE TRIGGER, DROP COLUMN)
-- undo   `transhume restore orders`: values come from the backup

-- transhume: apply on target
CREATE TABLE transhume.moved_dispatch_orders (
  _transaction xid8 NOT NULL,
  LIKE transhume.backup_dispatch_orders INCLUDING DEFAULTS,
  PRIMARY KEY (_transaction, id)
);

CREATE OR REPLACE FUNCTION transhume.moving_dispatch_orders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  INSERT INTO transhume.moved_dispatch_orders (_transaction, id, origin, _present, _born, _written, _changed)
  SELECT pg_current_xact_id(), new.id, b.origin, b._present, b._born, b._written, b._changed
  FROM transhume.backup_dispatch_orders AS b
  WHERE b.id = old.id AND b._present
  ON CONFLICT (_transaction, id) DO UPDATE SET
    origin = excluded.origin,
    _present = excluded._present,
    _born = excluded._born,
    _written = excluded._written,
    _changed = excluded._changed;
  RETURN new;
END
$transhume$;

CREATE OR REPLACE FUNCTION transhume.soak_dispatch_orders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
DECLARE
  moved transhume.moved_dispatch_orders%ROWTYPE;
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.orders AS t WHERE t.id = old.id) THEN
    UPDATE transhume.backup_dispatch_orders AS b SET _present = false, _changed = clock_timestamp() WHERE b.id = old.id;
  END IF;
  IF tg_op <> 'DELETE' THEN
    DELETE FROM transhume.moved_dispatch_orders AS m WHERE m._transaction = pg_current_xact_id() AND m.id = new.id RETURNING m.* INTO moved;
    IF moved._transaction IS NOT NULL THEN
      INSERT INTO transhume.backup_dispatch_orders (id, origin, _present, _born, _written, _changed)
      VALUES (moved.id, moved.origin, moved._present, moved._born, moved._written, moved._changed)
      ON CONFLICT (id) DO UPDATE SET
        origin = excluded.origin,
        _present = excluded._present,
        _born = excluded._born,
        _written = excluded._written,
        _changed = excluded._changed;
    ELSIF tg_op = 'INSERT' THEN
      INSERT INTO transhume.backup_dispatch_orders (id, _present, _born, _written)
      VALUES (new.id, true, true, ARRAY[]::text[])
      ON CONFLICT (id) DO UPDATE SET
        origin = NULL, _present = true, _born = true, _written = excluded._written,
        _changed = clock_timestamp();
    END IF;
  END IF;
  RETURN NULL;
END
$transhume$;

-- ACCESS EXCLUSIVE on app.orders: everything from here on, for as short as it can be
LOCK TABLE app.orders IN ACCESS EXCLUSIVE MODE;

-- nothing has come since the gates were asked
DO $transhume$
DECLARE
  problems text;
BEGIN
  SELECT string_agg(f.problem, '; ') INTO problems
  FROM (
    SELECT live.kind || ' ' || live.identity || ' uses the columns, and ' ||
      CASE live.effect WHEN 'goes' THEN 'the plan does not know it' ELSE 'the removal does not name it' END AS problem
    FROM (
      WITH RECURSIVE tree AS (
        SELECT a.attrelid AS relid, a.attnum::integer AS attnum, a.attname AS column_name
        FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass('app.orders') AND a.attname IN ('origin', 'zz_removed_origin') AND NOT a.attisdropped
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
      ('', '')
    )
      AND NOT (live.effect = 'goes' AND (live.kind, live.identity) IN (
        SELECT d.kind, d.identity FROM transhume.removal_dependent AS d
        WHERE (d.project, d.removal) = ('dispatch', 'orders')
      ))
    ORDER BY live.kind, live.identity
  ) AS f;
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'TH002', MESSAGE = problems;
  END IF;
END
$transhume$;

-- ACCESS EXCLUSIVE on app.orders
DROP TRIGGER zz_transhume_orders_capture ON app.orders;
-- ACCESS EXCLUSIVE on app.orders
DROP TRIGGER zz_transhume_orders_capture_update ON app.orders;
-- ACCESS EXCLUSIVE on app.orders
DROP TRIGGER zzzz_transhume_orders_guard_insert ON app.orders;
-- ACCESS EXCLUSIVE on app.orders
DROP TRIGGER zzzz_transhume_orders_guard_update ON app.orders;

-- ACCESS EXCLUSIVE on app.orders
CREATE TRIGGER zzzz_transhume_orders_moving BEFORE UPDATE ON app.orders
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id), ROW(new.id)))
  EXECUTE FUNCTION transhume.moving_dispatch_orders();
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER zzzz_transhume_orders_moving;
-- SHARE ROW EXCLUSIVE on app.orders
CREATE TRIGGER zz_transhume_orders_soak AFTER INSERT OR DELETE ON app.orders
  FOR EACH ROW EXECUTE FUNCTION transhume.soak_dispatch_orders();
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER zz_transhume_orders_soak;
-- SHARE ROW EXCLUSIVE on app.orders
CREATE TRIGGER zz_transhume_orders_soak_update AFTER UPDATE ON app.orders
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id), ROW(new.id)))
  EXECUTE FUNCTION transhume.soak_dispatch_orders();
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER zz_transhume_orders_soak_update;

-- ACCESS EXCLUSIVE on app.orders
ALTER TABLE app.orders
  DROP COLUMN zz_removed_origin RESTRICT;

DROP FUNCTION transhume.capture_dispatch_orders(),
  transhume.guard_dispatch_orders();
