-- load.visits: public.visit (source) -> app.visits (target), through a stage (f is looked up in the map of patients),
--     in chunks by id
-- from   specs/demo/tables/visits.yaml:1
-- after  create.visits, map.patients
-- locks  ACCESS SHARE on public.visit in the source (SELECT)
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
    s.a,
    s.b,
    s.c,
    s.d,
    s.e,
    s.f
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_visits (
  id integer,
  a integer,
  b integer,
  c integer,
  d text,
  e text,
  f text
) ON COMMIT DELETE ROWS;

-- transhume: fill on target
COPY pg_temp.stage_visits (
  id,
  a,
  b,
  c,
  d,
  e,
  f
) FROM STDIN (FORMAT binary);

-- transhume: load on target -- all rows but those that fail a guard
INSERT INTO app.visits (
  id,
  a,
  b,
  c,
  f,
  d,
  e
)
SELECT
  s.id AS id,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.a::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS a,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.b::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS b,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.c::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS c,
  m_f.id AS f,
  m_d.id AS d,
  m_e.id AS e
FROM pg_temp.stage_visits AS s
LEFT JOIN transhume.map_patients AS m_f ON m_f.legacy_ssn = s.f
LEFT JOIN transhume.map_patients AS m_d ON m_d.legacy_ssn = s.d
LEFT JOIN transhume.map_patients AS m_e ON m_e.legacy_ssn = s.e
WHERE (s.d IS NULL OR m_d.id IS NOT NULL)
  AND (s.f IS NULL OR m_f.id IS NOT NULL);

-- transhume: reject on target binds run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'visits', 'public.visit',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM pg_temp.stage_visits AS s
LEFT JOIN transhume.map_patients AS m_f ON m_f.legacy_ssn = s.f
LEFT JOIN transhume.map_patients AS m_d ON m_d.legacy_ssn = s.d
LEFT JOIN transhume.map_patients AS m_e ON m_e.legacy_ssn = s.e
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, s.d IS NULL OR m_d.id IS NOT NULL, 'd', 'd has no row in patients', '23503'),
      (2, s.f IS NULL OR m_f.id IS NOT NULL, 'f', 'f has no row in patients', '23503')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed;

-- transhume: nulled on target binds run step chunk -- notes the references that lead nowhere
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'visits', 'public.visit',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  missing.target_column, missing.reason, '23503', 'nulled'
FROM pg_temp.stage_visits AS s
LEFT JOIN transhume.map_patients AS m_f ON m_f.legacy_ssn = s.f
LEFT JOIN transhume.map_patients AS m_d ON m_d.legacy_ssn = s.d
LEFT JOIN transhume.map_patients AS m_e ON m_e.legacy_ssn = s.e
CROSS JOIN LATERAL (
  VALUES
    ('e', 'patients has no such row', s.e IS NOT NULL AND m_e.legacy_ssn IS NULL)
) AS missing (target_column, reason, is_missing)
WHERE missing.is_missing
  AND (s.d IS NULL OR m_d.id IS NOT NULL)
  AND (s.f IS NULL OR m_f.id IS NOT NULL)
  AND NOT EXISTS (
    SELECT FROM transhume.reject AS r
    WHERE r.run = $1::uuid AND r.step = $2 AND r.chunk = $3::bigint
      AND r.key = ARRAY[s.id::text] AND r.action = 'rejected'
  );

-- transhume: sift on target binds behind most -- loads what it can, tells what is refused
CREATE OR REPLACE FUNCTION pg_temp.sift_visits(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $sift$
#variable_conflict use_column
<<sift>>
DECLARE
  rows tid[] := ARRAY(SELECT s.ctid FROM pg_temp.stage_visits AS s WHERE s.ctid > $1 ORDER BY s.ctid);
  done integer := 0;
  size integer := 256;
  bad integer := 0;   -- of the rows up to here one is refused
  last integer := 0;  -- the row that was refused last
  refused integer := 0;
  inserted bigint := 0;
  touched bigint;
BEGIN
  WHILE sift.done < cardinality(sift.rows) AND sift.refused < $2 LOOP
    size := least(sift.size, cardinality(sift.rows) - sift.done);
    BEGIN
INSERT INTO app.visits (
  id,
  a,
  b,
  c,
  f,
  d,
  e
)
SELECT
  s.id AS id,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.a::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS a,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.b::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS b,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.c::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS c,
  m_f.id AS f,
  m_d.id AS d,
  m_e.id AS e
FROM pg_temp.stage_visits AS s
LEFT JOIN transhume.map_patients AS m_f ON m_f.legacy_ssn = s.f
LEFT JOIN transhume.map_patients AS m_d ON m_d.legacy_ssn = s.d
LEFT JOIN transhume.map_patients AS m_e ON m_e.legacy_ssn = s.e
WHERE s.ctid BETWEEN sift.rows[sift.done + 1] AND sift.rows[sift.done + sift.size]
  AND (s.d IS NULL OR m_d.id IS NOT NULL)
  AND (s.f IS NULL OR m_f.id IS NOT NULL);
      GET DIAGNOSTICS touched = ROW_COUNT;
      inserted := sift.inserted + sift.touched;
      done := sift.done + sift.size;
      size := CASE WHEN sift.done < sift.bad THEN greatest((sift.bad - sift.done) / 2, 1) ELSE 2 * sift.size END;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
      bad := sift.done + sift.size;
      IF sift.size > 1 THEN
        size := sift.size / 2;
      ELSE
        GET STACKED DIAGNOSTICS target_column = COLUMN_NAME, reason = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
        place := sift.rows[sift.bad];
        RETURN NEXT;
        refused := sift.refused + 1;
        done := sift.bad;
        size := greatest((sift.bad - sift.last) / 2, 1);
        last := sift.bad;
      END IF;
    END;
  END LOOP;
  place := CASE WHEN sift.done < cardinality(sift.rows) THEN sift.rows[sift.done] END;
  loaded := sift.inserted;
  RETURN NEXT;
END
$sift$;
SELECT found.place, found.target_column, found.reason, found.state, found.loaded
FROM pg_temp.sift_visits($1::tid, $2::bigint) AS found;

-- transhume: set_aside on target binds run step chunk places columns reasons sqlstates -- sets aside the rows that were refused
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'visits', 'public.visit',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  refused.target_column, refused.reason, refused.sqlstate, 'rejected'
FROM pg_temp.stage_visits AS s
JOIN unnest($4::tid[], $5::text[], $6::text[], $7::text[]) AS refused (place, target_column, reason, sqlstate)
  ON refused.place = s.ctid;

-- transhume: revert on target
TRUNCATE app.visits;
