-- load.comments: public.comment (source) -> app.comments (target), through a stage (the source cannot compute
--     parent_id: the hierarchy is computed in the target), in chunks by id
-- from   specs/demo/tables/visits.yaml:1
-- after  create.comments, tree.comments
-- locks  ACCESS SHARE on public.comment in the source (SELECT)
-- locks  ROW EXCLUSIVE on app.comments (INSERT)
-- undo   truncate: the table was empty

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

-- transhume: extract on source binds after.1 upto.1 -- the rows of one chunk
COPY (
  SELECT
    s.id,
    s.parent_id,
    s.body,
    s.created_at
  FROM public.comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_comments (
  id integer,
  parent_id integer,
  body text,
  created_at timestamp with time zone
) ON COMMIT DELETE ROWS;

-- transhume: fill on target
COPY pg_temp.stage_comments (
  id,
  parent_id,
  body,
  created_at
) FROM STDIN (FORMAT binary);

-- transhume: load on target binds first last -- all rows but those that fail a guard
INSERT INTO app.comments (
  id,
  body,
  created_at,
  parent_id,
  path
)
SELECT
  s.id AS id,
  s.body AS body,
  s.created_at AS created_at,
  node.parent::integer AS parent_id,
  node.path::public.ltree AS path
FROM pg_temp.stage_comments AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_comments AS n WHERE n.key = s.id OFFSET 0) AS node ON true
WHERE s.ctid BETWEEN $1::tid AND $2::tid
  AND (node.key IS NOT NULL);

-- transhume: reject on target binds first last run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'comments', 'public.comment',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM pg_temp.stage_comments AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_comments AS n WHERE n.key = s.id OFFSET 0) AS node ON true
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, node.key IS NOT NULL, 'parent_id', 'was not there when the hierarchy was computed', '23503')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: halve on target binds first last -- cuts a part in two, to find the row that fails
SELECT part.here::text AS last, part.next::text AS next
FROM (
  SELECT
    s.ctid AS here,
    lead(s.ctid) OVER (ORDER BY s.ctid) AS next,
    row_number() OVER (ORDER BY s.ctid) AS place,
    count(*) OVER () AS rows
  FROM pg_temp.stage_comments AS s
  WHERE s.ctid BETWEEN $1::tid AND $2::tid
) AS part
WHERE part.place = part.rows / 2;

-- transhume: set_aside on target binds first last run step chunk column reason sqlstate -- sets aside the row that bisection found
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'comments', 'public.comment',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  $6::text, $7, $8, 'rejected'
FROM pg_temp.stage_comments AS s
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: revert on target
TRUNCATE app.comments;
