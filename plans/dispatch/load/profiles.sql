-- load.profiles: query of profiles (source) -> app.profiles (target), directly, in chunks by id
-- about  Who may log in, and as what; auth_user and dispatch_profile become one table
-- from   specs/dispatch/tables/profiles.yaml:2
-- after  create.profiles, map.profiles
-- locks  ROW EXCLUSIVE on app.profiles (COPY)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, NULL::bigint AS bytes
FROM (
SELECT p.id, p.user_id, p.office_id, p.user_type, p.settings, p.phone, p.legacy_patient_id, p.pager, p.fax_code,
       p.created_at, p.updated_at, u.username, u.password, u.first_name, u.last_name, u.email, u.last_login,
       u.is_active, u.is_staff, u.is_superuser
FROM public.dispatch_profile AS p JOIN public.auth_user AS u ON u.id = p.user_id
) AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM (
SELECT p.id, p.user_id, p.office_id, p.user_type, p.settings, p.phone, p.legacy_patient_id, p.pager, p.fax_code,
       p.created_at, p.updated_at, u.username, u.password, u.first_name, u.last_name, u.email, u.last_login,
       u.is_active, u.is_staff, u.is_superuser
FROM public.dispatch_profile AS p JOIN public.auth_user AS u ON u.id = p.user_id
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
SELECT p.id, p.user_id, p.office_id, p.user_type, p.settings, p.phone, p.legacy_patient_id, p.pager, p.fax_code,
       p.created_at, p.updated_at, u.username, u.password, u.first_name, u.last_name, u.email, u.last_login,
       u.is_active, u.is_staff, u.is_superuser
FROM public.dispatch_profile AS p JOIN public.auth_user AS u ON u.id = p.user_id
) AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: direct on source binds after.1 upto.1 -- all rows but those that fail a guard
COPY (
  SELECT
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('profiles:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS id,
    s.id AS legacy_id,
    s.user_id AS legacy_user_id,
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('offices:' || s.office_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) AS office_id,
    CASE s.user_type WHEN 1 THEN 'admin' WHEN 2 THEN 'doctor' WHEN 3 THEN 'nurse' WHEN 4 THEN 'dispatcher' WHEN 5 THEN 'patient' END AS role,
    trim(s.first_name || ' ' || s.last_name)::text AS name,
    nullif(lower(trim(s.email)), '')::text AS email,
    nullif(s.settings, '')::jsonb AS settings,
    s.username AS username,
    s.phone AS phone,
    s.legacy_patient_id AS legacy_patient_id,
    s.is_active AS is_active,
    s.is_staff AS is_staff,
    s.is_superuser AS is_superuser,
    s.last_login AS last_login,
    s.created_at AS created_at,
    s.updated_at AS updated_at
  FROM (
SELECT p.id, p.user_id, p.office_id, p.user_type, p.settings, p.phone, p.legacy_patient_id, p.pager, p.fax_code,
       p.created_at, p.updated_at, u.username, u.password, u.first_name, u.last_name, u.email, u.last_login,
       u.is_active, u.is_staff, u.is_superuser
FROM public.dispatch_profile AS p JOIN public.auth_user AS u ON u.id = p.user_id
) AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (s.user_type IN (1, 2, 3, 4, 5))
    AND (trim(s.first_name || ' ' || s.last_name) IS NOT NULL)
) TO STDOUT (FORMAT binary);

-- transhume: receive on target
COPY app.profiles (
  id,
  legacy_id,
  legacy_user_id,
  office_id,
  role,
  name,
  email,
  settings,
  username,
  phone,
  legacy_patient_id,
  is_active,
  is_staff,
  is_superuser,
  last_login,
  created_at,
  updated_at
) FROM STDIN (FORMAT binary);

-- transhume: failing on source binds after.1 upto.1 -- the rows that fail one
COPY (
  SELECT
    s.id,
    s.user_id,
    s.office_id,
    s.user_type,
    s.settings,
    s.phone,
    s.legacy_patient_id,
    s.created_at,
    s.updated_at,
    s.username,
    s.first_name,
    s.last_name,
    s.email,
    s.last_login,
    s.is_active,
    s.is_staff,
    s.is_superuser
  FROM (
SELECT p.id, p.user_id, p.office_id, p.user_type, p.settings, p.phone, p.legacy_patient_id, p.pager, p.fax_code,
       p.created_at, p.updated_at, u.username, u.password, u.first_name, u.last_name, u.email, u.last_login,
       u.is_active, u.is_staff, u.is_superuser
FROM public.dispatch_profile AS p JOIN public.auth_user AS u ON u.id = p.user_id
) AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (
      (s.user_type IN (1, 2, 3, 4, 5))
      AND (trim(s.first_name || ' ' || s.last_name) IS NOT NULL)
    ) IS NOT TRUE
) TO STDOUT (FORMAT binary);

-- transhume: extract on source binds after.1 upto.1 -- the rows of one chunk
COPY (
  SELECT
    s.id,
    s.user_id,
    s.office_id,
    s.user_type,
    s.settings,
    s.phone,
    s.legacy_patient_id,
    s.created_at,
    s.updated_at,
    s.username,
    s.first_name,
    s.last_name,
    s.email,
    s.last_login,
    s.is_active,
    s.is_staff,
    s.is_superuser
  FROM (
SELECT p.id, p.user_id, p.office_id, p.user_type, p.settings, p.phone, p.legacy_patient_id, p.pager, p.fax_code,
       p.created_at, p.updated_at, u.username, u.password, u.first_name, u.last_name, u.email, u.last_login,
       u.is_active, u.is_staff, u.is_superuser
FROM public.dispatch_profile AS p JOIN public.auth_user AS u ON u.id = p.user_id
) AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; emptied each time
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_profiles (
  id integer,
  user_id integer,
  office_id integer,
  user_type smallint,
  settings text,
  phone character varying(32),
  legacy_patient_id integer,
  created_at timestamp with time zone,
  updated_at timestamp with time zone,
  username character varying(150),
  first_name character varying(30),
  last_name character varying(150),
  email character varying(254),
  last_login timestamp with time zone,
  is_active boolean,
  is_staff boolean,
  is_superuser boolean
) ON COMMIT DELETE ROWS;
TRUNCATE pg_temp.stage_profiles;

-- transhume: fill on target
COPY pg_temp.stage_profiles (
  id,
  user_id,
  office_id,
  user_type,
  settings,
  phone,
  legacy_patient_id,
  created_at,
  updated_at,
  username,
  first_name,
  last_name,
  email,
  last_login,
  is_active,
  is_staff,
  is_superuser
) FROM STDIN (FORMAT binary);

-- transhume: reject on target binds run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'profiles', 'query of profiles',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM pg_temp.stage_profiles AS s
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, s.user_type IN (1, 2, 3, 4, 5), 'role', 'user_type has no mapping', '22000'),
      (2, trim(s.first_name || ' ' || s.last_name) IS NOT NULL, 'name', 'the value of name is null', '23502')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed;

-- transhume: sift on target binds behind most -- loads what it can, tells what is refused
CREATE OR REPLACE FUNCTION pg_temp.sift_profiles(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $sift$
#variable_conflict use_column
<<sift>>
DECLARE
  rows tid[] := ARRAY(SELECT s.ctid FROM pg_temp.stage_profiles AS s WHERE s.ctid > $1 ORDER BY s.ctid);
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
INSERT INTO app.profiles (
  id,
  legacy_id,
  legacy_user_id,
  office_id,
  role,
  name,
  email,
  settings,
  username,
  phone,
  legacy_patient_id,
  is_active,
  is_staff,
  is_superuser,
  last_login,
  created_at,
  updated_at
)
SELECT
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('profiles:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
  s.id AS legacy_id,
  s.user_id AS legacy_user_id,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('offices:' || s.office_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS office_id,
  CASE s.user_type WHEN 1 THEN 'admin' WHEN 2 THEN 'doctor' WHEN 3 THEN 'nurse' WHEN 4 THEN 'dispatcher' WHEN 5 THEN 'patient' END AS role,
  trim(s.first_name || ' ' || s.last_name) AS name,
  nullif(lower(trim(s.email)), '') AS email,
  nullif(s.settings, '')::jsonb AS settings,
  s.username AS username,
  s.phone AS phone,
  s.legacy_patient_id AS legacy_patient_id,
  s.is_active AS is_active,
  s.is_staff AS is_staff,
  s.is_superuser AS is_superuser,
  s.last_login AS last_login,
  s.created_at AS created_at,
  s.updated_at AS updated_at
FROM pg_temp.stage_profiles AS s
WHERE s.ctid BETWEEN sift.rows[sift.done + 1] AND sift.rows[sift.done + sift.size]
  AND (s.user_type IN (1, 2, 3, 4, 5))
  AND (trim(s.first_name || ' ' || s.last_name) IS NOT NULL);
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
FROM pg_temp.sift_profiles($1::tid, $2::bigint) AS found;

-- transhume: set_aside on target binds run step chunk places columns reasons sqlstates -- sets aside the rows that were refused
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'profiles', 'query of profiles',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  refused.target_column, refused.reason, refused.sqlstate, 'rejected'
FROM pg_temp.stage_profiles AS s
JOIN unnest($4::tid[], $5::text[], $6::text[], $7::text[]) AS refused (place, target_column, reason, sqlstate)
  ON refused.place = s.ctid;

-- transhume: revert on target
TRUNCATE app.profiles;
