-- tree.posts: public.post (source) by tree_path -> transhume.tree_posts (target): an orphan hangs from 1, a cycle is
--     broken
-- from   specs/demo/tables/patients.yaml:1
-- after  create.posts
-- locks  ACCESS SHARE on public.post in the source (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE TABLE transhume.links_posts (
  key bigint NOT NULL,
  parent bigint,
  order_1 text,
  path text,
  fits boolean,
  lost bigint,
  fate text,
  nowhere text
);

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

-- transhume: direct on source binds after.1 upto.1 -- the narrow rows that can move
COPY (
  SELECT
    s.id::bigint AS key,
    NULL::bigint AS parent,
    s.name AS order_1,
    btrim(s.tree_path, '/') AS path,
    (s."passes the filter" AND (CASE WHEN s.size COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.size) <= 1000 THEN s.size::numeric BETWEEN -2147483648 AND 2147483647 ELSE s.size IS NULL END)) IS TRUE AS fits
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
COPY transhume.links_posts (key, parent, order_1, path, fits) FROM STDIN (FORMAT binary);

-- transhume: build of "parents" on target -- the rows with whose paths theirs begin
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
WHERE p.key = l.key AND p.prefix IS NOT NULL;
DELETE FROM transhume.links_posts AS l WHERE NOT l.fits;

-- transhume: build of "links" on target -- what the planner must know of them
CREATE UNIQUE INDEX links_posts_key ON transhume.links_posts (key);
ANALYZE transhume.links_posts;

-- transhume: build of "threads" on target -- all that a root leads to
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
DO $how$
BEGIN
  SET LOCAL enable_mergejoin = off;
  IF current_setting('server_version_num')::integer >= 150000
    AND 2 * pg_table_size('transhume.links_posts'::regclass)
      < pg_size_bytes(current_setting('work_mem')) * current_setting('hash_mem_multiplier')::double precision
  THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL recursive_worktable_factor = 1000000;
  ELSE
    SET LOCAL enable_hashjoin = off;
    CREATE INDEX links_posts_parent ON transhume.links_posts (parent);
  END IF;
END
$how$;
CREATE TABLE transhume.nodes_posts AS
WITH RECURSIVE node AS (
  SELECT
    l.key,
    NULL::bigint AS parent,
    l.lost AS was,
    l.key AS root,
    0 AS depth,
    l.fate,
    l.nowhere,
    l.order_1
  FROM transhume.links_posts AS l
  WHERE l.parent IS NULL
    AND l.nowhere IS NULL
  UNION ALL
  SELECT
    l.key,
    n.key,
    l.lost,
    n.root,
    n.depth + 1,
    l.fate,
    l.nowhere,
    l.order_1
  FROM node AS n
  JOIN transhume.links_posts AS l ON l.parent = n.key
)
SELECT n.key, n.parent, n.was, n.root, n.depth, n.fate, n.nowhere, n.order_1, row_number() OVER (PARTITION BY n.parent ORDER BY n.order_1 COLLATE "C", n.key)::integer AS position FROM node AS n;

-- transhume: build of "loose" on target -- what no root leads to
DO $loose$
DECLARE
  steps bigint := 1;
  rows bigint;
BEGIN
  SELECT (SELECT count(*) FROM transhume.links_posts) - (SELECT count(*) FROM transhume.nodes_posts) INTO rows;
  IF rows = 0 THEN
    RETURN;
  END IF;
  CREATE TEMPORARY TABLE loose ON COMMIT DROP AS
  SELECT l.*
  FROM transhume.links_posts AS l
  WHERE NOT EXISTS (SELECT FROM transhume.nodes_posts AS n WHERE n.key = l.key);
  CREATE UNIQUE INDEX ON loose (key);
  CREATE INDEX ON loose (parent);
  ANALYZE loose;

  -- Orphans: they hang from another row.
  WITH RECURSIVE above AS (
    SELECT l.key, l.parent FROM transhume.links_posts AS l WHERE l.key = '1'::bigint
    UNION
    SELECT l.key, l.parent FROM above AS a JOIN transhume.links_posts AS l ON l.key = a.parent
  )
  UPDATE loose AS l
  SET
    lost = l.parent,
    parent = CASE WHEN EXISTS (SELECT FROM above) AND l.key NOT IN (SELECT a.key FROM above AS a) THEN '1'::bigint END,
    fate = CASE WHEN EXISTS (SELECT FROM above) AND l.key NOT IN (SELECT a.key FROM above AS a) THEN 'adopted' ELSE 'rooted' END
  WHERE NOT EXISTS (SELECT FROM loose AS p WHERE p.key = l.parent);
  CREATE TEMPORARY TABLE found ON COMMIT DROP AS
  WITH RECURSIVE node AS (
    SELECT
      l.key AS key,
      CASE WHEN n.key IS NULL THEN NULL::bigint ELSE n.key END AS parent,
      l.lost AS was,
      CASE WHEN n.key IS NULL THEN l.key ELSE n.root END AS root,
      CASE WHEN n.key IS NULL THEN 0 ELSE n.depth + 1 END AS depth,
      l.fate AS fate,
      l.nowhere AS nowhere,
      l.order_1 AS order_1
    FROM loose AS l LEFT JOIN transhume.nodes_posts AS n ON n.key = l.parent
    WHERE (l.parent IS NULL OR n.key IS NOT NULL)
    UNION ALL
    SELECT
      l.key,
      n.key,
      l.lost,
      n.root,
      n.depth + 1,
      l.fate,
      l.nowhere,
      l.order_1
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, was, root, depth, fate, nowhere, order_1 FROM node AS n;
  INSERT INTO transhume.nodes_posts (key, parent, was, root, depth, fate, nowhere, order_1) SELECT key, parent, was, root, depth, fate, nowhere, order_1 FROM found AS n;
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
  INSERT INTO transhume.nodes_posts (key, parent, was, root, depth, fate, nowhere, order_1)
  WITH RECURSIVE node AS (
    SELECT
      l.key AS key,
      CASE WHEN n.key IS NULL THEN NULL::bigint ELSE n.key END AS parent,
      l.lost AS was,
      CASE WHEN n.key IS NULL THEN l.key ELSE n.root END AS root,
      CASE WHEN n.key IS NULL THEN 0 ELSE n.depth + 1 END AS depth,
      l.fate AS fate,
      l.nowhere AS nowhere,
      l.order_1 AS order_1
    FROM loose AS l LEFT JOIN transhume.nodes_posts AS n ON n.key = l.parent
    WHERE (l.parent IS NULL OR n.key IS NOT NULL)
    UNION ALL
    SELECT
      l.key,
      n.key,
      l.lost,
      n.root,
      n.depth + 1,
      l.fate,
      l.nowhere,
      l.order_1
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, was, root, depth, fate, nowhere, order_1 FROM node AS n;
END
$loose$;

-- transhume: build of "siblings" on target -- their positions
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
DO $siblings$
BEGIN
  -- Nothing was loose: they are numbered.
  IF NOT EXISTS (SELECT FROM transhume.nodes_posts AS n WHERE n.position IS NULL) THEN
    ALTER TABLE transhume.nodes_posts RENAME TO tree_posts;
    RETURN;
  END IF;
  CREATE TABLE transhume.tree_posts AS
  SELECT
    n.key, n.parent, n.was, n.root, n.depth, n.fate, n.nowhere,
    row_number() OVER (PARTITION BY n.parent ORDER BY n.order_1 COLLATE "C", n.key)::integer AS position
  FROM transhume.nodes_posts AS n;
  DROP TABLE transhume.nodes_posts;
END
$siblings$;

-- transhume: build of "tree" on target -- by which the load finds where a row hangs
CREATE UNIQUE INDEX tree_posts_key ON transhume.tree_posts (key);
ANALYZE transhume.tree_posts;

-- transhume: build of "under" on target -- what orphans hang from is there
DO $under$
BEGIN
  IF NOT EXISTS (SELECT FROM transhume.tree_posts AS n WHERE n.key = '1'::bigint) THEN
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
WHERE (n.fate IS NOT NULL) AND done.is_done;
DROP TABLE transhume.links_posts;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.links_posts;
DROP TABLE IF EXISTS transhume.nodes_posts;
DROP TABLE IF EXISTS transhume.tree_posts;
