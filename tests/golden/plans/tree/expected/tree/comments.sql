-- tree.comments: public.comment (source) by parent_id -> transhume.tree_comments (target): an orphan is a root, a cycle
--     is broken, what is deeper than 3 is flattened
-- from   specs/demo/tables/visits.yaml:1
-- after  create.comments
-- locks  ACCESS SHARE on public.comment in the source (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE UNLOGGED TABLE transhume.intact_comments AS SELECT true AS intact;
CREATE UNLOGGED TABLE transhume.rows_comments (
  "node id" uuid,
  "node gone" boolean,
  id integer,
  parent_id integer,
  author_id integer,
  body text,
  is_deleted boolean,
  created_at timestamp with time zone
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.links_comments (
  key integer NOT NULL,
  parent integer,
  order_1 timestamp with time zone,
  id uuid,
  gone boolean,
  place tid,
  fate text,
  lost integer
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.nodes_comments (
  key integer,
  parent integer,
  depth integer,
  level integer,
  place tid,
  parent_id uuid,
  root_id uuid,
  gone boolean,
  order_1 timestamp with time zone,
  was integer,
  fate text,
  id uuid
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
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: direct on source binds after.1 upto.1 -- the rows, and beside them what the hierarchy is made of
COPY (
  SELECT
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('comments:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS "node id",
    s.is_deleted IS TRUE AS "node gone",
    s.id,
    s.parent_id,
    s.author_id,
    s.body,
    s.is_deleted,
    s.created_at
  FROM public.comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY transhume.rows_comments (
  "node id",
  "node gone",
  id,
  parent_id,
  author_id,
  body,
  is_deleted,
  created_at
) FROM STDIN (FORMAT binary);

-- transhume: build of "links" on target binds part parts -- keys, parents and places of all rows; in parts side by side
INSERT INTO transhume.links_comments (key, parent, order_1, id, gone, place, fate)
SELECT
  l.key,
  l.parent,
  l.order_1,
  l.id,
  l.gone,
  l.place,
  l.fate
FROM (
  SELECT
    s.id AS key,
    nullif(s.parent_id, s.id) AS parent,
    s.created_at AS order_1,
    s."node id" AS id,
    s."node gone" AS gone,
    s.ctid AS place,
    NULL AS fate
  FROM transhume.rows_comments AS s
  WHERE s.ctid >= (SELECT format('(%s,0)', $1::bigint * (1 + pg_relation_size('transhume.rows_comments'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
    AND s.ctid < (SELECT format('(%s,0)', ($1::bigint + 1) * (1 + pg_relation_size('transhume.rows_comments'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
) AS l;

-- transhume: build of "found by" on target -- how rows are found from level to level
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
    NULL::integer AS parent,
    0 AS depth,
    0 AS level,
    l.place,
    NULL::uuid AS parent_id,
    l.id AS root_id,
    l.gone,
    l.order_1,
    l.lost AS was,
    l.id
  FROM transhume.links_comments AS l
  CROSS JOIN generate_series(1, (SELECT 1)) AS once  -- the planner expects a thousand, and hashes the links for them
  WHERE l.parent IS NULL
    AND abs(l.key % $2::integer) = $1::integer
  UNION ALL
  SELECT
    l.key,
    CASE WHEN n.depth = 3 THEN n.parent ELSE n.key END,
    least(n.depth + 1, 3),
    n.level + 1,
    l.place,
    CASE WHEN n.depth = 3 THEN n.parent_id ELSE n.id END,
    n.root_id,
    l.gone,
    l.order_1,
    coalesce(l.lost, CASE WHEN n.depth = 3 THEN n.key END),
    l.id
  FROM node AS n
  JOIN transhume.links_comments AS l ON l.parent = n.key
)
SELECT
  n.key,
  n.parent,
  n.depth,
  n.level,
  n.place,
  n.parent_id,
  n.root_id,
  n.gone,
  n.order_1,
  n.was,
  NULL::text AS fate,
  NULL::uuid AS id
FROM node AS n
ORDER BY n.key;
ALTER TABLE transhume."nodes_comments_$part" INHERIT transhume.nodes_comments;

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
  ANALYZE transhume.links_comments, transhume.nodes_comments;

  -- The others.
  CREATE TEMPORARY TABLE loose ON COMMIT DROP AS
  SELECT l.*
  FROM transhume.links_comments AS l
  WHERE NOT EXISTS (SELECT FROM transhume.nodes_comments AS n WHERE n.key = l.key);
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
      0 AS depth,
      0 AS level,
      l.place,
      NULL::uuid AS parent_id,
      l.id AS root_id,
      l.gone,
      l.order_1,
      l.lost AS was,
      l.fate,
      l.id
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      CASE WHEN n.depth = 3 THEN n.parent ELSE n.key END,
      least(n.depth + 1, 3),
      n.level + 1,
      l.place,
      CASE WHEN n.depth = 3 THEN n.parent_id ELSE n.id END,
      n.root_id,
      l.gone,
      l.order_1,
      coalesce(l.lost, CASE WHEN n.depth = 3 THEN n.key END),
      l.fate,
      l.id
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, level, place, parent_id, root_id, gone, order_1, was, fate, id FROM node AS n;
  INSERT INTO transhume.nodes_comments (key, parent, depth, level, place, parent_id, root_id, gone, order_1, was, fate, id) SELECT key, parent, depth, level, place, parent_id, root_id, gone, order_1, was, fate, id FROM found AS n;
  DELETE FROM loose AS l USING found AS n WHERE n.key = l.key;

  -- Cycles: the first of each, in order, becomes a root.
  CREATE TEMPORARY TABLE hop ON COMMIT DROP AS
  SELECT l.key, l.parent AS next, row_number() OVER by_order AS place, row_number() OVER by_order AS first
  FROM loose AS l
  WINDOW by_order AS (ORDER BY l.order_1, l.key);
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
  INSERT INTO transhume.nodes_comments (key, parent, depth, level, place, parent_id, root_id, gone, order_1, was, fate, id)
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      NULL::integer AS parent,
      0 AS depth,
      0 AS level,
      l.place,
      NULL::uuid AS parent_id,
      l.id AS root_id,
      l.gone,
      l.order_1,
      l.lost AS was,
      l.fate,
      l.id
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      CASE WHEN n.depth = 3 THEN n.parent ELSE n.key END,
      least(n.depth + 1, 3),
      n.level + 1,
      l.place,
      CASE WHEN n.depth = 3 THEN n.parent_id ELSE n.id END,
      n.root_id,
      l.gone,
      l.order_1,
      coalesce(l.lost, CASE WHEN n.depth = 3 THEN n.key END),
      l.fate,
      l.id
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, level, place, parent_id, root_id, gone, order_1, was, fate, id FROM node AS n;
END
$loose$;

-- transhume: build of "placeholders" on target -- those from which nothing hangs stay behind
CREATE TEMPORARY TABLE gone ON COMMIT DROP AS
SELECT n.key, n.parent
FROM transhume.nodes_comments AS n
WHERE n.gone;
CREATE UNIQUE INDEX ON gone (key);
ANALYZE gone;
WITH RECURSIVE kept AS (
  SELECT p.key, p.parent
  FROM transhume.nodes_comments AS n
  JOIN gone AS p ON p.key = n.parent
  WHERE NOT n.gone
  UNION
  SELECT p.key, p.parent
  FROM kept AS k
  JOIN gone AS p ON p.key = k.parent
)
UPDATE transhume.nodes_comments AS n
SET fate = 'left'
WHERE n.gone AND n.key NOT IN (SELECT k.key FROM kept AS k);

-- transhume: build of "siblings" on target -- their positions
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
DO $siblings$
BEGIN
  CREATE UNLOGGED TABLE transhume.siblings_comments AS
  SELECT
    n.key, n.parent, n.depth, n.level, n.place, n.parent_id, n.root_id, n.gone, n.was, n.fate, n.id,
    row_number() OVER (PARTITION BY n.parent, (n.fate IS DISTINCT FROM 'left') ORDER BY n.order_1, n.key)::integer AS position
  FROM transhume.nodes_comments AS n;
  DROP TABLE transhume.nodes_comments CASCADE;
END
$siblings$;
CREATE INDEX siblings_comments_parent ON transhume.siblings_comments (parent);
ANALYZE transhume.siblings_comments;

-- transhume: build of "paths" on target -- from the root down
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
CREATE UNLOGGED TABLE transhume.tree_comments AS
WITH RECURSIVE longest AS (
  SELECT greatest(6, length(max(s.position)::text)) AS digits FROM transhume.siblings_comments AS s
), node AS (
  SELECT s.*, CASE WHEN s.fate IS DISTINCT FROM 'left' THEN lpad(s.position::text, (SELECT o.digits FROM longest AS o), '0') END AS path
  FROM transhume.siblings_comments AS s
  WHERE s.parent IS NULL
  UNION ALL
  SELECT s.*, CASE WHEN s.fate IS DISTINCT FROM 'left' THEN n.path || '/' || lpad(s.position::text, (SELECT o.digits FROM longest AS o), '0') END
  FROM node AS n
  CROSS JOIN LATERAL (SELECT s.* FROM transhume.siblings_comments AS s WHERE s.parent = n.key OFFSET 0) AS s
)
SELECT n.* FROM node AS n
ORDER BY n.key;
DROP TABLE transhume.siblings_comments CASCADE;

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
    ('broken', '23514', n.fate = 'broken', 'parent_id = ' || n.was::text || ' leads back to it: it is a root now'),
    ('flattened', '23514', n.level > n.depth AND n.fate IS DISTINCT FROM 'left', n.level::text || ' levels deep: it hangs from ' || n.parent::text || ' now, 3 levels deep'),
    ('placeholder', '00000', n.gone AND n.fate IS DISTINCT FROM 'left', 'rows hang from it'),
    ('left', '00000', n.fate = 'left', 'a placeholder from which nothing hangs')
) AS done (action, sqlstate, is_done, reason)
WHERE (n.fate IS NOT NULL OR n.level > n.depth OR n.gone) AND done.is_done;
DROP TABLE transhume.links_comments;

-- transhume: intact on target -- what was made is still there
SELECT i.intact FROM transhume.intact_comments AS i;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.tree_comments CASCADE;
DROP TABLE IF EXISTS transhume.rows_comments;
DROP TABLE IF EXISTS transhume.intact_comments;
DROP TABLE IF EXISTS transhume.links_comments;
DROP TABLE IF EXISTS transhume.nodes_comments CASCADE;
DROP TABLE IF EXISTS transhume.siblings_comments CASCADE;
