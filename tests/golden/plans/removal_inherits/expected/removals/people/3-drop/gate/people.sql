-- gate.people: app.people (old_code) has soaked, is backed up, and is used by nothing
-- from   specs/demo/removals/people.yaml:1
-- locks  ACCESS SHARE on app.people and each of its children (SELECT)
-- undo   nothing to undo

-- transhume: gate on target -- they have soaked, by the server's clock
SELECT 'the columns soak until ' || to_char(p.done_at + '7 days'::interval, 'YYYY-MM-DD HH24:MI:SS TZ') AS problem
FROM transhume.removal_phase AS p
WHERE (p.project, p.removal) = ('demo', 'people') AND p.phase = 2 AND p.state = 'done'
  AND clock_timestamp() < p.done_at + '7 days'::interval;

-- transhume: gate on target -- nobody has written them
SELECT h.writes || ' writes by ' || h.role || ' (' || h.application || '), the last at ' ||
  to_char(h.last, 'YYYY-MM-DD HH24:MI:SS TZ') AS problem
FROM (
  SELECT role, application, count(*) AS writes, max(at) AS last
  FROM transhume.guard_hit
  WHERE (project, removal) = ('demo', 'people') AND at > clock_timestamp() - '7 days'::interval
  GROUP BY role, application
) AS h
ORDER BY h.writes DESC;

-- transhume: gate on target -- nothing uses them that was not reviewed
SELECT live.kind || ' ' || live.identity || ' uses the columns, and ' ||
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
ORDER BY live.kind, live.identity;

-- transhume: gate on target -- its children are those of the plan
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
);

-- transhume: gate on target -- the replica identity is another index
SELECT i.indexrelid::regclass || ' is the replica identity of ' || i.indrelid::regclass || ': give it another one' AS problem
FROM pg_index AS i
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[])
WHERE i.indrelid = to_regclass('app.people') AND i.indisreplident AND a.attname IN ('old_code', 'zz_removed_old_code');

-- transhume: gate on target -- the replica identity is another index
SELECT i.indexrelid::regclass || ' is the replica identity of ' || i.indrelid::regclass || ': give it another one' AS problem
FROM pg_index AS i
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[])
WHERE i.indrelid = to_regclass('app.staff') AND i.indisreplident AND a.attname IN ('old_code', 'zz_removed_old_code');

-- transhume: gate on target -- the replica identity is another index
SELECT i.indexrelid::regclass || ' is the replica identity of ' || i.indrelid::regclass || ': give it another one' AS problem
FROM pg_index AS i
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[])
WHERE i.indrelid = to_regclass('app.interns') AND i.indisreplident AND a.attname IN ('old_code', 'zz_removed_old_code');

-- transhume: gate on target -- the backup is what the table has
SELECT found.problem
FROM (
  SELECT
    count(*) FILTER (WHERE b._present IS NULL) AS missing,
    count(*) FILTER (WHERE t.here IS NULL) AS surplus,
    count(*) FILTER (WHERE t.here AND b._present AND pg_catalog.record_image_ne(ROW(t.old_code), ROW(b.old_code))) AS different
  FROM (SELECT true AS here, t.id, t.tableoid AS _member, t.zz_removed_old_code AS old_code FROM app.people AS t) AS t
  FULL JOIN (SELECT b.* FROM transhume.backup_demo_people AS b WHERE b._present) AS b ON b.id = t.id AND b._member = t._member
) AS counted
CROSS JOIN LATERAL (
  VALUES
    (counted.missing, counted.missing || ' rows are not in the backup'),
    (counted.surplus, counted.surplus || ' rows of the backup are not in the table'),
    (counted.different, counted.different || ' rows have other values in the backup')
) AS found (rows, problem)
WHERE found.rows > 0;
