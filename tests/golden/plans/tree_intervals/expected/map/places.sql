-- map.places: public.place (source) -> transhume.map_places (target): legacy key, new key
-- from   specs/demo/tables/patients.yaml:1
-- after  create.places
-- locks  ACCESS SHARE on public.place (SELECT)
-- undo   drops the map table

-- transhume: apply on target -- before the first chunk
CREATE TABLE transhume.map_places (
  legacy_id integer NOT NULL,
  id bigint NOT NULL PRIMARY KEY
);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.place'::regclass) AS bytes
FROM public.place AS s;

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.place AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: count on source binds after.1 upto.1 -- the rows of the chunk, before the filter and after it
SELECT count(*) AS rows, count(*) FILTER (WHERE (s.name <> 'hidden')) AS kept
FROM public.place AS s
WHERE ($1::text IS NULL OR s.id > $1::integer)
  AND ($2::text IS NULL OR s.id <= $2::integer);

-- transhume: load on target binds after.1 upto.1 -- the rows that have a key
INSERT INTO transhume.map_places (
  legacy_id,
  id
)
SELECT
  s.id AS legacy_id,
  coalesce((SELECT max(m.id) FROM transhume.map_places AS m), 0) + row_number() OVER (ORDER BY s.id) AS id
FROM (
  SELECT
    s.id
  FROM public.place AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (s.name <> 'hidden')
) AS s;

-- transhume: stage on target -- where they arrive; emptied each time
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_map_places (
  id integer
) ON COMMIT DELETE ROWS;
TRUNCATE pg_temp.stage_map_places;

-- transhume: fill on target binds after.1 upto.1
INSERT INTO pg_temp.stage_map_places (
  id
)
  SELECT
    s.id
  FROM public.place AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (s.name <> 'hidden')
  ORDER BY s.id;

-- transhume: sift on target binds behind most -- loads what it can, tells what is refused
CREATE OR REPLACE FUNCTION pg_temp.sift_places(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $sift$
#variable_conflict use_column
<<sift>>
DECLARE
  rows tid[] := ARRAY(SELECT s.ctid FROM pg_temp.stage_map_places AS s WHERE s.ctid > $1 ORDER BY s.ctid);
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
INSERT INTO transhume.map_places (
  legacy_id,
  id
)
SELECT
  s.id AS legacy_id,
  coalesce((SELECT max(m.id) FROM transhume.map_places AS m), 0) + row_number() OVER (ORDER BY s.id) AS id
FROM pg_temp.stage_map_places AS s
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
FROM pg_temp.sift_places($1::tid, $2::bigint) AS found;

-- transhume: build of "map_places_legacy_id" on target
CREATE UNIQUE INDEX map_places_legacy_id ON transhume.map_places (legacy_id);

-- transhume: build of "statistics" on target
ANALYZE transhume.map_places;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.map_places;
