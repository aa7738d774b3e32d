-- load.regions: public.region (source) -> app.regions (target), in chunks by id
-- from   specs/demo/tables/visits.yaml:1
-- after  create.regions, tree.regions
-- locks  ACCESS SHARE on public.region (SELECT)
-- locks  ROW EXCLUSIVE on app.regions (INSERT)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.region'::regclass) AS bytes
FROM public.region AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.region AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.region AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: count on source binds after.1 upto.1 -- the rows of the chunk, before the filter and after it
SELECT count(*) AS rows, count(*) AS kept
FROM public.region AS s
WHERE ($1::text IS NULL OR s.id > $1::bigint)
  AND ($2::text IS NULL OR s.id <= $2::bigint);

-- transhume: load on target binds after.1 upto.1 -- all rows but those that fail a guard
INSERT INTO app.regions (
  id,
  legacy_id,
  parent_id,
  depth
)
SELECT
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('regions:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
  s.id AS legacy_id,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('regions:' || node.parent::bigint::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS parent_id,
  node.depth AS depth
FROM (
  SELECT
    s.id,
    s.lo,
    s.hi
  FROM public.region AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_regions AS n WHERE n.key = s.id OFFSET 0) AS node ON true
WHERE (node.key IS NOT NULL);

-- transhume: reject on target binds after.1 upto.1 run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'regions', 'public.region',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM (
  SELECT
    s.id,
    s.lo,
    s.hi
  FROM public.region AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_regions AS n WHERE n.key = s.id OFFSET 0) AS node ON true
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
  FROM public.region AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) AS part
WHERE part."place in part" = part."rows of part" / 2;

-- transhume: set_aside on target binds after.1 upto.1 run step chunk column reason sqlstate -- sets aside the row that bisection found
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'regions', 'public.region',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  $6::text, $7, $8, 'rejected'
FROM (
  SELECT
    s.id,
    s.lo,
    s.hi
  FROM public.region AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) AS s;

-- transhume: revert on target
TRUNCATE app.regions;
