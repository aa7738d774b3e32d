-- load.doctors: public.dispatch_doctor (source) -> app.doctors (target), directly, in chunks by id
-- about  Doctors who sign orders
-- from   specs/dispatch/tables/doctors.yaml:2
-- after  create.doctors
-- locks  ACCESS SHARE on public.dispatch_doctor in the source (SELECT)
-- locks  ROW EXCLUSIVE on app.doctors (COPY)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.dispatch_doctor'::regclass) AS bytes
FROM public.dispatch_doctor AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.dispatch_doctor AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.dispatch_doctor AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: direct on source binds after.1 upto.1 -- all rows but those that fail a guard
COPY (
  SELECT
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('doctors:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS id,
    s.id AS legacy_id,
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('profiles:' || s.profile_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS profile_id,
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('offices:' || s.office_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS office_id,
    CASE s.is_active WHEN 0 THEN false WHEN 1 THEN true END AS is_active,
    s.license_no AS license_no,
    s.specialty AS specialty,
    s.rating AS rating,
    s.created_at AS created_at
  FROM public.dispatch_doctor AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (s.is_active IN (0, 1))
    AND ((s.rating between 1 and 5) IS NOT FALSE)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY app.doctors (
  id,
  legacy_id,
  profile_id,
  office_id,
  is_active,
  license_no,
  specialty,
  rating,
  created_at
) FROM STDIN (FORMAT binary);

-- transhume: failing on source binds after.1 upto.1 -- the rows that fail one
COPY (
  SELECT
    s.id,
    s.profile_id,
    s.office_id,
    s.license_no,
    s.specialty,
    s.rating,
    s.is_active,
    s.created_at
  FROM public.dispatch_doctor AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (
      (s.is_active IN (0, 1))
      AND ((s.rating between 1 and 5) IS NOT FALSE)
    ) IS NOT TRUE
) TO STDOUT (FORMAT binary);

-- transhume: extract on source binds after.1 upto.1 -- the rows of one chunk
COPY (
  SELECT
    s.id,
    s.profile_id,
    s.office_id,
    s.license_no,
    s.specialty,
    s.rating,
    s.is_active,
    s.created_at
  FROM public.dispatch_doctor AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; emptied each time
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_doctors (
  id integer,
  profile_id integer,
  office_id integer,
  license_no character varying(20),
  specialty character varying(60),
  rating double precision,
  is_active smallint,
  created_at timestamp with time zone
) ON COMMIT DELETE ROWS;
TRUNCATE pg_temp.stage_doctors;

-- transhume: fill on target
COPY pg_temp.stage_doctors (
  id,
  profile_id,
  office_id,
  license_no,
  specialty,
  rating,
  is_active,
  created_at
) FROM STDIN (FORMAT binary);

-- transhume: reject on target binds run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'doctors', 'public.dispatch_doctor',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM pg_temp.stage_doctors AS s
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, s.is_active IN (0, 1), 'is_active', 'is_active has no mapping', '22000'),
      (2, (s.rating between 1 and 5) IS NOT FALSE, 'rating', 'breaks rating_from_1_to_5', '23514')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed;

-- transhume: sift on target binds behind most -- loads what it can, tells what is refused
CREATE OR REPLACE FUNCTION pg_temp.sift_doctors(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $sift$
#variable_conflict use_column
<<sift>>
DECLARE
  rows tid[] := ARRAY(SELECT s.ctid FROM pg_temp.stage_doctors AS s WHERE s.ctid > $1 ORDER BY s.ctid);
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
INSERT INTO app.doctors (
  id,
  legacy_id,
  profile_id,
  office_id,
  is_active,
  license_no,
  specialty,
  rating,
  created_at
)
SELECT
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('doctors:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
  s.id AS legacy_id,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('profiles:' || s.profile_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS profile_id,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('offices:' || s.office_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS office_id,
  CASE s.is_active WHEN 0 THEN false WHEN 1 THEN true END AS is_active,
  s.license_no AS license_no,
  s.specialty AS specialty,
  s.rating AS rating,
  s.created_at AS created_at
FROM pg_temp.stage_doctors AS s
WHERE s.ctid BETWEEN sift.rows[sift.done + 1] AND sift.rows[sift.done + sift.size]
  AND (s.is_active IN (0, 1))
  AND ((s.rating between 1 and 5) IS NOT FALSE);
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
FROM pg_temp.sift_doctors($1::tid, $2::bigint) AS found;

-- transhume: set_aside on target binds run step chunk places columns reasons sqlstates -- sets aside the rows that were refused
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'doctors', 'public.dispatch_doctor',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  refused.target_column, refused.reason, refused.sqlstate, 'rejected'
FROM pg_temp.stage_doctors AS s
JOIN unnest($4::tid[], $5::text[], $6::text[], $7::text[]) AS refused (place, target_column, reason, sqlstate)
  ON refused.place = s.ctid;

-- transhume: revert on target
TRUNCATE app.doctors;
