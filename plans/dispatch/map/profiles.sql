-- map.profiles: query of profiles (source) -> transhume.map_profiles (target): legacy key, new key
-- about  Who may log in, and as what; auth_user and dispatch_profile become one table
-- from   specs/dispatch/tables/profiles.yaml:2
-- after  create.profiles
-- undo   drops the map table

-- transhume: apply on target -- before the first chunk
CREATE TABLE transhume.map_profiles (
  legacy_id integer NOT NULL,
  legacy_user_id integer,
  id uuid NOT NULL
);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, NULL::bigint AS bytes
FROM (
SELECT p.id, p.user_id, p.office_id, p.user_type, p.settings, p.phone, p.legacy_patient_id, p.pager, p.fax_code,
       p.created_at, p.updated_at, u.username, u.password, u.first_name, u.last_name, u.email, u.last_login,
       u.is_active, u.is_staff, u.is_superuser
FROM public.dispatch_profile AS p JOIN public.auth_user AS u ON u.id = p.user_id
) AS s;

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
  ORDER BY s.id
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_map_profiles (
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

-- transhume: fill on target
COPY pg_temp.stage_map_profiles (
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

-- transhume: load on target -- the rows that have a key
INSERT INTO transhume.map_profiles (
  legacy_id,
  legacy_user_id,
  id
)
SELECT
  s.id AS legacy_id,
  s.user_id AS legacy_user_id,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('profiles:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id
FROM pg_temp.stage_map_profiles AS s;

-- transhume: sift on target binds behind most -- loads what it can, tells what is refused
CREATE OR REPLACE FUNCTION pg_temp.sift_profiles(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $sift$
#variable_conflict use_column
<<sift>>
DECLARE
  rows tid[] := ARRAY(SELECT s.ctid FROM pg_temp.stage_map_profiles AS s WHERE s.ctid > $1 ORDER BY s.ctid);
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
INSERT INTO transhume.map_profiles (
  legacy_id,
  legacy_user_id,
  id
)
SELECT
  s.id AS legacy_id,
  s.user_id AS legacy_user_id,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('profiles:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id
FROM pg_temp.stage_map_profiles AS s
WHERE s.ctid BETWEEN sift.rows[sift.done + 1] AND sift.rows[sift.done + sift.size];
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

-- transhume: build of "map_profiles_legacy_id" on target
CREATE UNIQUE INDEX map_profiles_legacy_id ON transhume.map_profiles (legacy_id);

-- transhume: build of "map_profiles_legacy_user_id" on target
CREATE UNIQUE INDEX map_profiles_legacy_user_id ON transhume.map_profiles (legacy_user_id);

-- transhume: build of "map_profiles_id" on target
CREATE INDEX map_profiles_id ON transhume.map_profiles (id);

-- transhume: build of "statistics" on target
ANALYZE transhume.map_profiles;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.map_profiles;
