-- tree.comments: public.comment (source) by parent_id -> transhume.tree_comments (target): an orphan hangs from 1, a
--     cycle is broken
-- from   specs/demo/tables/visits.yaml:1
-- after  create.comments
-- locks  ACCESS SHARE on public.comment (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE UNLOGGED TABLE transhume.intact_comments AS SELECT true AS intact;
CREATE UNLOGGED TABLE transhume.rows_comments (
  id character varying(10),
  parent_id text,
  body text,
  created_at timestamp with time zone
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.links_comments (
  key text NOT NULL,
  parent text,
  place tid,
  fate text,
  lost text
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.tree_comments (
  key text,
  parent text,
  root text,
  depth integer,
  place tid,
  was text,
  fate text
) WITH (autovacuum_enabled = false);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.comment'::regclass) AS bytes
FROM public.comment AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.comment AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::character varying(10))
    AND ($2::text IS NULL OR s.id <= $2::character varying(10))
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: count on source binds after.1 upto.1 -- the rows of the chunk, before the filter and after it
SELECT count(*) AS rows, count(*) FILTER (WHERE (not s.is_deleted)) AS kept
FROM public.comment AS s
WHERE ($1::text IS NULL OR s.id > $1::character varying(10))
  AND ($2::text IS NULL OR s.id <= $2::character varying(10));

-- transhume: load on target binds after.1 upto.1 -- the rows, and beside them what the hierarchy is made of
INSERT INTO transhume.rows_comments (
  id,
  parent_id,
  body,
  created_at
)
  SELECT
    s.id,
    s.parent_id,
    s.body,
    s.created_at
  FROM public.comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::character varying(10))
    AND ($2::text IS NULL OR s.id <= $2::character varying(10))
    AND (not s.is_deleted);

-- transhume: build of "links" on target binds part parts -- keys, parents and places of all rows; in parts side by side
INSERT INTO transhume.links_comments (key, parent, place, fate)
SELECT
  l.key,
  l.parent,
  l.place,
  l.fate
FROM (
  SELECT
    s.id::text AS key,
    nullif(s.parent_id, s.id::text) AS parent,
    s.ctid AS place,
    NULL AS fate
  FROM transhume.rows_comments AS s
  WHERE s.ctid >= (SELECT format('(%s,0)', $1::bigint * (1 + pg_relation_size('transhume.rows_comments'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
    AND s.ctid < (SELECT format('(%s,0)', ($1::bigint + 1) * (1 + pg_relation_size('transhume.rows_comments'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
) AS l;

-- transhume: build of "found by" on target -- how rows are found from level to level
CREATE UNIQUE INDEX links_comments_key ON transhume.links_comments (key);
DO $found_by$
BEGIN
  IF current_setting('server_version_num')::integer < 150000
    OR 2 * pg_table_size('transhume.links_comments'::regclass)
      > pg_size_bytes(current_setting('maintenance_work_mem')) * current_setting('hash_mem_multiplier')::double precision
  THEN
    CREATE INDEX links_comments_parent ON transhume.links_comments (parent);
  END IF;
END
$found_by$;

-- transhume: build of "threads" on target binds part parts -- all that a root leads to; in parts side by side
DO $how$
BEGIN
  PERFORM set_config('work_mem', current_setting('maintenance_work_mem'), true);
  SET LOCAL enable_mergejoin = off;
  IF to_regclass('transhume.links_comments_parent') IS NULL THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL recursive_worktable_factor = 1000000;
  ELSE
    SET LOCAL enable_hashjoin = off;
  END IF;
END
$how$;
CREATE UNLOGGED TABLE transhume."nodes_comments_$part" WITH (autovacuum_enabled = false) AS
WITH RECURSIVE node AS (
  SELECT
    l.key,
    NULL::text AS parent,
    l.key AS root,
    0 AS depth,
    l.place
  FROM transhume.links_comments AS l
  CROSS JOIN generate_series(1, (SELECT 1)) AS once  -- the planner expects a thousand, and hashes the links for them
  WHERE l.parent IS NULL
    AND abs(hashtext(l.key::text) % $2::integer) = $1::integer
  UNION ALL
  SELECT
    l.key,
    n.key,
    n.root,
    n.depth + 1,
    l.place
  FROM node AS n
  JOIN transhume.links_comments AS l ON l.parent = n.key
)
SELECT
  n.key,
  n.parent,
  n.root,
  n.depth,
  n.place,
  NULL::text AS was,
  NULL::text AS fate
FROM node AS n
ORDER BY n.key COLLATE "C";
ALTER TABLE transhume."nodes_comments_$part" INHERIT transhume.tree_comments;

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
  ANALYZE transhume.links_comments, transhume.tree_comments;

  -- The others.
  CREATE TEMPORARY TABLE loose ON COMMIT DROP AS
  SELECT l.*
  FROM transhume.links_comments AS l
  WHERE NOT EXISTS (SELECT FROM transhume.tree_comments AS n WHERE n.key = l.key);
  CREATE UNIQUE INDEX ON loose (key);
  CREATE INDEX ON loose (parent);
  ANALYZE loose;

  -- Orphans: they hang from another row.
  WITH RECURSIVE above AS (
    SELECT l.key, l.parent FROM transhume.links_comments AS l WHERE l.key = '1'::text
    UNION
    SELECT l.key, l.parent FROM above AS a JOIN transhume.links_comments AS l ON l.key = a.parent
  )
  UPDATE loose AS l
  SET
    lost = l.parent,
    parent = CASE WHEN EXISTS (SELECT FROM above) AND l.key NOT IN (SELECT a.key FROM above AS a) THEN '1'::text END,
    fate = CASE WHEN EXISTS (SELECT FROM above) AND l.key NOT IN (SELECT a.key FROM above AS a) THEN 'adopted' ELSE 'rooted' END
  WHERE NOT EXISTS (SELECT FROM loose AS p WHERE p.key = l.parent);
  CREATE TEMPORARY TABLE found ON COMMIT DROP AS
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      CASE WHEN n.key IS NULL THEN NULL::text ELSE n.key END AS parent,
      CASE WHEN n.key IS NULL THEN l.key ELSE n.root END AS root,
      CASE WHEN n.key IS NULL THEN 0 ELSE n.depth + 1 END AS depth,
      l.place,
      l.lost AS was,
      l.fate
    FROM loose AS l LEFT JOIN transhume.tree_comments AS n ON n.key = l.parent
    WHERE (l.parent IS NULL OR n.key IS NOT NULL)
    UNION ALL
    SELECT
      l.key,
      n.key,
      n.root,
      n.depth + 1,
      l.place,
      l.lost,
      l.fate
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, root, depth, place, was, fate FROM node AS n;
  INSERT INTO transhume.tree_comments (key, parent, root, depth, place, was, fate) SELECT key, parent, root, depth, place, was, fate FROM found AS n;
  DELETE FROM loose AS l USING found AS n WHERE n.key = l.key;

  -- Cycles: the first of each, in order, becomes a root.
  CREATE TEMPORARY TABLE hop ON COMMIT DROP AS
  SELECT l.key, l.parent AS next, row_number() OVER by_order AS place, row_number() OVER by_order AS first
  FROM loose AS l
  WINDOW by_order AS (ORDER BY l.key COLLATE "C");
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
  INSERT INTO transhume.tree_comments (key, parent, root, depth, place, was, fate)
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      CASE WHEN n.key IS NULL THEN NULL::text ELSE n.key END AS parent,
      CASE WHEN n.key IS NULL THEN l.key ELSE n.root END AS root,
      CASE WHEN n.key IS NULL THEN 0 ELSE n.depth + 1 END AS depth,
      l.place,
      l.lost AS was,
      l.fate
    FROM loose AS l LEFT JOIN transhume.tree_comments AS n ON n.key = l.parent
    WHERE (l.parent IS NULL OR n.key IS NOT NULL)
    UNION ALL
    SELECT
      l.key,
      n.key,
      n.root,
      n.depth + 1,
      l.place,
      l.lost,
      l.fate
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, root, depth, place, was, fate FROM node AS n;
END
$loose$;

-- transhume: build of "statistics" on target -- how many rows are in a block
SELECT set_config('default_statistics_target', '1', true);
DO $statistics$
DECLARE
  part regclass;
BEGIN
  FOR part IN
    SELECT 'transhume.tree_comments'::regclass
    UNION ALL
    SELECT i.inhrelid::regclass FROM pg_inherits AS i WHERE i.inhparent = 'transhume.tree_comments'::regclass
  LOOP
    EXECUTE 'ANALYZE ' || part || ' (key)';
  END LOOP;
END
$statistics$;

-- transhume: build of "under" on target -- what orphans hang from is there
DO $under$
BEGIN
  IF NOT EXISTS (SELECT FROM transhume.tree_comments AS n WHERE n.key = '1'::text) THEN
    RAISE EXCEPTION 'there is no row 1 that moves, for orphans to hang from';
  END IF;
END
$under$;

-- transhume: build of "listing" on target binds run step -- what was done to each row that does not hang where the source says
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'comments', 'public.comment',
  ARRAY[n.key::text], jsonb_build_object('id', n.key, 'parent_id', coalesce(n.was, n.parent)),
  'parent_id', done.reason, done.sqlstate, done.action
FROM transhume.tree_comments AS n
CROSS JOIN LATERAL (
  VALUES
    ('rooted', '23503', n.fate = 'rooted', 'parent_id = ' || n.was::text || ' does not move: it is a root now'),
    ('adopted', '23503', n.fate = 'adopted', 'parent_id = ' || n.was::text || ' does not move: it hangs from 1 now'),
    ('broken', '23514', n.fate = 'broken', 'parent_id = ' || n.was::text || ' leads back to it: it is a root now')
) AS done (action, sqlstate, is_done, reason)
WHERE (
  SELECT (SELECT coalesce(sum(c.loaded), 0) FROM transhume.chunk AS c WHERE c.run = $1::uuid AND c.step = $2)
    - coalesce(sum(p.rows), 0)
  FROM transhume.part AS p
  WHERE p.run = $1::uuid AND p.step = $2 AND p.part LIKE 'build of "threads"%'
) > 0 AND (n.fate IS NOT NULL) AND done.is_done;
DROP TABLE transhume.links_comments;

-- transhume: intact on target -- what was made is still there
SELECT i.intact FROM transhume.intact_comments AS i;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.tree_comments CASCADE;
DROP TABLE IF EXISTS transhume.rows_comments;
DROP TABLE IF EXISTS transhume.intact_comments;
DROP TABLE IF EXISTS transhume.links_comments;
