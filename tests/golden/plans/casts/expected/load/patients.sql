-- load.patients: public.patient (source) -> app.patients (target), directly, in chunks by id
-- from   specs/demo/tables/patients.yaml:1
-- after  create.patients
-- locks  ACCESS SHARE on public.patient in the source (SELECT)
-- locks  ROW EXCLUSIVE on app.patients (COPY)
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

-- transhume: direct on source binds after.1 upto.1 -- all rows but those that fail a guard
COPY (
  SELECT
    encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
    s.id::bigint AS legacy_id,
    s.name::character varying(9) AS name,
    to_date(s.born, 'DD.MM.YYYY') AS born_on
  FROM public.patient AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (s.name IS NULL OR char_length(s.name) <= 9)
    AND (CASE WHEN s.born COLLATE "C" ~ '^(0[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])\.(?!0000)\d{4}$' THEN extract(day FROM make_date(substr(s.born, 7, 4)::integer, substr(s.born, 4, 2)::integer, 1) + substr(s.born, 1, 2)::integer - 1) = substr(s.born, 1, 2)::integer ELSE s.born IS NULL END)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY app.patients (
  id,
  legacy_id,
  name,
  born_on
) FROM STDIN (FORMAT binary);

-- transhume: failing on source binds after.1 upto.1 -- the rows that fail one
COPY (
  SELECT
    s.id,
    s.name,
    s.born
  FROM public.patient AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (
      (s.name IS NULL OR char_length(s.name) <= 9)
      AND (CASE WHEN s.born COLLATE "C" ~ '^(0[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])\.(?!0000)\d{4}$' THEN extract(day FROM make_date(substr(s.born, 7, 4)::integer, substr(s.born, 4, 2)::integer, 1) + substr(s.born, 1, 2)::integer - 1) = substr(s.born, 1, 2)::integer ELSE s.born IS NULL END)
    ) IS NOT TRUE
) TO STDOUT (FORMAT binary);

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

-- transhume: stage on target -- where they arrive; emptied each time
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_patients (
  id integer,
  name text,
  born text
) ON COMMIT DELETE ROWS;
TRUNCATE pg_temp.stage_patients;

-- transhume: fill on target
COPY pg_temp.stage_patients (
  id,
  name,
  born
) FROM STDIN (FORMAT binary);

-- transhume: reject on target binds first last run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'patients', 'public.patient',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM pg_temp.stage_patients AS s
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, s.name IS NULL OR char_length(s.name) <= 9, 'name', 'name is longer than 9 characters', '22001'),
      (2, CASE WHEN s.born COLLATE "C" ~ '^(0[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])\.(?!0000)\d{4}$' THEN extract(day FROM make_date(substr(s.born, 7, 4)::integer, substr(s.born, 4, 2)::integer, 1) + substr(s.born, 1, 2)::integer - 1) = substr(s.born, 1, 2)::integer ELSE s.born IS NULL END, 'born_on', 'born is no date DD.MM.YYYY', '22007')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: halve on source binds after.1 upto.1 -- cuts a part in two, to find the row that fails
SELECT part.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in part",
    count(*) OVER () AS "rows of part"
  FROM public.patient AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) AS part
WHERE part."place in part" = part."rows of part" / 2;

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
