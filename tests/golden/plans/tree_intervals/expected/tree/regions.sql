-- tree.regions: public.region (source) by lo, hi -> transhume.tree_regions (target): an orphan is a root, a cycle is
--     broken
-- from   specs/demo/tables/visits.yaml:1
-- after  create.regions
-- locks  ACCESS SHARE on public.region (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE TABLE transhume.links_regions (
  key bigint NOT NULL,
  parent bigint,
  lft bigint,
  rght bigint,
  tree integer,
  id uuid,
  lost bigint,
  fate text,
  nowhere text
);

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

-- transhume: load on target binds after.1 upto.1 -- the narrow rows that can move
INSERT INTO transhume.links_regions (key, parent, lft, rght, tree, id)
  SELECT
    s.id AS key,
    NULL::bigint AS parent,
    s.lo AS lft,
    s.hi AS rght,
    0 AS tree,
    encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('regions:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id
  FROM (
  SELECT
    s.id,
    s.lo,
    s.hi
  FROM public.region AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) AS s;

-- transhume: build of "parents" on target -- the nearest rows that they lie in
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
WHERE f.key = l.key AND (f.parent IS NOT NULL OR f.crosses);
UPDATE transhume.links_regions AS l
SET nowhere = 'lo, hi = ' || concat_ws(', ', l.lft, l.rght) || ' lies in no row as it should'
WHERE (l.lft < l.rght) IS NOT TRUE AND (l.lft IS NOT NULL OR l.rght IS NOT NULL);

-- transhume: build of "links" on target -- what the planner must know of them
ANALYZE transhume.links_regions;

-- transhume: build of "threads" on target -- all that a root leads to
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
DO $how$
BEGIN
  SET LOCAL enable_mergejoin = off;
  IF current_setting('server_version_num')::integer >= 150000
    AND 2 * pg_table_size('transhume.links_regions'::regclass)
      < pg_size_bytes(current_setting('work_mem')) * current_setting('hash_mem_multiplier')::double precision
  THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL recursive_worktable_factor = 1000000;
  ELSE
    SET LOCAL enable_hashjoin = off;
    CREATE INDEX links_regions_parent ON transhume.links_regions (parent);
  END IF;
END
$how$;
CREATE TABLE transhume.tree_regions AS
WITH RECURSIVE node AS (
  SELECT
    l.key,
    NULL::bigint AS parent,
    l.lost AS was,
    l.key AS root,
    l.id,
    NULL::uuid AS parent_id,
    l.id AS root_id,
    0 AS depth,
    l.fate,
    l.nowhere
  FROM transhume.links_regions AS l
  WHERE l.parent IS NULL
    AND l.nowhere IS NULL
  UNION ALL
  SELECT
    l.key,
    n.key,
    l.lost,
    n.root,
    l.id,
    n.id,
    n.root_id,
    n.depth + 1,
    l.fate,
    l.nowhere
  FROM node AS n
  JOIN transhume.links_regions AS l ON l.parent = n.key
)
SELECT n.key, n.parent, n.was, n.root, n.id, n.parent_id, n.root_id, n.depth, n.fate, n.nowhere FROM node AS n;

-- transhume: build of "loose" on target -- what no root leads to
DO $loose$
DECLARE
  steps bigint := 1;
  rows bigint;
BEGIN
  SELECT (SELECT count(*) FROM transhume.links_regions) - (SELECT count(*) FROM transhume.tree_regions) INTO rows;
  IF rows = 0 THEN
    RETURN;
  END IF;
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
      l.lost AS was,
      l.key AS root,
      l.id,
      NULL::uuid AS parent_id,
      l.id AS root_id,
      0 AS depth,
      l.fate,
      l.nowhere
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      l.lost,
      n.root,
      l.id,
      n.id,
      n.root_id,
      n.depth + 1,
      l.fate,
      l.nowhere
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, was, root, id, parent_id, root_id, depth, fate, nowhere FROM node AS n;
  INSERT INTO transhume.tree_regions (key, parent, was, root, id, parent_id, root_id, depth, fate, nowhere) SELECT key, parent, was, root, id, parent_id, root_id, depth, fate, nowhere FROM found AS n;
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
  INSERT INTO transhume.tree_regions (key, parent, was, root, id, parent_id, root_id, depth, fate, nowhere)
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      NULL::bigint AS parent,
      l.lost AS was,
      l.key AS root,
      l.id,
      NULL::uuid AS parent_id,
      l.id AS root_id,
      0 AS depth,
      l.fate,
      l.nowhere
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      l.lost,
      n.root,
      l.id,
      n.id,
      n.root_id,
      n.depth + 1,
      l.fate,
      l.nowhere
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, was, root, id, parent_id, root_id, depth, fate, nowhere FROM node AS n;
END
$loose$;

-- transhume: build of "tree" on target -- by which the load finds where a row hangs
CREATE UNIQUE INDEX tree_regions_key ON transhume.tree_regions (key);
ANALYZE transhume.tree_regions;

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
WHERE (n.fate IS NOT NULL) AND done.is_done;
DROP TABLE transhume.links_regions;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.links_regions;
DROP TABLE IF EXISTS transhume.tree_regions;
