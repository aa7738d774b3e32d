-- tree.messages: public.message (source) by reply.parent_id -> transhume.tree_messages (target): an orphan is a root, a
--     cycle is broken
-- from   specs/demo/tables/visits.yaml:1
-- after  create.messages, map.channels
-- locks  ACCESS SHARE on public.message in the source, public.reply in the source (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE UNLOGGED TABLE transhume.intact_messages AS SELECT true AS intact;
CREATE UNLOGGED TABLE transhume.rows_messages (
  "node parent" integer,
  "node parents" bigint,
  "node id" uuid,
  "node fits" boolean,
  id integer,
  body text,
  about integer,
  about_id text
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.links_messages (
  key integer NOT NULL,
  parent integer,
  parents bigint,
  id uuid,
  place tid,
  fate text,
  lost integer
) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE transhume.nodes_messages (
  key integer,
  parent integer,
  depth integer,
  position integer,
  place tid,
  parent_id uuid,
  root_id uuid,
  was integer,
  fate text,
  id uuid
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
    nullif(above.parent, s.id) AS "node parent",
    above.parents AS "node parents",
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('messages:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS "node id",
    ((s.about IS NULL OR s.about IN (1, 2))) IS TRUE AS "node fits",
    s.id,
    s.body,
    s.about,
    s.about_id
  FROM public.message AS s
  LEFT JOIN LATERAL (
    SELECT min(r.parent_id) AS parent, count(DISTINCT r.parent_id) AS parents
    FROM public.reply AS r
    WHERE r.message_id = s.id AND r.parent_id <> r.message_id
  ) AS above ON true
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY transhume.rows_messages (
  "node parent",
  "node parents",
  "node id",
  "node fits",
  id,
  body,
  about,
  about_id
) FROM STDIN (FORMAT binary);

-- transhume: build of "links" on target binds part parts -- keys, parents and places of all rows; in parts side by side
INSERT INTO transhume.links_messages (key, parent, parents, id, place, fate)
SELECT
  l.key,
  CASE WHEN l.fate IS NULL THEN l.parent END,
  l.parents,
  l.id,
  l.place,
  l.fate
FROM (
  SELECT
    s.id AS key,
    s."node parent" AS parent,
    s."node parents" AS parents,
    s."node id" AS id,
    s.ctid AS place,
    CASE WHEN (s."node fits" AND (s.about IS NULL OR s.about IN (1, 2)) AND ((s.about IN (1, 2)) IS NOT TRUE OR CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END) AND (s.about IS DISTINCT FROM 1 OR s.about_id IS NULL OR m_about_id_channels.id IS NOT NULL)) IS NOT TRUE THEN 'unfit' WHEN s."node parents" > 1 THEN 'several' END AS fate
  FROM transhume.rows_messages AS s
LEFT JOIN transhume.map_channels AS m_about_id_channels ON m_about_id_channels.legacy_id = CASE WHEN s.about = 1 AND (CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END) THEN s.about_id::bigint END
  WHERE s.ctid >= (SELECT format('(%s,0)', $1::bigint * (1 + pg_relation_size('transhume.rows_messages'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
    AND s.ctid < (SELECT format('(%s,0)', ($1::bigint + 1) * (1 + pg_relation_size('transhume.rows_messages'::regclass) / current_setting('block_size')::bigint) / $2::bigint)::tid)
) AS l;

-- transhume: build of "found by" on target -- how rows are found from level to level
DO $found_by$
BEGIN
  IF current_setting('server_version_num')::integer < 150000
    OR 2 * pg_table_size('transhume.links_messages'::regclass)
      > pg_size_bytes(current_setting('maintenance_work_mem')) * current_setting('hash_mem_multiplier')::double precision
  THEN
    CREATE INDEX links_messages_parent ON transhume.links_messages (parent);
  END IF;
END
$found_by$;

-- transhume: build of "threads" on target binds part parts -- all that a root leads to; in parts side by side
DO $how$
BEGIN
  PERFORM set_config('work_mem', current_setting('maintenance_work_mem'), true);
  SET LOCAL enable_mergejoin = off;
  IF to_regclass('transhume.links_messages_parent') IS NULL THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL recursive_worktable_factor = 1000000;
  ELSE
    SET LOCAL enable_hashjoin = off;
  END IF;
END
$how$;
CREATE UNLOGGED TABLE transhume."nodes_messages_$part" WITH (autovacuum_enabled = false) AS
WITH RECURSIVE node AS (
  SELECT
    l.key,
    NULL::integer AS parent,
    0 AS depth,
    l.place,
    NULL::uuid AS parent_id,
    l.id AS root_id,
    l.id,
    l.position
  FROM (
    SELECT l.*, row_number() OVER (ORDER BY l.key)::integer AS position
    FROM transhume.links_messages AS l
    WHERE l.parent IS NULL
      AND l.fate IS NULL
  ) AS l
  CROSS JOIN generate_series(1, (SELECT 1)) AS once  -- the planner expects a thousand, and hashes the links for them
  WHERE abs(l.key % $2::integer) = $1::integer
  UNION ALL
  SELECT
    l.key,
    n.key,
    n.depth + 1,
    l.place,
    n.id,
    n.root_id,
    l.id,
    row_number() OVER (PARTITION BY n.key ORDER BY l.key)::integer
  FROM node AS n
  JOIN transhume.links_messages AS l ON l.parent = n.key
)
SELECT
  n.key,
  n.parent,
  n.depth,
  n."position",
  n.place,
  n.parent_id,
  n.root_id,
  NULL::integer AS was,
  NULL::text AS fate,
  NULL::uuid AS id
FROM node AS n
ORDER BY n.key;
ALTER TABLE transhume."nodes_messages_$part" INHERIT transhume.nodes_messages;

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
    ALTER TABLE transhume.nodes_messages RENAME TO tree_messages;  -- siblings are numbered
    RETURN;
  END IF;
  ANALYZE transhume.links_messages, transhume.nodes_messages;

  -- Those that will not move: they have no place.
  INSERT INTO transhume.nodes_messages (key, parent, depth, place, parent_id, root_id, was, fate, id)
  SELECT
    l.key,
    NULL::integer AS parent,
    0 AS depth,
    l.place,
    NULL::uuid AS parent_id,
    l.id AS root_id,
    l.lost AS was,
    l.fate,
    l.id
  FROM transhume.links_messages AS l
  WHERE l.fate IS NOT NULL;
  GET DIAGNOSTICS aside = ROW_COUNT;
  IF rows = aside THEN
    RETURN;
  END IF;

  -- The others.
  CREATE TEMPORARY TABLE loose ON COMMIT DROP AS
  SELECT l.*
  FROM transhume.links_messages AS l
  WHERE NOT EXISTS (SELECT FROM transhume.nodes_messages AS n WHERE n.key = l.key);
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
      l.place,
      NULL::uuid AS parent_id,
      l.id AS root_id,
      l.lost AS was,
      l.fate,
      l.id
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      n.depth + 1,
      l.place,
      n.id,
      n.root_id,
      l.lost,
      l.fate,
      l.id
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, place, parent_id, root_id, was, fate, id FROM node AS n;
  INSERT INTO transhume.nodes_messages (key, parent, depth, place, parent_id, root_id, was, fate, id) SELECT key, parent, depth, place, parent_id, root_id, was, fate, id FROM found AS n;
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
  INSERT INTO transhume.nodes_messages (key, parent, depth, place, parent_id, root_id, was, fate, id)
  WITH RECURSIVE node AS (
    SELECT
      l.key,
      NULL::integer AS parent,
      0 AS depth,
      l.place,
      NULL::uuid AS parent_id,
      l.id AS root_id,
      l.lost AS was,
      l.fate,
      l.id
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      n.depth + 1,
      l.place,
      n.id,
      n.root_id,
      l.lost,
      l.fate,
      l.id
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, depth, place, parent_id, root_id, was, fate, id FROM node AS n;
END
$loose$;

-- transhume: build of "siblings" on target -- their positions
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
DO $siblings$
BEGIN
  -- Nothing was loose, or nothing that moves: they are numbered.
  IF to_regclass('transhume.nodes_messages') IS NULL THEN
    RETURN;
  ELSIF NOT EXISTS (SELECT FROM transhume.nodes_messages AS n WHERE n.position IS NULL AND (n.fate IN ('unfit', 'several')) IS NOT TRUE) THEN
    ALTER TABLE transhume.nodes_messages RENAME TO tree_messages;
    RETURN;
  END IF;
  CREATE UNLOGGED TABLE transhume.tree_messages AS
  SELECT
    n.key, n.parent, n.depth, n.place, n.parent_id, n.root_id, n.was, n.fate, n.id,
    row_number() OVER (PARTITION BY n.parent, ((n.fate IN ('unfit', 'several')) IS NOT TRUE) ORDER BY l.key)::integer AS position
  FROM transhume.nodes_messages AS n
  JOIN transhume.links_messages AS l ON l.key = n.key
  ORDER BY n.key;
  DROP TABLE transhume.nodes_messages CASCADE;
END
$siblings$;

-- transhume: build of "statistics" on target -- how many rows are in a block
SELECT set_config('default_statistics_target', '1', true);
DO $statistics$
DECLARE
  part regclass;
BEGIN
  FOR part IN
    SELECT 'transhume.tree_messages'::regclass
    UNION ALL
    SELECT i.inhrelid::regclass FROM pg_inherits AS i WHERE i.inhparent = 'transhume.tree_messages'::regclass
  LOOP
    EXECUTE 'ANALYZE ' || part || ' (key)';
  END LOOP;
END
$statistics$;

-- transhume: build of "listing" on target binds run step -- what was done to each row that does not hang where the source says
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'messages', 'public.message',
  ARRAY[n.key::text], jsonb_build_object('id', n.key, 'reply.parent_id', coalesce(n.was, n.parent)),
  'parent_id', done.reason, done.sqlstate, done.action
FROM transhume.tree_messages AS n
CROSS JOIN LATERAL (
  VALUES
    ('rooted', '23503', n.fate = 'rooted', 'reply.parent_id = ' || n.was::text || ' does not move: it is a root now'),
    ('broken', '23514', n.fate = 'broken', 'reply.parent_id = ' || n.was::text || ' leads back to it: it is a root now')
) AS done (action, sqlstate, is_done, reason)
WHERE (
  SELECT (SELECT coalesce(sum(c.loaded), 0) FROM transhume.chunk AS c WHERE c.run = $1::uuid AND c.step = $2)
    - coalesce(sum(p.rows), 0)
  FROM transhume.part AS p
  WHERE p.run = $1::uuid AND p.step = $2 AND p.part LIKE 'build of "threads"%'
) > 0 AND (n.fate IS NOT NULL) AND done.is_done AND (n.fate IN ('unfit', 'several')) IS NOT TRUE;
DROP TABLE transhume.links_messages;

-- transhume: intact on target -- what was made is still there
SELECT i.intact FROM transhume.intact_messages AS i;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.tree_messages CASCADE;
DROP TABLE IF EXISTS transhume.rows_messages;
DROP TABLE IF EXISTS transhume.intact_messages;
DROP TABLE IF EXISTS transhume.links_messages;
DROP TABLE IF EXISTS transhume.nodes_messages CASCADE;
