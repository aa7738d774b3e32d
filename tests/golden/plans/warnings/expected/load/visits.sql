-- load.visits: query of visits (source) -> app.visits (target), through a stage (namesake_id is looked up in the map of
--     patients), in chunks by id
-- from   specs/demo/tables/visits.yaml:1
-- after  create.visits, map.patients
-- locks  ROW EXCLUSIVE on app.visits (INSERT)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, NULL::bigint AS bytes
FROM (
SELECT v.*, p.name, p.born FROM public.visit AS v JOIN public.patient AS p ON p.id = v.patient_id
) AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM (
SELECT v.*, p.name, p.born FROM public.visit AS v JOIN public.patient AS p ON p.id = v.patient_id
) AS s
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM (
SELECT v.*, p.name, p.born FROM public.visit AS v JOIN public.patient AS p ON p.id = v.patient_id
) AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: extract on source binds after.1 upto.1 -- the rows of one chunk
COPY (
  SELECT
    s.id,
    s.patient_id,
    s.status,
    s.fee,
    s.at,
    s.name,
    s.born
  FROM (
SELECT v.*, p.name, p.born FROM public.visit AS v JOIN public.patient AS p ON p.id = v.patient_id
) AS s
  WHERE ($1::text IS NULL OR s.id > $1::bigint)
    AND ($2::text IS NULL OR s.id <= $2::bigint)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_visits (
  id bigint,
  patient_id integer,
  status smallint,
  fee numeric(12,2),
  at timestamp without time zone,
  name text,
  born text
) ON COMMIT DELETE ROWS;

-- transhume: fill on target
COPY pg_temp.stage_visits (
  id,
  patient_id,
  status,
  fee,
  at,
  name,
  born
) FROM STDIN (FORMAT binary);

-- transhume: load on target binds first last -- all rows but those that fail a guard
INSERT INTO app.visits (
  id,
  legacy_id,
  patient_id,
  namesake_id,
  born_on,
  status,
  fee,
  at
)
SELECT
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('visits:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
  s.id AS legacy_id,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.patient_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS patient_id,
  m_namesake_id.id AS namesake_id,
  to_date(s.born, 'DD. Month YYYY') AS born_on,
  s.status AS status,
  s.fee AS fee,
  s.at AS at
FROM pg_temp.stage_visits AS s
LEFT JOIN transhume.map_patients AS m_namesake_id ON m_namesake_id.legacy_name = s.name
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: nulled on target binds first last run step chunk -- notes the references that lead nowhere
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'visits', 'query of visits',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  missing.target_column, missing.reason, '23503', 'nulled'
FROM pg_temp.stage_visits AS s
LEFT JOIN transhume.map_patients AS m_namesake_id ON m_namesake_id.legacy_name = s.name
CROSS JOIN LATERAL (
  VALUES
    ('namesake_id', 'patients has no such row', s.name IS NOT NULL AND m_namesake_id.legacy_name IS NULL)
) AS missing (target_column, reason, is_missing)
WHERE missing.is_missing
  AND s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: halve on target binds first last -- cuts a part in two, to find the row that fails
SELECT part.here::text AS last, part.next::text AS next
FROM (
  SELECT
    s.ctid AS here,
    lead(s.ctid) OVER (ORDER BY s.ctid) AS next,
    row_number() OVER (ORDER BY s.ctid) AS place,
    count(*) OVER () AS rows
  FROM pg_temp.stage_visits AS s
  WHERE s.ctid BETWEEN $1::tid AND $2::tid
) AS part
WHERE part.place = part.rows / 2;

-- transhume: set_aside on target binds first last run step chunk column reason sqlstate -- sets aside the row that bisection found
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'visits', 'query of visits',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  $6::text, $7, $8, 'rejected'
FROM pg_temp.stage_visits AS s
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: revert on target
TRUNCATE app.visits;
