-- load.visits: public.visit (source) -> app.visits (target), in chunks by id
-- from   specs/demo/tables/visits.yaml:1
-- after  create.visits, map.visits
-- locks  ACCESS SHARE on public.visit (SELECT)
-- locks  ROW EXCLUSIVE on app.visits (INSERT)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.visit'::regclass) AS bytes
FROM public.visit AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.visit AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: count on source binds after.1 upto.1 -- the rows of the chunk, before the filter and after it
SELECT count(*) AS rows, count(*) AS kept
FROM public.visit AS s
WHERE ($1::text IS NULL OR s.id > $1::bigint)
  AND ($2::text IS NULL OR s.id <= $2::bigint);

-- transhume: load on target binds after.1 upto.1 -- all rows but those that fail a guard
INSERT INTO app.visits (
  id,
  code
)
SELECT
  m_id.id AS id,
  s.code AS code
FROM (
  SELECT
    s.id,
    s.code
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) AS s
LEFT JOIN transhume.map_visits AS m_id ON m_id.legacy_id = s.id
WHERE (m_id.id IS NOT NULL);

-- transhume: reject on target binds after.1 upto.1 run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'visits', 'public.visit',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM (
  SELECT
    s.id,
    s.code
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) AS s
LEFT JOIN transhume.map_visits AS m_id ON m_id.legacy_id = s.id
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, m_id.id IS NOT NULL, 'id', 'the value of id is null', '23502')
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
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) AS part
WHERE part."place in part" = part."rows of part" / 2;

-- transhume: set_aside on target binds after.1 upto.1 run step chunk column reason sqlstate -- sets aside the row that bisection found
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'visits', 'public.visit',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  $6::text, $7, $8, 'rejected'
FROM (
  SELECT
    s.id,
    s.code
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) AS s;

-- transhume: revert on target
TRUNCATE app.visits;
