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

-- transhume: halve on target binds after.1 upto.1 -- cuts a part in two, to find the row that fails
SELECT part.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in part",
    count(*) OVER () AS "rows of part"
  FROM public.place AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (s.name <> 'hidden')
) AS part
WHERE part."place in part" = part."rows of part" / 2;

-- transhume: build of "map_places_legacy_id" on target
CREATE UNIQUE INDEX map_places_legacy_id ON transhume.map_places (legacy_id);

-- transhume: build of "statistics" on target
ANALYZE transhume.map_places;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.map_places;
