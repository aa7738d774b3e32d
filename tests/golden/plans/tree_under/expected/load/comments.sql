-- load.comments: public.comment (source) -> app.comments (target), in chunks by id
-- from   specs/demo/tables/visits.yaml:1
-- after  create.comments, tree.comments
-- locks  ACCESS SHARE on public.comment (SELECT)
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

-- transhume: load on target binds after.1 upto.1 -- all rows but those that fail a guard
INSERT INTO app.comments (
  id,
  body,
  created_at,
  parent_id,
  root_id
)
SELECT
  s.id AS id,
  s.body AS body,
  s.created_at AS created_at,
  node.parent::character varying(10) AS parent_id,
  node.root::character varying(10) AS root_id
FROM (
  SELECT
    s.id,
    s.parent_id,
    s.body,
    s.created_at
  FROM public.comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::character varying(10))
    AND ($2::text IS NULL OR s.id <= $2::character varying(10))
    AND (not s.is_deleted)
) AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_comments AS n WHERE n.key = s.id OFFSET 0) AS node ON true
WHERE (node.key IS NOT NULL);

-- transhume: reject on target binds after.1 upto.1 run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'comments', 'public.comment',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM (
  SELECT
    s.id,
    s.parent_id,
    s.body,
    s.created_at
  FROM public.comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::character varying(10))
    AND ($2::text IS NULL OR s.id <= $2::character varying(10))
    AND (not s.is_deleted)
) AS s
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
) AS failed;

-- transhume: halve on target binds after.1 upto.1 -- cuts a part in two, to find the row that fails
SELECT part.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in part",
    count(*) OVER () AS "rows of part"
  FROM public.comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::character varying(10))
    AND ($2::text IS NULL OR s.id <= $2::character varying(10))
    AND (not s.is_deleted)
) AS part
WHERE part."place in part" = part."rows of part" / 2;

-- transhume: set_aside on target binds after.1 upto.1 run step chunk column reason sqlstate -- sets aside the row that bisection found
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'comments', 'public.comment',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  $6::text, $7, $8, 'rejected'
FROM (
  SELECT
    s.id,
    s.parent_id,
    s.body,
    s.created_at
  FROM public.comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::character varying(10))
    AND ($2::text IS NULL OR s.id <= $2::character varying(10))
    AND (not s.is_deleted)
) AS s;

-- transhume: revert on target
TRUNCATE app.comments;
