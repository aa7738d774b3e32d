-- tree.comments: public.comment (source) by parent_id -> transhume.tree_comments (target): an orphan is set aside, a
--     cycle is set aside, what is deeper than 3 is set aside
-- from   specs/demo/tables/visits.yaml:1
-- after  create.comments, map.comments, map.profiles
-- locks  ACCESS SHARE on public.comment in the source (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE TABLE transhume.links_comments (
  key bigint NOT NULL,
  parent bigint,
  legacy_id integer,
  legacy_author_id integer,
  lost bigint,
  fate text
);

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

-- transhume: direct on source binds after.1 upto.1 -- the narrow rows that can move
COPY (
  SELECT
    s.id::bigint AS key,
    nullif(s.parent_id::bigint, s.id::bigint) AS parent,
    s.id AS legacy_id,
    s.author_id AS legacy_author_id
  FROM public.comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY transhume.links_comments (key, parent, legacy_id, legacy_author_id) FROM STDIN (FORMAT binary);

-- transhume: build of "unfit" on target -- takes those away whose references lead nowhere
DELETE FROM transhume.links_comments AS l
USING (
  SELECT s.place
  FROM (
    SELECT
      l.ctid AS place,
      l.legacy_id AS id,
      l.legacy_author_id AS author_id
    FROM transhume.links_comments AS l
  ) AS s
  LEFT JOIN transhume.map_comments AS m_id ON m_id.legacy_id = s.id
  LEFT JOIN transhume.map_profiles AS m_author_id ON m_author_id.legacy_user_id = s.author_id
  WHERE (
    (m_id.id IS NOT NULL)
    AND (s.author_id IS NULL OR m_author_id.id IS NOT NULL)
  ) IS NOT TRUE
) AS unfit
WHERE l.ctid = unfit.place;

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
CREATE TABLE transhume.tree_comments AS
WITH RECURSIVE node AS (
  SELECT
    l.key,
    NULL::bigint AS parent,
    l.lost AS was,
    l.key AS root,
    0 AS depth,
    l.fate
  FROM transhume.links_comments AS l
  WHERE l.parent IS NULL
  UNION ALL
  SELECT
    l.key,
    n.key,
    l.lost,
    n.root,
    n.depth + 1,
    CASE WHEN n.fate IN ('orphan', 'below') THEN 'below' WHEN n.depth >= 3 THEN 'deep' ELSE l.fate END
  FROM node AS n
  JOIN transhume.links_comments AS l ON l.parent = n.key
)
SELECT n.key, n.parent, n.was, n.root, n.depth, n.fate FROM node AS n;

-- transhume: build of "loose" on target -- what no root leads to
DO $loose$
DECLARE
  steps bigint := 1;
  rows bigint;
BEGIN
  SELECT (SELECT count(*) FROM transhume.links_comments) - (SELECT count(*) FROM transhume.tree_comments) INTO rows;
  IF rows = 0 THEN
    RETURN;
  END IF;
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
      NULL::bigint AS parent,
      l.lost AS was,
      l.key AS root,
      0 AS depth,
      l.fate
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      l.lost,
      n.root,
      n.depth + 1,
      CASE WHEN n.fate IN ('orphan', 'below') THEN 'below' WHEN n.depth >= 3 THEN 'deep' ELSE l.fate END
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, was, root, depth, fate FROM node AS n;
  INSERT INTO transhume.tree_comments (key, parent, was, root, depth, fate) SELECT key, parent, was, root, depth, fate FROM found AS n;
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
  INSERT INTO transhume.tree_comments (key, parent, was, root, depth, fate)
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      NULL::bigint AS parent,
      l.lost AS was,
      l.key AS root,
      0 AS depth,
      l.fate
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      l.lost,
      n.root,
      n.depth + 1,
      CASE WHEN n.fate IN ('orphan', 'below') THEN 'below' WHEN n.depth >= 3 THEN 'deep' ELSE l.fate END
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, was, root, depth, fate FROM node AS n;
END
$loose$;

-- transhume: build of "tree" on target -- by which the load finds where a row hangs
CREATE UNIQUE INDEX tree_comments_key ON transhume.tree_comments (key);
ANALYZE transhume.tree_comments;

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
WHERE (n.fate IS NOT NULL) AND done.is_done AND (n.fate IN ('orphan', 'below', 'cycle', 'deep')) IS NOT TRUE;
DROP TABLE transhume.links_comments;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.links_comments;
DROP TABLE IF EXISTS transhume.tree_comments;
