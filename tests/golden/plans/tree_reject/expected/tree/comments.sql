-- tree.comments: public.comment (source) by parent_id -> transhume.tree_comments (target): an orphan is set aside, a
--     cycle is set aside, what is deeper than 3 is set aside
-- from   specs/demo/tables/visits.yaml:1
-- after  create.comments, map.comments, map.profiles
-- locks  ACCESS SHARE on public.comment in the source (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE UNLOGGED TABLE transhume.intact_comments AS SELECT true AS intact;
CREATE UNLOGGED TABLE transhume.rows_comments (
  id integer,
  parent_id integer,
  author_id integer,
  body text,
  created_at timestamp with time zone
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.links_comments (
  key integer NOT NULL,
  parent integer,
  place tid,
  fate text,
  lost integer
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.tree_comments (
  key integer,
  parent integer,
  depth integer,
  place tid,
  was integer,
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
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: direct on source binds after.1 upto.1 -- the rows, and beside them what the hierarchy is made of
COPY (
  SELECT
    s.id,
    s.parent_id,
    s.author_id,
    s.body,
    s.created_at
  FROM public.comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY transhume.rows_comments (
  id,
  parent_id,
  author_id,
  body,
  created_at
) FROM STDIN (FORMAT binary);

-- transhume: build of "links" on target binds part parts -- keys, parents and places of all rows; in parts side by side
INSERT INTO transhume.links_comments (key, parent, place, fate)
SELECT
  l.key,
  CASE WHEN l.fate IS NULL THEN l.parent END,
  l.place,
  l.fate
FROM (
  SELECT
    s.id AS key,
    nullif(s.parent_id, s.id) AS parent,
    s.ctid AS place,
    CASE WHEN ((m_id.id IS NOT NULL) AND (s.author_id IS NULL OR m_author_id.id IS NOT NULL)) IS NOT TRUE THEN 'unfit' END AS fate
  FROM transhume.rows_comments AS s
LEFT JOIN transhume.map_comments AS m_id ON m_id.legacy_id = s.id
LEFT JOIN transhume.map_profiles AS m_author_id ON m_author_id.legacy_user_id = s.author_id
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
    l.place,
    l.fate
  FROM transhume.links_comments AS l
  CROSS JOIN generate_series(1, (SELECT 1)) AS once  -- the planner expects a thousand, and hashes the links for them
  WHERE l.parent IS NULL
    AND l.fate IS NULL
    AND abs(l.key % $2::integer) = $1::integer
  UNION ALL
  SELECT
    l.key,
    n.key,
    n.depth + 1,
    l.place,
    CASE WHEN n.fate IN ('orphan', 'below') THEN 'below' WHEN n.depth >= 3 THEN 'deep' ELSE l.fate END
  FROM node AS n
  JOIN transhume.links_comments AS l ON l.parent = n.key
)
SELECT
  n.key,
  n.parent,
  n.depth,
  n.place,
  NULL::integer AS was,
  n.fate
FROM node AS n
ORDER BY n.key;
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
  aside bigint;
  steps bigint := 1;
BEGIN
  IF rows = 0 THEN
    RETURN;
  END IF;
  ANALYZE transhume.links_comments, transhume.tree_comments;

  -- Those that will not move: they have no place.
  INSERT INTO transhume.tree_comments (key, parent, depth, place, was, fate)
  SELECT
    l.key,
    NULL::integer AS parent,
    0 AS depth,
    l.place,
    l.lost AS was,
    l.fate
  FROM transhume.links_comments AS l
  WHERE l.fate IS NOT NULL;
  GET DIAGNOSTICS aside = ROW_COUNT;
  IF rows = aside THEN
    RETURN;
  END IF;

  -- The others.
  CREATE TEMPORARY TABLE loose ON COMMIT DROP AS
  SELECT l.*
  FROM transhume.links_comments AS l
  WHERE NOT EXISTS (SELECT FROM transhume.tree_comments AS n WHERE n.key = l.key);
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
      NULL::integer AS parent,
      0 AS depth,
      l.place,
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
      l.lost,
      CASE WHEN n.fate IN ('orphan', 'below') THEN 'below' WHEN n.depth >= 3 THEN 'deep' ELSE l.fate END
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, place, was, fate FROM node AS n;
  INSERT INTO transhume.tree_comments (key, parent, depth, place, was, fate) SELECT key, parent, depth, place, was, fate FROM found AS n;
  DELETE FROM loose AS l USING found AS n WHERE n.key = l.key;

  -- Cycles: they are set aside.
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
  SET
    lost = coalesce(l.lost, l.parent),
    parent = NULL,
    fate = CASE WHEN c.key IS NULL THEN 'orphan' ELSE 'cycle' END
  FROM hop AS h
  LEFT JOIN (SELECT DISTINCT o.next AS key FROM hop AS o) AS c ON c.key = h.key
  WHERE h.key = l.key AND (c.key IS NOT NULL OR l.parent IN (SELECT o.next FROM hop AS o));
  INSERT INTO transhume.tree_comments (key, parent, depth, place, was, fate)
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      NULL::integer AS parent,
      0 AS depth,
      l.place,
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
      l.lost,
      CASE WHEN n.fate IN ('orphan', 'below') THEN 'below' WHEN n.depth >= 3 THEN 'deep' ELSE l.fate END
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, place, was, fate FROM node AS n;
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

-- transhume: build of "listing" on target binds run step -- what was done to each row that does not hang where the source says
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'comments', 'public.comment',
  ARRAY[n.key::text], jsonb_build_object('id', n.key, 'parent_id', coalesce(n.was, n.parent)),
  'reply_to', done.reason, done.sqlstate, done.action
FROM transhume.tree_comments AS n
CROSS JOIN LATERAL (
  VALUES
    ('rooted', '23503', n.fate = 'rooted', 'parent_id = ' || n.was::text || ' does not move: it is a root now')
) AS done (action, sqlstate, is_done, reason)
WHERE (n.fate IS NOT NULL) AND done.is_done AND (n.fate IN ('unfit', 'orphan', 'below', 'cycle', 'deep')) IS NOT TRUE;
DROP TABLE transhume.links_comments;

-- transhume: intact on target -- what was made is still there
SELECT i.intact FROM transhume.intact_comments AS i;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.tree_comments CASCADE;
DROP TABLE IF EXISTS transhume.rows_comments;
DROP TABLE IF EXISTS transhume.intact_comments;
DROP TABLE IF EXISTS transhume.links_comments;
