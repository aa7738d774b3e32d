-- load.visits: public.visit (source) -> app.visits (target), in chunks by id
-- from   specs/demo/tables/visits.yaml:1
-- after  create.visits, map.patients
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
SELECT count(*) AS rows, count(*) FILTER (WHERE (s.fee > 0)) AS kept
FROM public.visit AS s
WHERE ($1::text IS NULL OR s.id > $1::bigint)
  AND ($2::text IS NULL OR s.id <= $2::bigint);

-- transhume: load on target binds after.1 upto.1 -- all rows but those that fail a guard
INSERT INTO app.visits (
  id,
  legacy_id,
  patient_id,
  fee
)
SELECT
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('visits:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
  s.id AS legacy_id,
  m_patient_id.id AS patient_id,
  s.fee AS fee
FROM (
  SELECT
    s.id,
    s.patient_id,
    s.fee
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
    AND (s.fee > 0)
) AS s
LEFT JOIN transhume.map_patients AS m_patient_id ON m_patient_id.legacy_id = s.patient_id
WHERE ((s.fee < 80) IS NOT FALSE);

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
    s.patient_id,
    s.fee
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
    AND (s.fee > 0)
) AS s
LEFT JOIN transhume.map_patients AS m_patient_id ON m_patient_id.legacy_id = s.patient_id
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, (s.fee < 80) IS NOT FALSE, 'fee', 'breaks fee_is_low', '23514')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed;

-- transhume: nulled on target binds after.1 upto.1 run step chunk -- notes the references that lead nowhere
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'visits', 'public.visit',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  missing.target_column, missing.reason, '23503', 'nulled'
FROM (
  SELECT
    s.id,
    s.patient_id,
    s.fee
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
    AND (s.fee > 0)
) AS s
LEFT JOIN transhume.map_patients AS m_patient_id ON m_patient_id.legacy_id = s.patient_id
CROSS JOIN LATERAL (
  VALUES
    ('patient_id', 'patients has no such row', s.patient_id IS NOT NULL AND m_patient_id.legacy_id IS NULL)
) AS missing (target_column, reason, is_missing)
WHERE missing.is_missing
  AND ((s.fee < 80) IS NOT FALSE);

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
    AND (s.fee > 0)
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
    s.patient_id,
    s.fee
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
    AND (s.fee > 0)
) AS s;

-- transhume: revert on target
TRUNCATE app.visits;
