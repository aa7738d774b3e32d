-- tree.regions: public.region (source) by lo, hi -> transhume.tree_regions (target): an orphan is a root, a cycle is
--     broken
-- from   specs/demo/tables/visits.yaml:1
-- after  create.regions
-- locks  ACCESS SHARE on public.region (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE UNLOGGED TABLE transhume.intact_regions AS SELECT true AS intact;
CREATE UNLOGGED TABLE transhume.rows_regions (
  "node tree" integer,
  "node id" uuid,
  id bigint,
  lo bigint,
  hi bigint
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.links_regions (
  key bigint NOT NULL,
  parent bigint,
  lft bigint,
  rght bigint,
  tree integer,
  id uuid,
  place tid,
  fate text,
  lost bigint,
  nowhere text
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.tree_regions (
  key bigint,
  parent bigint,
  depth integer,
  place tid,
  parent_id uuid,
  nowhere text,
  was bigint,
  fate text,
  id uuid
) WITH (autovacuum_enabled = false);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.region'::regclass) AS bytes
FROM public.region AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.region AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.region AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: count on source binds after.1 upto.1 -- the rows of the chunk, before the filter and after it
SELECT count(*) AS rows, count(*) AS kept
FROM public.region AS s
WHERE ($1::text IS NULL OR s.id > $1::bigint)
  AND ($2::text IS NULL OR s.id <= $2::bigint);

-- transhume: load on target binds after.1 upto.1 -- the rows, and beside them what the hierarchy is made of
INSERT INTO transhume.rows_regions (
  "node tree",
  "node id",
  id,
  lo,
  hi
)
  SELECT
    0 AS "node tree",
    encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('regions:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS "node id",
    s.id,
    s.lo,
    s.hi
  FROM (
  SELECT
    s.id,
    s.lo,
    s.hi
  FROM public.region AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) AS s;

-- transhume: build of "links" on target binds part parts -- keys, parents and places of all rows; in parts side by side
INSERT INTO transhume.links_regions (key, parent, lft, rght, tree, id, place, fate)
SELECT
  l.key,
  l.parent,
  l.lft,
  l.rght,
  l.tree,
  l.id,
  l.place,
  l.fate
FROM (
  SELECT
    s.id AS key,
    NULL::bigint AS parent,
    s.lo AS lft,
    s.hi AS rght,
    s."node tree" AS tree,
    s."node id" AS id,
    s.ctid AS place,
    NULL AS fate
  FROM transhume.rows_regions AS s
  WHERE s.ctid >= (SELECT format('(%s,0)', $1::bigint * (1 + pg_relation_size('transhume.rows_regions'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
    AND s.ctid < (SELECT format('(%s,0)', ($1::bigint + 1) * (1 + pg_relation_size('transhume.rows_regions'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
) AS l;

-- transhume: build of "parents" on target -- the nearest rows that they lie in
ANALYZE transhume.links_regions;
UPDATE transhume.links_regions AS l
SET
  parent = f.parent,
  nowhere = CASE WHEN f.crosses THEN 'lo, hi = ' || concat_ws(', ', l.lft, l.rght) || ' lies in no row as it should' END
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
          FROM (SELECT l.key, l.lft, l.rght, l.tree FROM transhume.links_regions AS l) AS p
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
UPDATE transhume.links_regions AS l
SET nowhere = 'lo, hi = ' || concat_ws(', ', l.lft, l.rght) || ' lies in no row as it should'
WHERE (l.lft < l.rght) IS NOT TRUE AND (l.lft IS NOT NULL OR l.rght IS NOT NULL) AND l.fate IS NULL;

-- transhume: build of "found by" on target -- how rows are found from level to level
DO $found_by$
BEGIN
  IF current_setting('server_version_num')::integer < 150000
    OR 2 * pg_table_size('transhume.links_regions'::regclass)
      > pg_size_bytes(current_setting('maintenance_work_mem')) * current_setting('hash_mem_multiplier')::double precision
  THEN
    CREATE INDEX links_regions_parent ON transhume.links_regions (parent);
  END IF;
END
$found_by$;

-- transhume: build of "threads" on target binds part parts -- all that a root leads to; in parts side by side
DO $how$
BEGIN
  PERFORM set_config('work_mem', current_setting('maintenance_work_mem'), true);
  SET LOCAL enable_mergejoin = off;
  IF to_regclass('transhume.links_regions_parent') IS NULL THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL recursive_worktable_factor = 1000000;
  ELSE
    SET LOCAL enable_hashjoin = off;
  END IF;
END
$how$;
CREATE UNLOGGED TABLE transhume."nodes_regions_$part" WITH (autovacuum_enabled = false) AS
WITH RECURSIVE node AS (
  SELECT
    l.key,
    NULL::bigint AS parent,
    0 AS depth,
    l.place,
    NULL::uuid AS parent_id,
    l.nowhere,
    l.id
  FROM transhume.links_regions AS l
  CROSS JOIN generate_series(1, (SELECT 1)) AS once  -- the planner expects a thousand, and hashes the links for them
  WHERE l.parent IS NULL
    AND l.nowhere IS NULL
    AND abs(l.key % $2::integer) = $1::integer
  UNION ALL
  SELECT
    l.key,
    n.key,
    n.depth + 1,
    l.place,
    n.id,
    l.nowhere,
    l.id
  FROM node AS n
  JOIN transhume.links_regions AS l ON l.parent = n.key
)
SELECT
  n.key,
  n.parent,
  n.depth,
  n.place,
  n.parent_id,
  n.nowhere,
  NULL::bigint AS was,
  NULL::text AS fate,
  NULL::uuid AS id
FROM node AS n
ORDER BY n.key;
ALTER TABLE transhume."nodes_regions_$part" INHERIT transhume.tree_regions;

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
  steps bigint := 1;
BEGIN
  IF rows = 0 THEN
    RETURN;
  END IF;
  ANALYZE transhume.links_regions, transhume.tree_regions;

  -- The others.
  CREATE TEMPORARY TABLE loose ON COMMIT DROP AS
  SELECT l.*
  FROM transhume.links_regions AS l
  WHERE NOT EXISTS (SELECT FROM transhume.tree_regions AS n WHERE n.key = l.key);
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
      NULL::bigint AS parent,
      0 AS depth,
      l.place,
      NULL::uuid AS parent_id,
      l.nowhere,
      l.lost AS was,
      l.fate,
      l.id
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      n.depth + 1,
      l.place,
      n.id,
      l.nowhere,
      l.lost,
      l.fate,
      l.id
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, place, parent_id, nowhere, was, fate, id FROM node AS n;
  INSERT INTO transhume.tree_regions (key, parent, depth, place, parent_id, nowhere, was, fate, id) SELECT key, parent, depth, place, parent_id, nowhere, was, fate, id FROM found AS n;
  DELETE FROM loose AS l USING found AS n WHERE n.key = l.key;

  -- Cycles: the first of each, in order, becomes a root.
  CREATE TEMPORARY TABLE hop ON COMMIT DROP AS
  SELECT l.key, l.parent AS next, row_number() OVER by_order AS place, row_number() OVER by_order AS first
  FROM loose AS l
  WINDOW by_order AS (ORDER BY l.key);
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
  INSERT INTO transhume.tree_regions (key, parent, depth, place, parent_id, nowhere, was, fate, id)
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      NULL::bigint AS parent,
      0 AS depth,
      l.place,
      NULL::uuid AS parent_id,
      l.nowhere,
      l.lost AS was,
      l.fate,
      l.id
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      n.depth + 1,
      l.place,
      n.id,
      l.nowhere,
      l.lost,
      l.fate,
      l.id
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, place, parent_id, nowhere, was, fate, id FROM node AS n;
END
$loose$;

-- transhume: build of "statistics" on target -- how many rows are in a block
SELECT set_config('default_statistics_target', '1', true);
DO $statistics$
DECLARE
  part regclass;
BEGIN
  FOR part IN
    SELECT 'transhume.tree_regions'::regclass
    UNION ALL
    SELECT i.inhrelid::regclass FROM pg_inherits AS i WHERE i.inhparent = 'transhume.tree_regions'::regclass
  LOOP
    EXECUTE 'ANALYZE ' || part || ' (key)';
  END LOOP;
END
$statistics$;

-- transhume: build of "listing" on target binds run step -- what was done to each row that does not hang where the source says
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'regions', 'public.region',
  ARRAY[n.key::text], jsonb_build_object('id', n.key, 'lo, hi', CASE WHEN n.nowhere IS NULL THEN coalesce(n.was, n.parent) END),
  'parent_id', done.reason, done.sqlstate, done.action
FROM transhume.tree_regions AS n
CROSS JOIN LATERAL (
  VALUES
    ('rooted', '23503', n.fate = 'rooted', coalesce(n.nowhere, 'lo, hi = ' || n.was::text || ' does not move') || ': it is a root now'),
    ('broken', '23514', n.fate = 'broken', 'lo, hi = ' || n.was::text || ' leads back to it: it is a root now')
) AS done (action, sqlstate, is_done, reason)
WHERE (
  SELECT (SELECT coalesce(sum(c.loaded), 0) FROM transhume.chunk AS c WHERE c.run = $1::uuid AND c.step = $2)
    - coalesce(sum(p.rows), 0)
  FROM transhume.part AS p
  WHERE p.run = $1::uuid AND p.step = $2 AND p.part LIKE 'build of "threads"%'
) > 0 AND (n.fate IS NOT NULL) AND done.is_done;
DROP TABLE transhume.links_regions;

-- transhume: intact on target -- what was made is still there
SELECT i.intact FROM transhume.intact_regions AS i;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.tree_regions CASCADE;
DROP TABLE IF EXISTS transhume.rows_regions;
DROP TABLE IF EXISTS transhume.intact_regions;
DROP TABLE IF EXISTS transhume.links_regions;
