-- map.visits: public.visit (source) -> transhume.map_visits (target): legacy key, new key
-- from   specs/demo/tables/visits.yaml:1
-- after  create.visits
-- locks  ACCESS SHARE on public.visit in the source (SELECT)
-- undo   drops the map table

-- transhume: apply on target -- before the first chunk
CREATE TABLE transhume.map_visits (
  legacy_country text NOT NULL,
  legacy_no integer NOT NULL,
  legacy_day date NOT NULL,
  patient_id uuid NOT NULL,
  day date NOT NULL
);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.visit'::regclass) AS bytes
FROM public.visit AS s;

-- transhume: bound on source binds after.1 after.2 after.3 upto.1 upto.2 upto.3 rows -- where the next chunk ends
SELECT page.country::text AS country, page.no::text AS no, page.day::text AS day, count(*) OVER () AS rows
FROM (
  SELECT s.country, s.no, s.day
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR (s.country, s.no, s.day) > ($1::text, $2::integer, $3::date))
    AND ($4::text IS NULL OR (s.country, s.no, s.day) <= ($4::text, $5::integer, $6::date))
  ORDER BY s.country, s.no, s.day
  LIMIT $7::bigint
) AS page
ORDER BY page.country DESC, page.no DESC, page.day DESC
LIMIT 1;

-- transhume: extract on source binds after.1 after.2 after.3 upto.1 upto.2 upto.3 -- the rows of one chunk
COPY (
  SELECT
    s.country,
    s.no,
    s.day,
    s.note
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR (s.country, s.no, s.day) > ($1::text, $2::integer, $3::date))
    AND ($4::text IS NULL OR (s.country, s.no, s.day) <= ($4::text, $5::integer, $6::date))
  ORDER BY s.country, s.no, s.day
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_map_visits (
  country text,
  no integer,
  day date,
  note text
) ON COMMIT DELETE ROWS;

-- transhume: fill on target
COPY pg_temp.stage_map_visits (
  country,
  no,
  day,
  note
) FROM STDIN (FORMAT binary);

-- transhume: load on target -- the rows that have a key
INSERT INTO transhume.map_visits (
  legacy_country,
  legacy_no,
  legacy_day,
  patient_id,
  day
)
SELECT
  s.country AS legacy_country,
  s.no AS legacy_no,
  s.day AS legacy_day,
  CASE WHEN s.country IS NOT NULL AND s.no IS NOT NULL THEN encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || jsonb_build_array(s.country, s.no)::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid END AS patient_id,
  s.day AS day
FROM pg_temp.stage_map_visits AS s;

-- transhume: sift on target binds behind most -- loads what it can, tells what is refused
CREATE OR REPLACE FUNCTION pg_temp.sift_visits(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $sift$
#variable_conflict use_column
<<sift>>
DECLARE
  rows tid[] := ARRAY(SELECT s.ctid FROM pg_temp.stage_map_visits AS s WHERE s.ctid > $1 ORDER BY s.ctid);
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
INSERT INTO transhume.map_visits (
  legacy_country,
  legacy_no,
  legacy_day,
  patient_id,
  day
)
SELECT
  s.country AS legacy_country,
  s.no AS legacy_no,
  s.day AS legacy_day,
  CASE WHEN s.country IS NOT NULL AND s.no IS NOT NULL THEN encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || jsonb_build_array(s.country, s.no)::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid END AS patient_id,
  s.day AS day
FROM pg_temp.stage_map_visits AS s
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
FROM pg_temp.sift_visits($1::tid, $2::bigint) AS found;

-- transhume: build of "map_visits_legacy_country_legacy_no_legacy_day" on target
CREATE UNIQUE INDEX map_visits_legacy_country_legacy_no_legacy_day ON transhume.map_visits (legacy_country, legacy_no, legacy_day);

-- transhume: build of "map_visits_patient_id_day" on target
CREATE INDEX map_visits_patient_id_day ON transhume.map_visits (patient_id, day);

-- transhume: build of "statistics" on target
ANALYZE transhume.map_visits;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.map_visits;
