-- load.visits: public.visit (source) -> app.visits (target), directly, in chunks by id
-- from   specs/demo/tables/visits.yaml:1
-- after  create.visits
-- locks  ACCESS SHARE on public.visit in the source (SELECT)
-- locks  ROW EXCLUSIVE on app.visits (COPY)
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

-- transhume: direct on source binds after.1 upto.1 -- all rows but those that fail a guard
COPY (
  SELECT
    encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('visits:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
    s.id AS legacy_id,
    encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.patient_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS patient_id,
    s.status AS status,
    s.fee AS fee,
    s.at AS at
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY app.visits (
  id,
  legacy_id,
  patient_id,
  status,
  fee,
  at
) FROM STDIN (FORMAT binary);

-- transhume: extract on source binds after.1 upto.1 -- the rows of one chunk
COPY (
  SELECT
    s.id,
    s.patient_id,
    s.status,
    s.fee,
    s.at
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; emptied each time
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_visits (
  id bigint,
  patient_id integer,
  status smallint,
  fee numeric(12,2),
  at timestamp without time zone
) ON COMMIT DELETE ROWS;
TRUNCATE pg_temp.stage_visits;

-- transhume: fill on target
COPY pg_temp.stage_visits (
  id,
  patient_id,
  status,
  fee,
  at
) FROM STDIN (FORMAT binary);

-- transhume: halve on source binds after.1 upto.1 -- cuts a part in two, to find the row that fails
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

-- transhume: set_aside on target binds first last run step chunk column reason sqlstate -- sets aside the row that bisection found
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'visits', 'public.visit',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  $6::text, $7, $8, 'rejected'
FROM pg_temp.stage_visits AS s
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: revert on target
TRUNCATE app.visits;
