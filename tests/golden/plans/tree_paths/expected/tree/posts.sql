-- tree.posts: public.post (source) by tree_path -> transhume.tree_posts (target): an orphan hangs from 1, a cycle is
--     broken
-- from   specs/demo/tables/patients.yaml:1
-- after  create.posts
-- locks  ACCESS SHARE on public.post in the source (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE UNLOGGED TABLE transhume.intact_posts AS SELECT true AS intact;
CREATE UNLOGGED TABLE transhume.rows_posts (
  "node path" text,
  "node fits" boolean,
  "node passes" boolean,
  id integer,
  tree_path text,
  name text,
  size text
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.links_posts (
  key integer NOT NULL,
  parent integer,
  order_1 text,
  path text,
  place tid,
  fate text,
  lost integer,
  nowhere text
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.nodes_posts (
  key integer,
  parent integer,
  root integer,
  depth integer,
  position integer,
  place tid,
  nowhere text,
  was integer,
  fate text
) WITH (autovacuum_enabled = false);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.post'::regclass) AS bytes
FROM public.post AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.post AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.post AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: direct on source binds after.1 upto.1 -- the rows, and beside them what the hierarchy is made of
COPY (
  SELECT
    btrim(s.tree_path, '/') AS "node path",
    ((CASE WHEN s.size COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.size) <= 1000 THEN s.size::numeric BETWEEN -2147483648 AND 2147483647 ELSE s.size IS NULL END)) IS TRUE AS "node fits",
    s."passes the filter" AS "node passes",
    s.id,
    s.tree_path,
    s.name,
    s.size
  FROM (
  SELECT
    s.id,
    s.tree_path,
    s.name,
    s.size,
    (s.name <> 'hidden') IS TRUE AS "passes the filter"
  FROM public.post AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) AS s
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY transhume.rows_posts (
  "node path",
  "node fits",
  "node passes",
  id,
  tree_path,
  name,
  size
) FROM STDIN (FORMAT binary);

-- transhume: build of "links" on target binds part parts -- keys, parents and places of all rows; in parts side by side
INSERT INTO transhume.links_posts (key, parent, order_1, path, place, fate)
SELECT
  l.key,
  CASE WHEN l.fate IS NULL THEN l.parent END,
  l.order_1,
  l.path,
  l.place,
  l.fate
FROM (
  SELECT
    s.id AS key,
    NULL::integer AS parent,
    s.name AS order_1,
    s."node path" AS path,
    s.ctid AS place,
    CASE WHEN NOT s."node passes" THEN 'filtered' WHEN (s."node fits") IS NOT TRUE THEN 'unfit' END AS fate
  FROM transhume.rows_posts AS s
  WHERE s.ctid >= (SELECT format('(%s,0)', $1::bigint * (1 + pg_relation_size('transhume.rows_posts'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
    AND s.ctid < (SELECT format('(%s,0)', ($1::bigint + 1) * (1 + pg_relation_size('transhume.rows_posts'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
) AS l;

-- transhume: build of "parents" on target -- the rows with whose paths theirs begin
ANALYZE transhume.links_posts;
UPDATE transhume.links_posts AS l
SET
  parent = a.key,
  nowhere = CASE WHEN a.key IS NULL THEN 'no row has the tree_path ' || p.prefix END
FROM (SELECT l.key, CASE WHEN strpos(reverse(l.path), '/') > 0 THEN left(l.path, -strpos(reverse(l.path), '/')) END AS prefix FROM transhume.links_posts AS l) AS p
LEFT JOIN (
  SELECT DISTINCT ON (path) l.path, l.key
  FROM transhume.links_posts AS l
  ORDER BY l.path, l.key
) AS a ON a.path = p.prefix
WHERE p.key = l.key AND p.prefix IS NOT NULL AND l.fate IS NULL;

-- transhume: build of "found by" on target -- how rows are found from level to level
CREATE UNIQUE INDEX links_posts_key ON transhume.links_posts (key);
DO $found_by$
BEGIN
  IF current_setting('server_version_num')::integer < 150000
    OR 2 * pg_table_size('transhume.links_posts'::regclass)
      > pg_size_bytes(current_setting('maintenance_work_mem')) * current_setting('hash_mem_multiplier')::double precision
  THEN
    CREATE INDEX links_posts_parent ON transhume.links_posts (parent);
  END IF;
END
$found_by$;

-- transhume: build of "threads" on target binds part parts -- all that a root leads to; in parts side by side
DO $how$
BEGIN
  PERFORM set_config('work_mem', current_setting('maintenance_work_mem'), true);
  SET LOCAL enable_mergejoin = off;
  IF to_regclass('transhume.links_posts_parent') IS NULL THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL recursive_worktable_factor = 1000000;
  ELSE
    SET LOCAL enable_hashjoin = off;
  END IF;
END
$how$;
CREATE UNLOGGED TABLE transhume."nodes_posts_$part" WITH (autovacuum_enabled = false) AS
WITH RECURSIVE node AS (
  SELECT
    l.key,
    NULL::integer AS parent,
    l.key AS root,
    0 AS depth,
    l.place,
    l.nowhere,
    l.position
  FROM (
    SELECT l.*, row_number() OVER (ORDER BY l.order_1 COLLATE "C", l.key)::integer AS position
    FROM transhume.links_posts AS l
    WHERE l.parent IS NULL
      AND l.nowhere IS NULL
      AND l.fate IS NULL
  ) AS l
  CROSS JOIN generate_series(1, (SELECT 1)) AS once  -- the planner expects a thousand, and hashes the links for them
  WHERE abs(l.key % $2::integer) = $1::integer
  UNION ALL
  SELECT
    l.key,
    n.key,
    n.root,
    n.depth + 1,
    l.place,
    l.nowhere,
    row_number() OVER (PARTITION BY n.key ORDER BY l.order_1 COLLATE "C", l.key)::integer
  FROM node AS n
  JOIN transhume.links_posts AS l ON l.parent = n.key
)
SELECT
  n.key,
  n.parent,
  n.root,
  n.depth,
  n."position",
  n.place,
  n.nowhere,
  NULL::integer AS was,
  NULL::text AS fate
FROM node AS n
ORDER BY n.key;
ALTER TABLE transhume."nodes_posts_$part" INHERIT transhume.nodes_posts;

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
    ALTER TABLE transhume.nodes_posts RENAME TO tree_posts;  -- siblings are numbered
    RETURN;
  END IF;
  ANALYZE transhume.links_posts, transhume.nodes_posts;

  -- Those that will not move: they have no place.
  INSERT INTO transhume.nodes_posts (key, parent, root, depth, place, nowhere, was, fate)
  SELECT
    l.key,
    NULL::integer AS parent,
    l.key AS root,
    0 AS depth,
    l.place,
    l.nowhere,
    l.lost AS was,
    l.fate
  FROM transhume.links_posts AS l
  WHERE l.fate IS NOT NULL;
  GET DIAGNOSTICS aside = ROW_COUNT;
  IF rows = aside THEN
    RETURN;
  END IF;

  -- The others.
  CREATE TEMPORARY TABLE loose ON COMMIT DROP AS
  SELECT l.*
  FROM transhume.links_posts AS l
  WHERE NOT EXISTS (SELECT FROM transhume.nodes_posts AS n WHERE n.key = l.key);
  CREATE UNIQUE INDEX ON loose (key);
  CREATE INDEX ON loose (parent);
  ANALYZE loose;

  -- Orphans: they hang from another row.
  WITH RECURSIVE above AS (
    SELECT l.key, l.parent FROM transhume.links_posts AS l WHERE l.key = '1'::integer
    UNION
    SELECT l.key, l.parent FROM above AS a JOIN transhume.links_posts AS l ON l.key = a.parent
  )
  UPDATE loose AS l
  SET
    lost = l.parent,
    parent = CASE WHEN EXISTS (SELECT FROM above) AND l.key NOT IN (SELECT a.key FROM above AS a) THEN '1'::integer END,
    fate = CASE WHEN EXISTS (SELECT FROM above) AND l.key NOT IN (SELECT a.key FROM above AS a) THEN 'adopted' ELSE 'rooted' END
  WHERE NOT EXISTS (SELECT FROM loose AS p WHERE p.key = l.parent);
  CREATE TEMPORARY TABLE found ON COMMIT DROP AS
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      CASE WHEN n.key IS NULL THEN NULL::integer ELSE n.key END AS parent,
      CASE WHEN n.key IS NULL THEN l.key ELSE n.root END AS root,
      CASE WHEN n.key IS NULL THEN 0 ELSE n.depth + 1 END AS depth,
      l.place,
      l.nowhere,
      l.lost AS was,
      l.fate
    FROM loose AS l LEFT JOIN transhume.nodes_posts AS n ON n.key = l.parent
    WHERE (l.parent IS NULL OR n.key IS NOT NULL)
    UNION ALL
    SELECT
      l.key,
      n.key,
      n.root,
      n.depth + 1,
      l.place,
      l.nowhere,
      l.lost,
      l.fate
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, root, depth, place, nowhere, was, fate FROM node AS n;
  INSERT INTO transhume.nodes_posts (key, parent, root, depth, place, nowhere, was, fate) SELECT key, parent, root, depth, place, nowhere, was, fate FROM found AS n;
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
  INSERT INTO transhume.nodes_posts (key, parent, root, depth, place, nowhere, was, fate)
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      CASE WHEN n.key IS NULL THEN NULL::integer ELSE n.key END AS parent,
      CASE WHEN n.key IS NULL THEN l.key ELSE n.root END AS root,
      CASE WHEN n.key IS NULL THEN 0 ELSE n.depth + 1 END AS depth,
      l.place,
      l.nowhere,
      l.lost AS was,
      l.fate
    FROM loose AS l LEFT JOIN transhume.nodes_posts AS n ON n.key = l.parent
    WHERE (l.parent IS NULL OR n.key IS NOT NULL)
    UNION ALL
    SELECT
      l.key,
      n.key,
      n.root,
      n.depth + 1,
      l.place,
      l.nowhere,
      l.lost,
      l.fate
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, root, depth, place, nowhere, was, fate FROM node AS n;
END
$loose$;

-- transhume: build of "siblings" on target -- their positions
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
DO $siblings$
BEGIN
  -- Nothing was loose, or nothing that moves: they are numbered.
  IF to_regclass('transhume.nodes_posts') IS NULL THEN
    RETURN;
  ELSIF NOT EXISTS (SELECT FROM transhume.nodes_posts AS n WHERE n.position IS NULL AND (n.fate IN ('filtered', 'unfit')) IS NOT TRUE) THEN
    ALTER TABLE transhume.nodes_posts RENAME TO tree_posts;
    RETURN;
  END IF;
  CREATE UNLOGGED TABLE transhume.tree_posts AS
  SELECT
    n.key, n.parent, n.root, n.depth, n.place, n.nowhere, n.was, n.fate,
    row_number() OVER (PARTITION BY n.parent, ((n.fate IN ('filtered', 'unfit')) IS NOT TRUE) ORDER BY l.order_1 COLLATE "C", l.key)::integer AS position
  FROM transhume.nodes_posts AS n
  JOIN transhume.links_posts AS l ON l.key = n.key
  ORDER BY n.key;
  DROP TABLE transhume.nodes_posts CASCADE;
END
$siblings$;

-- transhume: build of "statistics" on target -- how many rows are in a block
SELECT set_config('default_statistics_target', '1', true);
DO $statistics$
DECLARE
  part regclass;
BEGIN
  FOR part IN
    SELECT 'transhume.tree_posts'::regclass
    UNION ALL
    SELECT i.inhrelid::regclass FROM pg_inherits AS i WHERE i.inhparent = 'transhume.tree_posts'::regclass
  LOOP
    EXECUTE 'ANALYZE ' || part || ' (key)';
  END LOOP;
END
$statistics$;

-- transhume: build of "under" on target -- what orphans hang from is there
DO $under$
BEGIN
  IF NOT EXISTS (SELECT FROM transhume.tree_posts AS n WHERE n.key = '1'::integer
  AND (n.fate IN ('filtered', 'unfit')) IS NOT TRUE) THEN
    RAISE EXCEPTION 'there is no row 1 that moves, for orphans to hang from';
  END IF;
END
$under$;

-- transhume: build of "listing" on target binds run step -- what was done to each row that does not hang where the source says
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'posts', 'public.post',
  ARRAY[n.key::text], jsonb_build_object('id', n.key, 'tree_path', CASE WHEN n.nowhere IS NULL THEN coalesce(n.was, n.parent) END),
  'parent_id', done.reason, done.sqlstate, done.action
FROM transhume.tree_posts AS n
CROSS JOIN LATERAL (
  VALUES
    ('rooted', '23503', n.fate = 'rooted', coalesce(n.nowhere, 'tree_path = ' || n.was::text || ' does not move') || ': it is a root now'),
    ('adopted', '23503', n.fate = 'adopted', coalesce(n.nowhere, 'tree_path = ' || n.was::text || ' does not move') || ': it hangs from 1 now'),
    ('broken', '23514', n.fate = 'broken', 'tree_path = ' || n.was::text || ' leads back to it: it is a root now')
) AS done (action, sqlstate, is_done, reason)
WHERE (
  SELECT (SELECT coalesce(sum(c.loaded), 0) FROM transhume.chunk AS c WHERE c.run = $1::uuid AND c.step = $2)
    - coalesce(sum(p.rows), 0)
  FROM transhume.part AS p
  WHERE p.run = $1::uuid AND p.step = $2 AND p.part LIKE 'build of "threads"%'
) > 0 AND (n.fate IS NOT NULL) AND done.is_done AND (n.fate IN ('filtered', 'unfit')) IS NOT TRUE;
DROP TABLE transhume.links_posts;

-- transhume: intact on target -- what was made is still there
SELECT i.intact FROM transhume.intact_posts AS i;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.tree_posts CASCADE;
DROP TABLE IF EXISTS transhume.rows_posts;
DROP TABLE IF EXISTS transhume.intact_posts;
DROP TABLE IF EXISTS transhume.links_posts;
DROP TABLE IF EXISTS transhume.nodes_posts CASCADE;
