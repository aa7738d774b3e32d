-- tree.comments: public.dispatch_comment (source) by parent_id -> transhume.tree_comments (target): an orphan is a
--     root, a cycle is broken, what is deeper than 12 is flattened
-- about  What was said about patients and orders, as threads
-- from   specs/dispatch/tables/comments.yaml:2
-- after  create.comments
-- locks  ACCESS SHARE on public.dispatch_comment in the source (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE TABLE transhume.links_comments (
  key bigint NOT NULL,
  parent bigint,
  order_1 timestamp with time zone,
  id uuid,
  gone boolean,
  lost bigint,
  fate text
);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.dispatch_comment'::regclass) AS bytes
FROM public.dispatch_comment AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.dispatch_comment AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.dispatch_comment AS s
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
    nullif(s.parent_id::bigint, s.id::bigint) AS parent,
    s.created_at AS order_1,
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('comments:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS id,
    s.is_deleted IS TRUE AS gone
  FROM public.dispatch_comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY transhume.links_comments (key, parent, order_1, id, gone) FROM STDIN (FORMAT binary);

-- transhume: build of "links" on target -- what the planner must know of them
ANALYZE transhume.links_comments;

-- transhume: build of "threads" on target -- all that a root leads to
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
DO $how$
BEGIN
  SET LOCAL enable_mergejoin = off;
  IF current_setting('server_version_num')::integer >= 150000
    AND 2 * pg_table_size('transhume.links_comments'::regclass)
      < pg_size_bytes(current_setting('work_mem')) * current_setting('hash_mem_multiplier')::double precision
  THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL recursive_worktable_factor = 1000000;
  ELSE
    SET LOCAL enable_hashjoin = off;
    CREATE INDEX links_comments_parent ON transhume.links_comments (parent);
  END IF;
END
$how$;
CREATE TABLE transhume.nodes_comments AS
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
    0 AS level,
    l.fate,
    l.gone,
    l.order_1
  FROM transhume.links_comments AS l
  WHERE l.parent IS NULL
  UNION ALL
  SELECT
    l.key,
    CASE WHEN n.depth = 12 THEN n.parent ELSE n.key END,
    coalesce(l.lost, CASE WHEN n.depth = 12 THEN n.key END),
    n.root,
    l.id,
    CASE WHEN n.depth = 12 THEN n.parent_id ELSE n.id END,
    n.root_id,
    least(n.depth + 1, 12),
    n.level + 1,
    l.fate,
    l.gone,
    l.order_1
  FROM node AS n
  JOIN transhume.links_comments AS l ON l.parent = n.key
)
SELECT n.key, n.parent, n.was, n.root, n.id, n.parent_id, n.root_id, n.depth, n.level, n.fate, n.gone, n.order_1 FROM node AS n;

-- transhume: build of "loose" on target -- what no root leads to
DO $loose$
DECLARE
  steps bigint := 1;
  rows bigint;
BEGIN
  SELECT (SELECT count(*) FROM transhume.links_comments) - (SELECT count(*) FROM transhume.nodes_comments) INTO rows;
  IF rows = 0 THEN
    RETURN;
  END IF;
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
      NULL::bigint AS parent,
      l.lost AS was,
      l.key AS root,
      l.id,
      NULL::uuid AS parent_id,
      l.id AS root_id,
      0 AS depth,
      0 AS level,
      l.fate,
      l.gone,
      l.order_1
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      CASE WHEN n.depth = 12 THEN n.parent ELSE n.key END,
      coalesce(l.lost, CASE WHEN n.depth = 12 THEN n.key END),
      n.root,
      l.id,
      CASE WHEN n.depth = 12 THEN n.parent_id ELSE n.id END,
      n.root_id,
      least(n.depth + 1, 12),
      n.level + 1,
      l.fate,
      l.gone,
      l.order_1
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, was, root, id, parent_id, root_id, depth, level, fate, gone, order_1 FROM node AS n;
  INSERT INTO transhume.nodes_comments (key, parent, was, root, id, parent_id, root_id, depth, level, fate, gone, order_1) SELECT key, parent, was, root, id, parent_id, root_id, depth, level, fate, gone, order_1 FROM found AS n;
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
  INSERT INTO transhume.nodes_comments (key, parent, was, root, id, parent_id, root_id, depth, level, fate, gone, order_1)
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
      0 AS level,
      l.fate,
      l.gone,
      l.order_1
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      CASE WHEN n.depth = 12 THEN n.parent ELSE n.key END,
      coalesce(l.lost, CASE WHEN n.depth = 12 THEN n.key END),
      n.root,
      l.id,
      CASE WHEN n.depth = 12 THEN n.parent_id ELSE n.id END,
      n.root_id,
      least(n.depth + 1, 12),
      n.level + 1,
      l.fate,
      l.gone,
      l.order_1
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, was, root, id, parent_id, root_id, depth, level, fate, gone, order_1 FROM node AS n;
END
$loose$;

-- transhume: build of "placeholders" on target -- those from which nothing hangs stay behind
CREATE UNIQUE INDEX nodes_comments_key ON transhume.nodes_comments (key);
ANALYZE transhume.nodes_comments;
WITH RECURSIVE kept AS (
  SELECT p.key, p.parent
  FROM transhume.nodes_comments AS n
  JOIN transhume.nodes_comments AS p ON p.key = n.parent
  WHERE p.gone AND NOT n.gone
  UNION
  SELECT p.key, p.parent
  FROM kept AS k
  JOIN transhume.nodes_comments AS p ON p.key = k.parent
  WHERE p.gone
)
UPDATE transhume.nodes_comments AS n
SET fate = 'left'
WHERE n.gone AND n.key NOT IN (SELECT k.key FROM kept AS k);

-- transhume: build of "siblings" on target -- their positions
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
CREATE TABLE transhume.siblings_comments AS
SELECT
  n.key, n.parent, n.was, n.root, n.parent_id, n.root_id, n.depth, n.level, n.fate, n.gone,
  row_number() OVER (PARTITION BY n.parent, (n.fate IS DISTINCT FROM 'left') ORDER BY n.order_1, n.key)::integer AS position
FROM transhume.nodes_comments AS n;
DROP TABLE transhume.nodes_comments;
CREATE INDEX siblings_comments_parent ON transhume.siblings_comments (parent);
ANALYZE transhume.siblings_comments;

-- transhume: build of "paths" on target -- from the root down
CREATE TABLE transhume.tree_comments AS
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
SELECT n.* FROM node AS n;
DROP TABLE transhume.siblings_comments;

-- transhume: build of "tree" on target -- by which the load finds where a row hangs
CREATE UNIQUE INDEX tree_comments_key ON transhume.tree_comments (key);
ANALYZE transhume.tree_comments;

-- transhume: build of "listing" on target binds run step -- what was done to each row that does not hang where the source says
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'comments', 'public.dispatch_comment',
  ARRAY[n.key::text], jsonb_build_object('id', n.key, 'parent_id', coalesce(n.was, n.parent)),
  'parent_id', done.reason, done.sqlstate, done.action
FROM transhume.tree_comments AS n
CROSS JOIN LATERAL (
  VALUES
    ('rooted', '23503', n.fate = 'rooted', 'parent_id = ' || n.was::text || ' does not move: it is a root now'),
    ('broken', '23514', n.fate = 'broken', 'parent_id = ' || n.was::text || ' leads back to it: it is a root now'),
    ('flattened', '23514', n.level > n.depth AND n.fate IS DISTINCT FROM 'left', n.level::text || ' levels deep: it hangs from ' || n.parent::text || ' now, 12 levels deep'),
    ('placeholder', '00000', n.gone AND n.fate IS DISTINCT FROM 'left', 'rows hang from it'),
    ('left', '00000', n.fate = 'left', 'a placeholder from which nothing hangs')
) AS done (action, sqlstate, is_done, reason)
WHERE (n.fate IS NOT NULL OR n.level > n.depth OR n.gone) AND done.is_done;
DROP TABLE transhume.links_comments;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.links_comments;
DROP TABLE IF EXISTS transhume.nodes_comments;
DROP TABLE IF EXISTS transhume.siblings_comments;
DROP TABLE IF EXISTS transhume.tree_comments;
