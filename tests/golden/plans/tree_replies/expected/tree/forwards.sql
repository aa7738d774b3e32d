-- tree.forwards: public.message (source) by forward.to_id -> transhume.tree_forwards (target): an orphan is a root, a
--     cycle is broken, what is deeper than 3 is flattened
-- from   specs/demo/tables/forwards.yaml:1
-- after  create.forwards
-- locks  ACCESS SHARE on public.message in the source, public.forward in the source (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE UNLOGGED TABLE transhume.intact_forwards AS SELECT true AS intact;
CREATE UNLOGGED TABLE transhume.rows_forwards (
  "node parent" bigint,
  "node parents" bigint,
  id integer
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.links_forwards (
  key bigint NOT NULL,
  parent bigint,
  parents bigint,
  place tid,
  fate text,
  lost bigint
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.nodes_forwards (
  key bigint,
  parent bigint,
  depth integer,
  level integer,
  place tid,
  parents bigint,
  was bigint,
  fate text
) WITH (autovacuum_enabled = false);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.message'::regclass) AS bytes
FROM public.message AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.message AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.message AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: direct on source binds after.1 upto.1 -- the rows, and beside them what the hierarchy is made of
COPY (
  SELECT
    nullif(above.parent, s.id::bigint) AS "node parent",
    above.parents AS "node parents",
    s.id
  FROM public.message AS s
  LEFT JOIN (
    SELECT r.of_id AS child, min(r.to_id) AS parent, count(DISTINCT r.to_id) AS parents
    FROM public.forward AS r
    WHERE r.to_id <> r.of_id
    GROUP BY r.of_id
  ) AS above ON above.child = s.id
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY transhume.rows_forwards (
  "node parent",
  "node parents",
  id
) FROM STDIN (FORMAT binary);

-- transhume: build of "links" on target binds part parts -- keys, parents and places of all rows; in parts side by side
INSERT INTO transhume.links_forwards (key, parent, parents, place, fate)
SELECT
  l.key,
  l.parent,
  l.parents,
  l.place,
  l.fate
FROM (
  SELECT
    s.id::bigint AS key,
    s."node parent" AS parent,
    s."node parents" AS parents,
    s.ctid AS place,
    NULL AS fate
  FROM transhume.rows_forwards AS s
  WHERE s.ctid >= (SELECT format('(%s,0)', $1::bigint * (1 + pg_relation_size('transhume.rows_forwards'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
    AND s.ctid < (SELECT format('(%s,0)', ($1::bigint + 1) * (1 + pg_relation_size('transhume.rows_forwards'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
) AS l;

-- transhume: build of "found by" on target -- how rows are found from level to level
DO $found_by$
BEGIN
  IF current_setting('server_version_num')::integer < 150000
    OR 2 * pg_table_size('transhume.links_forwards'::regclass)
      > pg_size_bytes(current_setting('maintenance_work_mem')) * current_setting('hash_mem_multiplier')::double precision
  THEN
    CREATE INDEX links_forwards_parent ON transhume.links_forwards (parent);
  END IF;
END
$found_by$;

-- transhume: build of "threads" on target binds part parts -- all that a root leads to; in parts side by side
DO $how$
BEGIN
  PERFORM set_config('work_mem', current_setting('maintenance_work_mem'), true);
  SET LOCAL enable_mergejoin = off;
  IF to_regclass('transhume.links_forwards_parent') IS NULL THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL recursive_worktable_factor = 1000000;
  ELSE
    SET LOCAL enable_hashjoin = off;
  END IF;
END
$how$;
CREATE UNLOGGED TABLE transhume."nodes_forwards_$part" WITH (autovacuum_enabled = false) AS
WITH RECURSIVE node AS (
  SELECT
    l.key,
    NULL::bigint AS parent,
    0 AS depth,
    0 AS level,
    l.place,
    l.parents,
    l.lost AS was
  FROM transhume.links_forwards AS l
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
    l.parents,
    coalesce(l.lost, CASE WHEN n.depth = 3 THEN n.key END)
  FROM node AS n
  JOIN transhume.links_forwards AS l ON l.parent = n.key
)
SELECT
  n.key,
  n.parent,
  n.depth,
  n.level,
  n.place,
  n.parents,
  n.was,
  NULL::text AS fate
FROM node AS n
ORDER BY n.key;
ALTER TABLE transhume."nodes_forwards_$part" INHERIT transhume.nodes_forwards;

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
  ANALYZE transhume.links_forwards, transhume.nodes_forwards;

  -- The others.
  CREATE TEMPORARY TABLE loose ON COMMIT DROP AS
  SELECT l.*
  FROM transhume.links_forwards AS l
  WHERE NOT EXISTS (SELECT FROM transhume.nodes_forwards AS n WHERE n.key = l.key);
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
      0 AS level,
      l.place,
      l.parents,
      l.lost AS was,
      l.fate
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      CASE WHEN n.depth = 3 THEN n.parent ELSE n.key END,
      least(n.depth + 1, 3),
      n.level + 1,
      l.place,
      l.parents,
      coalesce(l.lost, CASE WHEN n.depth = 3 THEN n.key END),
      l.fate
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, level, place, parents, was, fate FROM node AS n;
  INSERT INTO transhume.nodes_forwards (key, parent, depth, level, place, parents, was, fate) SELECT key, parent, depth, level, place, parents, was, fate FROM found AS n;
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
  INSERT INTO transhume.nodes_forwards (key, parent, depth, level, place, parents, was, fate)
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      NULL::bigint AS parent,
      0 AS depth,
      0 AS level,
      l.place,
      l.parents,
      l.lost AS was,
      l.fate
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      CASE WHEN n.depth = 3 THEN n.parent ELSE n.key END,
      least(n.depth + 1, 3),
      n.level + 1,
      l.place,
      l.parents,
      coalesce(l.lost, CASE WHEN n.depth = 3 THEN n.key END),
      l.fate
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, level, place, parents, was, fate FROM node AS n;
END
$loose$;

-- transhume: build of "siblings" on target -- their positions
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
DO $siblings$
BEGIN
  CREATE UNLOGGED TABLE transhume.siblings_forwards AS
  SELECT
    n.key, n.parent, n.depth, n.level, n.place, n.parents, n.was, n.fate,
    row_number() OVER (PARTITION BY n.parent ORDER BY n.key)::integer AS position
  FROM transhume.nodes_forwards AS n;
  DROP TABLE transhume.nodes_forwards CASCADE;
END
$siblings$;
CREATE INDEX siblings_forwards_parent ON transhume.siblings_forwards (parent);
ANALYZE transhume.siblings_forwards;

-- transhume: build of "paths" on target -- from the root down
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
CREATE UNLOGGED TABLE transhume.tree_forwards AS
WITH RECURSIVE longest AS (
  SELECT greatest(6, length(max(s.position)::text)) AS digits FROM transhume.siblings_forwards AS s
), node AS (
  SELECT s.*, lpad(s.position::text, (SELECT o.digits FROM longest AS o), '0') AS path
  FROM transhume.siblings_forwards AS s
  WHERE s.parent IS NULL
  UNION ALL
  SELECT s.*, n.path || '/' || lpad(s.position::text, (SELECT o.digits FROM longest AS o), '0')
  FROM node AS n
  CROSS JOIN LATERAL (SELECT s.* FROM transhume.siblings_forwards AS s WHERE s.parent = n.key OFFSET 0) AS s
)
SELECT n.* FROM node AS n
ORDER BY n.key;
DROP TABLE transhume.siblings_forwards CASCADE;

-- transhume: build of "statistics" on target -- how many rows are in a block
SELECT set_config('default_statistics_target', '1', true);
DO $statistics$
DECLARE
  part regclass;
BEGIN
  FOR part IN
    SELECT 'transhume.tree_forwards'::regclass
    UNION ALL
    SELECT i.inhrelid::regclass FROM pg_inherits AS i WHERE i.inhparent = 'transhume.tree_forwards'::regclass
  LOOP
    EXECUTE 'ANALYZE ' || part || ' (key)';
  END LOOP;
END
$statistics$;

-- transhume: build of "listing" on target binds run step -- what was done to each row that does not hang where the source says
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'forwards', 'public.message',
  ARRAY[n.key::text], jsonb_build_object('id', n.key, 'forward.to_id', coalesce(n.was, n.parent)),
  'parent_id', done.reason, done.sqlstate, done.action
FROM transhume.tree_forwards AS n
CROSS JOIN LATERAL (
  VALUES
    ('rooted', '23503', n.fate = 'rooted', 'forward.to_id = ' || n.was::text || ' does not move: it is a root now'),
    ('chosen', '23514', n.parents > 1, 'the first of ' || n.parents::text || ' by forward.to_id'),
    ('broken', '23514', n.fate = 'broken', 'forward.to_id = ' || n.was::text || ' leads back to it: it is a root now'),
    ('flattened', '23514', n.level > n.depth, n.level::text || ' levels deep: it hangs from ' || n.parent::text || ' now, 3 levels deep')
) AS done (action, sqlstate, is_done, reason)
WHERE (n.fate IS NOT NULL OR n.level > n.depth OR n.parents > 1) AND done.is_done;
DROP TABLE transhume.links_forwards;

-- transhume: intact on target -- what was made is still there
SELECT i.intact FROM transhume.intact_forwards AS i;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.tree_forwards CASCADE;
DROP TABLE IF EXISTS transhume.rows_forwards;
DROP TABLE IF EXISTS transhume.intact_forwards;
DROP TABLE IF EXISTS transhume.links_forwards;
DROP TABLE IF EXISTS transhume.nodes_forwards CASCADE;
DROP TABLE IF EXISTS transhume.siblings_forwards CASCADE;
