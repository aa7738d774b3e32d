-- tree.messages: public.message (source) by reply.parent_id -> transhume.tree_messages (target): an orphan is a root, a
--     cycle is broken
-- from   specs/demo/tables/visits.yaml:1
-- after  create.messages, map.channels
-- locks  ACCESS SHARE on public.message in the source, public.reply in the source (SELECT)
-- undo   drops what it has computed

-- transhume: apply on target -- before the first chunk
CREATE TABLE transhume.links_messages (
  key bigint NOT NULL,
  parent bigint,
  parents bigint,
  id uuid,
  legacy_about integer,
  legacy_about_id text,
  lost bigint,
  fate text
);

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

-- transhume: direct on source binds after.1 upto.1 -- the narrow rows that can move
COPY (
  SELECT
    s.id::bigint AS key,
    nullif(above.parent::bigint, s.id::bigint) AS parent,
    above.parents AS parents,
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('messages:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS id,
    s.about AS legacy_about,
    s.about_id AS legacy_about_id
  FROM public.message AS s
  LEFT JOIN LATERAL (
    SELECT min(r.parent_id) AS parent, count(DISTINCT r.parent_id) AS parents
    FROM public.reply AS r
    WHERE r.message_id = s.id AND r.parent_id <> r.message_id
  ) AS above ON true
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (s.about IS NULL OR s.about IN (1, 2))
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY transhume.links_messages (key, parent, parents, id, legacy_about, legacy_about_id) FROM STDIN (FORMAT binary);

-- transhume: build of "parents" on target -- not for those that have several
UPDATE transhume.links_messages AS l
SET parent = NULL, fate = 'several'
WHERE l.parents > 1;

-- transhume: build of "unfit" on target -- takes those away whose references lead nowhere
DELETE FROM transhume.links_messages AS l
USING (
  SELECT s.place
  FROM (
    SELECT
      l.ctid AS place,
      l.legacy_about AS about,
      l.legacy_about_id AS about_id
    FROM transhume.links_messages AS l
  ) AS s
  LEFT JOIN transhume.map_channels AS m_about_id_channels ON m_about_id_channels.legacy_id = CASE WHEN s.about = 1 AND (CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END) THEN s.about_id::bigint END
  WHERE (
    (s.about IS NULL OR s.about IN (1, 2))
    AND ((s.about IN (1, 2)) IS NOT TRUE OR CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END)
    AND (s.about IS DISTINCT FROM 1 OR s.about_id IS NULL OR m_about_id_channels.id IS NOT NULL)
  ) IS NOT TRUE
) AS unfit
WHERE l.ctid = unfit.place;

-- transhume: build of "links" on target -- what the planner must know of them
ANALYZE transhume.links_messages;

-- transhume: build of "threads" on target -- all that a root leads to
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
DO $how$
BEGIN
  SET LOCAL enable_mergejoin = off;
  IF current_setting('server_version_num')::integer >= 150000
    AND 2 * pg_table_size('transhume.links_messages'::regclass)
      < pg_size_bytes(current_setting('work_mem')) * current_setting('hash_mem_multiplier')::double precision
  THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL recursive_worktable_factor = 1000000;
  ELSE
    SET LOCAL enable_hashjoin = off;
    CREATE INDEX links_messages_parent ON transhume.links_messages (parent);
  END IF;
END
$how$;
CREATE TABLE transhume.nodes_messages AS
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
    l.fate
  FROM transhume.links_messages AS l
  WHERE l.parent IS NULL
    AND l.fate IS DISTINCT FROM 'several'
  UNION ALL
  SELECT
    l.key,
    n.key,
    l.lost,
    n.root,
    l.id,
    n.id,
    n.root_id,
    n.depth + 1,
    l.fate
  FROM node AS n
  JOIN transhume.links_messages AS l ON l.parent = n.key
)
SELECT n.key, n.parent, n.was, n.root, n.id, n.parent_id, n.root_id, n.depth, n.fate FROM node AS n;

-- transhume: build of "loose" on target -- what no root leads to
DO $loose$
DECLARE
  steps bigint := 1;
  rows bigint;
BEGIN
  SELECT (SELECT count(*) FROM transhume.links_messages) - (SELECT count(*) FROM transhume.nodes_messages) INTO rows;
  IF rows = 0 THEN
    RETURN;
  END IF;
  CREATE TEMPORARY TABLE loose ON COMMIT DROP AS
  SELECT l.*
  FROM transhume.links_messages AS l
  WHERE NOT EXISTS (SELECT FROM transhume.nodes_messages AS n WHERE n.key = l.key) AND l.fate IS DISTINCT FROM 'several';
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
      l.fate
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      l.lost,
      n.root,
      l.id,
      n.id,
      n.root_id,
      n.depth + 1,
      l.fate
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, was, root, id, parent_id, root_id, depth, fate FROM node AS n;
  INSERT INTO transhume.nodes_messages (key, parent, was, root, id, parent_id, root_id, depth, fate) SELECT key, parent, was, root, id, parent_id, root_id, depth, fate FROM found AS n;
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
  INSERT INTO transhume.nodes_messages (key, parent, was, root, id, parent_id, root_id, depth, fate)
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
      l.fate
    FROM loose AS l
    WHERE l.parent IS NULL
    UNION ALL
    SELECT
      l.key,
      n.key,
      l.lost,
      n.root,
      l.id,
      n.id,
      n.root_id,
      n.depth + 1,
      l.fate
    FROM node AS n
    CROSS JOIN LATERAL (SELECT l.* FROM loose AS l WHERE l.parent = n.key OFFSET 0) AS l
  )
  SELECT key, parent, was, root, id, parent_id, root_id, depth, fate FROM node AS n;
END
$loose$;

-- transhume: build of "several" on target -- those with more than one parent are set aside
INSERT INTO transhume.nodes_messages (key, parent, was, root, id, parent_id, root_id, depth, fate)
SELECT l.key, NULL::bigint AS parent, l.lost AS was, l.key AS root, l.id, NULL::uuid AS parent_id, l.id AS root_id, 0 AS depth, l.fate
FROM transhume.links_messages AS l
WHERE l.fate = 'several';

-- transhume: build of "siblings" on target -- their positions
SELECT set_config('work_mem', current_setting('maintenance_work_mem'), true);
CREATE TABLE transhume.tree_messages AS
SELECT
  n.key, n.parent, n.was, n.root, n.parent_id, n.root_id, n.depth, n.fate,
  row_number() OVER (PARTITION BY n.parent, (n.fate IS DISTINCT FROM 'several') ORDER BY n.key)::integer AS position
FROM transhume.nodes_messages AS n;
DROP TABLE transhume.nodes_messages;

-- transhume: build of "tree" on target -- by which the load finds where a row hangs
CREATE UNIQUE INDEX tree_messages_key ON transhume.tree_messages (key);
ANALYZE transhume.tree_messages;

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
WHERE (n.fate IS NOT NULL) AND done.is_done AND n.fate IS DISTINCT FROM 'several';
DROP TABLE transhume.links_messages;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.links_messages;
DROP TABLE IF EXISTS transhume.nodes_messages;
DROP TABLE IF EXISTS transhume.tree_messages;
