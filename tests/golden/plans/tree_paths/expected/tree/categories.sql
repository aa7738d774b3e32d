-- tree.categories: public.category (source) by path -> transhume.tree_categories (target): an orphan is set aside, a
--     cycle is broken
-- from   specs/demo/tables/visits.yaml:1
-- after  create.categories
-- locks  ACCESS SHARE on public.category in the source (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE UNLOGGED TABLE transhume.intact_categories AS SELECT true AS intact;
CREATE UNLOGGED TABLE transhume.rows_categories (
  "node path" text,
  id uuid,
  path character varying(255),
  name text
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.links_categories (
  key uuid NOT NULL,
  parent uuid,
  order_1 character varying(255),
  path text,
  place tid,
  fate text,
  lost uuid,
  nowhere text
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.nodes_categories (
  key uuid,
  parent uuid,
  depth integer,
  position integer,
  place tid,
  nowhere text,
  was uuid,
  fate text
) WITH (autovacuum_enabled = false);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.category'::regclass) AS bytes
FROM public.category AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.category AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT page.id::text AS id, count(*) OVER () AS rows
FROM (
  SELECT s.id
  FROM public.category AS s
  WHERE ($1::text IS NULL OR s.id > $1::uuid)
    AND ($2::text IS NULL OR s.id <= $2::uuid)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
ORDER BY page.id DESC
LIMIT 1;

-- transhume: direct on source binds after.1 upto.1 -- the rows, and beside them what the hierarchy is made of
COPY (
  SELECT
    s.path::text AS "node path",
    s.id,
    s.path,
    s.name
  FROM (
  SELECT
    s.id,
    s.path,
    s.name
  FROM public.category AS s
  WHERE ($1::text IS NULL OR s.id > $1::uuid)
    AND ($2::text IS NULL OR s.id <= $2::uuid)
) AS s
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY transhume.rows_categories (
  "node path",
  id,
  path,
  name
) FROM STDIN (FORMAT binary);

-- transhume: build of "links" on target binds part parts -- keys, parents and places of all rows; in parts side by side
INSERT INTO transhume.links_categories (key, parent, order_1, path, place, fate)
SELECT
  l.key,
  l.parent,
  l.order_1,
  l.path,
  l.place,
  l.fate
FROM (
  SELECT
    s.id AS key,
    NULL::uuid AS parent,
    s.path AS order_1,
    s."node path" AS path,
    s.ctid AS place,
    NULL AS fate
  FROM transhume.rows_categories AS s
  WHERE s.ctid >= (SELECT format('(%s,0)', $1::bigint * (1 + pg_relation_size('transhume.rows_categories'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
    AND s.ctid < (SELECT format('(%s,0)', ($1::bigint + 1) * (1 + pg_relation_size('transhume.rows_categories'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
) AS l;

-- transhume: build of "parents" on target -- the rows with whose paths theirs begin
ANALYZE transhume.links_categories;
UPDATE transhume.links_categories AS l
SET
  parent = a.key,
  nowhere = CASE WHEN a.key IS NULL THEN 'no row has the path ' || p.prefix END
FROM (SELECT l.key, nullif(left(l.path, -4), '') AS prefix FROM transhume.links_categories AS l) AS p
LEFT JOIN (
  SELECT DISTINCT ON (path) l.path, l.key
  FROM transhume.links_categories AS l
  ORDER BY l.path, l.key
) AS a ON a.path = p.prefix
WHERE p.key = l.key AND p.prefix IS NOT NULL AND l.fate IS NULL;

-- transhume: build of "found by" on target -- how rows are found from level to level
DO $found_by$
BEGIN
  IF current_setting('server_version_num')::integer < 150000
    OR 2 * pg_table_size('transhume.links_categories'::regclass)
      > pg_size_bytes(current_setting('maintenance_work_mem')) * current_setting('hash_mem_multiplier')::double precision
  THEN
    CREATE INDEX links_categories_parent ON transhume.links_categories (parent);
  END IF;
END
$found_by$;

-- transhume: build of "threads" on target binds part parts -- all that a root leads to; in parts side by side
DO $how$
BEGIN
  PERFORM set_config('work_mem', current_setting('maintenance_work_mem'), true);
  SET LOCAL enable_mergejoin = off;
  IF to_regclass('transhume.links_categories_parent') IS NULL THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL recursive_worktable_factor = 1000000;
  ELSE
    SET LOCAL enable_hashjoin = off;
  END IF;
END
$how$;
CREATE UNLOGGED TABLE transhume."nodes_categories_$part" WITH (autovacuum_enabled = false) AS
WITH RECURSIVE node AS (
  SELECT
    l.key,
    NULL::uuid AS parent,
    0 AS depth,
    l.place,
    l.nowhere,
    l.position
  FROM (
    SELECT l.*, row_number() OVER (ORDER BY l.order_1 COLLATE "C", l.key)::integer AS position
    FROM transhume.links_categories AS l
    WHERE l.parent IS NULL
      AND l.nowhere IS NULL
  ) AS l
  CROSS JOIN generate_series(1, (SELECT 1)) AS once  -- the planner expects a thousand, and hashes the links for them
  WHERE abs(hashtext(l.key::text) % $2::integer) = $1::integer
  UNION ALL
  SELECT
    l.key,
    n.key,
    n.depth + 1,
    l.place,
    l.nowhere,
    row_number() OVER (PARTITION BY n.key ORDER BY l.order_1 COLLATE "C", l.key)::integer
  FROM node AS n
  JOIN transhume.links_categories AS l ON l.parent = n.key
)
SELECT
  n.key,
  n.parent,
  n.depth,
  n."position",
  n.place,
  n.nowhere,
  NULL::uuid AS was,
  NULL::text AS fate
FROM node AS n
ORDER BY n.key;
ALTER TABLE transhume."nodes_categories_$part" INHERIT transhume.nodes_categories;

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
    ALTER TABLE transhume.nodes_categories RENAME TO tree_categories;  -- siblings are numbered
    RETURN;
  END IF;
  ANALYZE transhume.links_categories, transhume.nodes_categories;

  -- The others.
  CREATE TEMPORARY TABLE loose ON COMMIT DROP AS
  SELECT l.*
  FROM transhume.links_categories AS l
  WHERE NOT EXISTS (SELECT FROM transhume.nodes_categories AS n WHERE n.key = l.key);
  CREATE UNIQUE INDEX ON loose (key);
  CREATE INDEX ON loose (parent);
  ANALYZE loose;

  -- Orphans: they are set aside.
  UPDATE loose AS l
  SET
    lost = l.parent,
    parent = NULL,
    fate = 'orphan'
  WHERE NOT EXISTS (SELECT FROM loose AS p WHERE p.key = l.parent);
  CREATE TEMPORARY TABLE found ON COMMIT DROP AS
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      NULL::uuid AS parent,
      0 AS depth,
      l.place,
      l.nowhere,
      l.lost AS was,
      l.fate
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      n.depth + 1,
      l.place,
      l.nowhere,
      l.lost,
      CASE WHEN n.fate IN ('orphan', 'below') THEN 'below' ELSE l.fate END
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, place, nowhere, was, fate FROM node AS n;
  INSERT INTO transhume.nodes_categories (key, parent, depth, place, nowhere, was, fate) SELECT key, parent, depth, place, nowhere, was, fate FROM found AS n;
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
  INSERT INTO transhume.nodes_categories (key, parent, depth, place, nowhere, was, fate)
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      NULL::uuid AS parent,
      0 AS depth,
      l.place,
      l.nowhere,
      l.lost AS was,
      l.fate
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      n.depth + 1,
      l.place,
      l.nowhere,
      l.lost,
      CASE WHEN n.fate IN ('orphan', 'below') THEN 'below' ELSE l.fate END
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, place, nowhere, was, fate FROM node AS n;
END
$loose$;

-- transhume: build of "siblings" on target -- their positions
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
DO $siblings$
BEGIN
  -- Nothing was loose, or nothing that moves: they are numbered.
  IF to_regclass('transhume.nodes_categories') IS NULL THEN
    RETURN;
  ELSIF NOT EXISTS (SELECT FROM transhume.nodes_categories AS n WHERE n.position IS NULL AND (n.fate IN ('orphan', 'below')) IS NOT TRUE) THEN
    ALTER TABLE transhume.nodes_categories RENAME TO tree_categories;
    RETURN;
  END IF;
  CREATE UNLOGGED TABLE transhume.tree_categories AS
  SELECT
    n.key, n.parent, n.depth, n.place, n.nowhere, n.was, n.fate,
    row_number() OVER (PARTITION BY n.parent, ((n.fate IN ('orphan', 'below')) IS NOT TRUE) ORDER BY l.order_1 COLLATE "C", l.key)::integer AS position
  FROM transhume.nodes_categories AS n
  JOIN transhume.links_categories AS l ON l.key = n.key
  ORDER BY n.key;
  DROP TABLE transhume.nodes_categories CASCADE;
END
$siblings$;

-- transhume: build of "statistics" on target -- how many rows are in a block
SELECT set_config('default_statistics_target', '1', true);
DO $statistics$
DECLARE
  part regclass;
BEGIN
  FOR part IN
    SELECT 'transhume.tree_categories'::regclass
    UNION ALL
    SELECT i.inhrelid::regclass FROM pg_inherits AS i WHERE i.inhparent = 'transhume.tree_categories'::regclass
  LOOP
    EXECUTE 'ANALYZE ' || part || ' (key)';
  END LOOP;
END
$statistics$;

-- transhume: build of "listing" on target binds run step -- what was done to each row that does not hang where the source says
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'categories', 'public.category',
  ARRAY[n.key::text], jsonb_build_object('id', n.key, 'path', CASE WHEN n.nowhere IS NULL THEN coalesce(n.was, n.parent) END),
  'parent_id', done.reason, done.sqlstate, done.action
FROM transhume.tree_categories AS n
CROSS JOIN LATERAL (
  VALUES
    ('rooted', '23503', n.fate = 'rooted', coalesce(n.nowhere, 'path = ' || n.was::text || ' does not move') || ': it is a root now'),
    ('broken', '23514', n.fate = 'broken', 'path = ' || n.was::text || ' leads back to it: it is a root now')
) AS done (action, sqlstate, is_done, reason)
WHERE (
  SELECT (SELECT coalesce(sum(c.loaded), 0) FROM transhume.chunk AS c WHERE c.run = $1::uuid AND c.step = $2)
    - coalesce(sum(p.rows), 0)
  FROM transhume.part AS p
  WHERE p.run = $1::uuid AND p.step = $2 AND p.part LIKE 'build of "threads"%'
) > 0 AND (n.fate IS NOT NULL) AND done.is_done AND (n.fate IN ('orphan', 'below')) IS NOT TRUE;
DROP TABLE transhume.links_categories;

-- transhume: intact on target -- what was made is still there
SELECT i.intact FROM transhume.intact_categories AS i;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.tree_categories CASCADE;
DROP TABLE IF EXISTS transhume.rows_categories;
DROP TABLE IF EXISTS transhume.intact_categories;
DROP TABLE IF EXISTS transhume.links_categories;
DROP TABLE IF EXISTS transhume.nodes_categories CASCADE;
