-- load.patients: public.patient (source) -> app.patients (target), through a stage (the source cannot compute id: the
--     source has no uuid-ossp), in chunks by id
-- from   specs/demo/tables/patients.yaml:1
-- after  create.patients
-- locks  ACCESS SHARE on public.patient in the source (SELECT)
-- locks  ROW EXCLUSIVE on app.patients (INSERT)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.patient'::regclass) AS bytes
FROM public.patient AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.patient AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.patient AS s
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
    s.name,
    s.born
  FROM public.patient AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_patients (
  id integer,
  name text,
  born text
) ON COMMIT DELETE ROWS;

-- transhume: fill on target
COPY pg_temp.stage_patients (
  id,
  name,
  born
) FROM STDIN (FORMAT binary);

-- transhume: load on target binds first last -- all rows but those that fail a guard
INSERT INTO app.patients (
  id,
  legacy_id,
  name,
  born
)
SELECT
  public.uuid_generate_v5('1b671a64-40d5-491e-99b0-da01ff1f3341'::uuid, 'patients:' || s.id::text) AS id,
  s.id AS legacy_id,
  s.name AS name,
  s.born AS born
FROM pg_temp.stage_patients AS s
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: halve on target binds first last -- cuts a part in two, to find the row that fails
SELECT part.here::text AS last, part.next::text AS next
FROM (
  SELECT
    s.ctid AS here,
    lead(s.ctid) OVER (ORDER BY s.ctid) AS next,
    row_number() OVER (ORDER BY s.ctid) AS place,
    count(*) OVER () AS rows
  FROM pg_temp.stage_patients AS s
  WHERE s.ctid BETWEEN $1::tid AND $2::tid
) AS part
WHERE part.place = part.rows / 2;

-- transhume: set_aside on target binds first last run step chunk column reason sqlstate -- sets aside the row that bisection found
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'patients', 'public.patient',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  $6::text, $7, $8, 'rejected'
FROM pg_temp.stage_patients AS s
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: revert on target
TRUNCATE app.patients;
