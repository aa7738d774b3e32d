-- tree.places: public.place (source) by lft, rght -> transhume.tree_places (target): an orphan is a root, a cycle is
--     broken, what is deeper than 5 is flattened
-- from   specs/demo/tables/patients.yaml:1
-- after  create.places, map.places
-- locks  ACCESS SHARE on public.place (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE UNLOGGED TABLE transhume.intact_places AS SELECT true AS intact;
CREATE UNLOGGED TABLE transhume.rows_places (
  "node lft" bigint,
  "node rght" bigint,
  "node passes" boolean,
  id integer,
  lft integer,
  rght integer,
  tree_id smallint,
  name text
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.links_places (
  key integer NOT NULL,
  parent integer,
  order_1 text,
  lft bigint,
  rght bigint,
  tree smallint,
  place tid,
  fate text,
  lost integer,
  nowhere text
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.nodes_places (
  key integer,
  parent integer,
  root integer,
  depth integer,
  level integer,
  place tid,
  nowhere text,
  order_1 text,
  was integer,
  fate text
) WITH (autovacuum_enabled = false);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.place'::regclass) AS bytes
FROM public.place AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.place AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.place AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: count on source binds after.1 upto.1 -- the rows of the chunk, before the filter and after it
SELECT count(*) AS rows, count(*) AS kept
FROM public.place AS s
WHERE ($1::text IS NULL OR s.id > $1::integer)
  AND ($2::text IS NULL OR s.id <= $2::integer);

-- transhume: load on target binds after.1 upto.1 -- the rows, and beside them what the hierarchy is made of
INSERT INTO transhume.rows_places (
  "node lft",
  "node rght",
  "node passes",
  id,
  lft,
  rght,
  tree_id,
  name
)
  SELECT
    s.lft::bigint AS "node lft",
    s.rght::bigint AS "node rght",
    s."passes the filter" AS "node passes",
    s.id,
    s.lft,
    s.rght,
    s.tree_id,
    s.name
  FROM (
  SELECT
    s.id,
    s.lft,
    s.rght,
    s.tree_id,
    s.name,
    (s.name <> 'hidden') IS TRUE AS "passes the filter"
  FROM public.place AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) AS s;

-- transhume: build of "links" on target binds part parts -- keys, parents and places of all rows; in parts side by side
INSERT INTO transhume.links_places (key, parent, order_1, lft, rght, tree, place, fate)
SELECT
  l.key,
  CASE WHEN l.fate IS NULL THEN l.parent END,
  l.order_1,
  l.lft,
  l.rght,
  l.tree,
  l.place,
  l.fate
FROM (
  SELECT
    s.id AS key,
    NULL::integer AS parent,
    s.name AS order_1,
    s."node lft" AS lft,
    s."node rght" AS rght,
    s.tree_id AS tree,
    s.ctid AS place,
    CASE WHEN NOT s."node passes" THEN 'filtered' WHEN ((m_id.id IS NOT NULL)) IS NOT TRUE THEN 'unfit' END AS fate
  FROM transhume.rows_places AS s
LEFT JOIN transhume.map_places AS m_id ON m_id.legacy_id = s.id
  WHERE s.ctid >= (SELECT format('(%s,0)', $1::bigint * (1 + pg_relation_size('transhume.rows_places'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
    AND s.ctid < (SELECT format('(%s,0)', ($1::bigint + 1) * (1 + pg_relation_size('transhume.rows_places'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
) AS l;

-- transhume: build of "parents" on target -- the nearest rows that they lie in
ANALYZE transhume.links_places;
UPDATE transhume.links_places AS l
SET
  parent = f.parent,
  nowhere = CASE WHEN f.crosses THEN 'lft, rght = ' || concat_ws(', ', l.lft, l.rght) || ' lies in no row as it should' END
FROM (
  SELECT
    f.key,
    CASE WHEN f.part > 0 AND f.ends > f.rght THEN f.above END AS parent,
    f.level <> 0 AND (f.part > 0 AND f.ends > f.rght) IS NOT TRUE AS crosses
  FROM (
    SELECT
      b.*,
      first_value(b.key) OVER part AS above,
      first_value(b.rght) OVER part AS ends
    FROM (
      SELECT
        o.key, o.tree, o.lft, o.rght, o.level, o.is_above,
        count(*) FILTER (WHERE o.is_above) OVER (PARTITION BY o.tree, o.level ORDER BY o.lft, o.key) AS part
      FROM (
        SELECT e.key, e.tree, e.lft, e.rght, e.depth + other.step AS level, other.step = 1 AS is_above
        FROM (
          SELECT
            p.key, p.tree, p.lft, p.rght, side.step,
            sum(side.step) OVER (PARTITION BY p.tree ORDER BY side.at, side.step DESC, p.key) - 1 AS depth
          FROM (SELECT l.key, l.lft, l.rght, l.tree FROM transhume.links_places AS l) AS p
          CROSS JOIN LATERAL (VALUES (p.lft, 1), (p.rght, -1)) AS side (at, step)
          WHERE p.lft < p.rght
        ) AS e
        CROSS JOIN (VALUES (0), (1)) AS other (step)
        WHERE e.step = 1
      ) AS o
    ) AS b
    WINDOW part AS (PARTITION BY b.tree, b.level, b.part ORDER BY b.lft, b.key)
  ) AS f
  WHERE NOT f.is_above
) AS f
WHERE f.key = l.key AND (f.parent IS NOT NULL OR f.crosses) AND l.fate IS NULL;
UPDATE transhume.links_places AS l
SET nowhere = 'lft, rght = ' || concat_ws(', ', l.lft, l.rght) || ' lies in no row as it should'
WHERE (l.lft < l.rght) IS NOT TRUE AND (l.lft IS NOT NULL OR l.rght IS NOT NULL) AND l.fate IS NULL;

-- transhume: build of "found by" on target -- how rows are found from level to level
DO $found_by$
BEGIN
  IF current_setting('server_version_num')::integer < 150000
    OR 2 * pg_table_size('transhume.links_places'::regclass)
      > pg_size_bytes(current_setting('maintenance_work_mem')) * current_setting('hash_mem_multiplier')::double precision
  THEN
    CREATE INDEX links_places_parent ON transhume.links_places (parent);
  END IF;
END
$found_by$;

-- transhume: build of "threads" on target binds part parts -- all that a root leads to; in parts side by side
DO $how$
BEGIN
  PERFORM set_config('work_mem', current_setting('maintenance_work_mem'), true);
  SET LOCAL enable_mergejoin = off;
  IF to_regclass('transhume.links_places_parent') IS NULL THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL recursive_worktable_factor = 1000000;
  ELSE
    SET LOCAL enable_hashjoin = off;
  END IF;
END
$how$;
CREATE UNLOGGED TABLE transhume."nodes_places_$part" WITH (autovacuum_enabled = false) AS
WITH RECURSIVE node AS (
  SELECT
    l.key,
    NULL::integer AS parent,
    l.key AS root,
    0 AS depth,
    0 AS level,
    l.place,
    l.nowhere,
    l.order_1,
    l.lost AS was
  FROM transhume.links_places AS l
  CROSS JOIN generate_series(1, (SELECT 1)) AS once  -- the planner expects a thousand, and hashes the links for them
  WHERE l.parent IS NULL
    AND l.nowhere IS NULL
    AND l.fate IS NULL
    AND abs(l.key % $2::integer) = $1::integer
  UNION ALL
  SELECT
    l.key,
    CASE WHEN n.depth = 5 THEN n.parent ELSE n.key END,
    n.root,
    least(n.depth + 1, 5),
    n.level + 1,
    l.place,
    l.nowhere,
    l.order_1,
    coalesce(l.lost, CASE WHEN n.depth = 5 THEN n.key END)
  FROM node AS n
  JOIN transhume.links_places AS l ON l.parent = n.key
)
SELECT
  n.key,
  n.parent,
  n.root,
  n.depth,
  n.level,
  n.place,
  n.nowhere,
  n.order_1,
  n.was,
  NULL::text AS fate
FROM node AS n
ORDER BY n.key;
ALTER TABLE transhume."nodes_places_$part" INHERIT transhume.nodes_places;

-- transhume: build of "loose" on target binds run step -- what no root leads to
SELECT set_config('transhume.missed', (
  SELECT (SELECT coalesce(sum(c.loaded), 0) FROM transhume.chunk AS c WHERE c.run = $1::uuid AND c.step = $2)
    - coalesce(sum(p.rows), 0)
  FROM transhume.part AS p
  WHERE p.run = $1::uuid AND p.step = $2 AND p.part LIKE 'build of "threads"%'
)::text, true);
DO $loose$
DECLARE
  rows bigint := current_setting('transhume.missed');
  aside bigint;
  steps bigint := 1;
BEGIN
  IF rows = 0 THEN
    RETURN;
  END IF;
  ANALYZE transhume.links_places, transhume.nodes_places;

  -- Those that will not move: they have no place.
  INSERT INTO transhume.nodes_places (key, parent, root, depth, level, place, nowhere, order_1, was, fate)
  SELECT
    l.key,
    NULL::integer AS parent,
    l.key AS root,
    0 AS depth,
    0 AS level,
    l.place,
    l.nowhere,
    l.order_1,
    l.lost AS was,
    l.fate
  FROM transhume.links_places AS l
  WHERE l.fate IS NOT NULL;
  GET DIAGNOSTICS aside = ROW_COUNT;
  IF rows = aside THEN
    RETURN;
  END IF;

  -- The others.
  CREATE TEMPORARY TABLE loose ON COMMIT DROP AS
  SELECT l.*
  FROM transhume.links_places AS l
  WHERE NOT EXISTS (SELECT FROM transhume.nodes_places AS n WHERE n.key = l.key);
  CREATE UNIQUE INDEX ON loose (key);
  CREATE INDEX ON loose (parent);
  ANALYZE loose;

  -- Orphans: they become roots.
  UPDATE loose AS l
  SET
    lost = l.parent,
    parent = NULL,
    fate = 'rooted'
  WHERE NOT EXISTS (SELECT FROM loose AS p WHERE p.key = l.parent);
  CREATE TEMPORARY TABLE found ON COMMIT DROP AS
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      NULL::integer AS parent,
      l.key AS root,
      0 AS depth,
      0 AS level,
      l.place,
      l.nowhere,
      l.order_1,
      l.lost AS was,
      l.fate
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      CASE WHEN n.depth = 5 THEN n.parent ELSE n.key END,
      n.root,
      least(n.depth + 1, 5),
      n.level + 1,
      l.place,
      l.nowhere,
      l.order_1,
      coalesce(l.lost, CASE WHEN n.depth = 5 THEN n.key END),
      l.fate
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, root, depth, level, place, nowhere, order_1, was, fate FROM node AS n;
  INSERT INTO transhume.nodes_places (key, parent, root, depth, level, place, nowhere, order_1, was, fate) SELECT key, parent, root, depth, level, place, nowhere, order_1, was, fate FROM found AS n;
  DELETE FROM loose AS l USING found AS n WHERE n.key = l.key;

  -- Cycles: the first of each, in order, becomes a root.
  CREATE TEMPORARY TABLE hop ON COMMIT DROP AS
  SELECT l.key, l.parent AS next, row_number() OVER by_order AS place, row_number() OVER by_order AS first
  FROM loose AS l
  WINDOW by_order AS (ORDER BY l.order_1 COLLATE "C", l.key);
  CREATE UNIQUE INDEX ON hop (key);
  ANALYZE hop;
  SELECT count(*) INTO rows FROM hop;
  WHILE steps < rows LOOP
    UPDATE hop AS h SET next = o.next, first = least(h.first, o.first) FROM hop AS o WHERE o.key = h.next;
    steps := steps * 2;
  END LOOP;
  UPDATE loose AS l
  SET lost = coalesce(l.lost, l.parent), parent = NULL, fate = 'broken'
  FROM hop AS h
  WHERE h.key = l.key AND h.place = h.first AND h.key IN (SELECT o.next FROM hop AS o);
  INSERT INTO transhume.nodes_places (key, parent, root, depth, level, place, nowhere, order_1, was, fate)
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      NULL::integer AS parent,
      l.key AS root,
      0 AS depth,
      0 AS level,
      l.place,
      l.nowhere,
      l.order_1,
      l.lost AS was,
      l.fate
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      CASE WHEN n.depth = 5 THEN n.parent ELSE n.key END,
      n.root,
      least(n.depth + 1, 5),
      n.level + 1,
      l.place,
      l.nowhere,
      l.order_1,
      coalesce(l.lost, CASE WHEN n.depth = 5 THEN n.key END),
      l.fate
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, root, depth, level, place, nowhere, order_1, was, fate FROM node AS n;
END
$loose$;

-- transhume: build of "siblings" on target -- their positions
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
DO $siblings$
BEGIN
  CREATE UNLOGGED TABLE transhume.siblings_places AS
  SELECT
    n.key, n.parent, n.root, n.depth, n.level, n.place, n.nowhere, n.was, n.fate,
    row_number() OVER (PARTITION BY n.parent, ((n.fate IN ('filtered', 'unfit')) IS NOT TRUE) ORDER BY n.order_1 COLLATE "C", n.key)::integer AS position
  FROM transhume.nodes_places AS n;
  DROP TABLE transhume.nodes_places CASCADE;
END
$siblings$;
CREATE INDEX siblings_places_parent ON transhume.siblings_places (parent);
ANALYZE transhume.siblings_places;

-- transhume: build of "paths" on target -- from the root down
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
CREATE UNLOGGED TABLE transhume.tree_places AS
WITH RECURSIVE longest AS (
  SELECT greatest(6, length(max(s.position)::text)) AS digits FROM transhume.siblings_places AS s
), node AS (
  SELECT s.*, CASE WHEN (s.fate IN ('filtered', 'unfit')) IS NOT TRUE THEN lpad(s.position::text, (SELECT o.digits FROM longest AS o), '0') END AS path
  FROM transhume.siblings_places AS s
  WHERE s.parent IS NULL
  UNION ALL
  SELECT s.*, CASE WHEN (s.fate IN ('filtered', 'unfit')) IS NOT TRUE THEN n.path || '/' || lpad(s.position::text, (SELECT o.digits FROM longest AS o), '0') END
  FROM node AS n
  CROSS JOIN LATERAL (SELECT s.* FROM transhume.siblings_places AS s WHERE s.parent = n.key OFFSET 0) AS s
)
SELECT n.* FROM node AS n
ORDER BY n.key;
DROP TABLE transhume.siblings_places CASCADE;

-- transhume: build of "statistics" on target -- how many rows are in a block
SELECT set_config('default_statistics_target', '1', true);
DO $statistics$
DECLARE
  part regclass;
BEGIN
  FOR part IN
    SELECT 'transhume.tree_places'::regclass
    UNION ALL
    SELECT i.inhrelid::regclass FROM pg_inherits AS i WHERE i.inhparent = 'transhume.tree_places'::regclass
  LOOP
    EXECUTE 'ANALYZE ' || part || ' (key)';
  END LOOP;
END
$statistics$;

-- transhume: build of "listing" on target binds run step -- what was done to each row that does not hang where the source says
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'places', 'public.place',
  ARRAY[n.key::text], jsonb_build_object('id', n.key, 'lft, rght', CASE WHEN n.nowhere IS NULL THEN coalesce(n.was, n.parent) END),
  'parent_id', done.reason, done.sqlstate, done.action
FROM transhume.tree_places AS n
CROSS JOIN LATERAL (
  VALUES
    ('rooted', '23503', n.fate = 'rooted', coalesce(n.nowhere, 'lft, rght = ' || n.was::text || ' does not move') || ': it is a root now'),
    ('broken', '23514', n.fate = 'broken', 'lft, rght = ' || n.was::text || ' leads back to it: it is a root now'),
    ('flattened', '23514', n.level > n.depth, n.level::text || ' levels deep: it hangs from ' || n.parent::text || ' now, 5 levels deep')
) AS done (action, sqlstate, is_done, reason)
WHERE (n.fate IS NOT NULL OR n.level > n.depth) AND done.is_done AND (n.fate IN ('filtered', 'unfit')) IS NOT TRUE;
DROP TABLE transhume.links_places;

-- transhume: intact on target -- what was made is still there
SELECT i.intact FROM transhume.intact_places AS i;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.tree_places CASCADE;
DROP TABLE IF EXISTS transhume.rows_places;
DROP TABLE IF EXISTS transhume.intact_places;
DROP TABLE IF EXISTS transhume.links_places;
DROP TABLE IF EXISTS transhume.nodes_places CASCADE;
DROP TABLE IF EXISTS transhume.siblings_places CASCADE;
