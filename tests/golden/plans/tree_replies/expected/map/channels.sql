-- map.channels: public.channel (source) -> transhume.map_channels (target): legacy key, new key
-- from   specs/demo/tables/patients.yaml:1
-- after  create.channels
-- locks  ACCESS SHARE on public.channel in the source (SELECT)
-- undo   drops the map table

-- transhume: apply on target -- before the first chunk
CREATE TABLE transhume.map_channels (
  legacy_id integer NOT NULL,
  id bigint NOT NULL PRIMARY KEY
);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.channel'::regclass) AS bytes
FROM public.channel AS s;

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.channel AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
  LIMIT $3::bigint
) AS page
HAVING count(*) > 0;

-- transhume: extract on source binds after.1 upto.1 -- the rows of one chunk
COPY (
  SELECT
    s.id
  FROM public.channel AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_map_channels (
  id integer
) ON COMMIT DELETE ROWS;

-- transhume: fill on target
COPY pg_temp.stage_map_channels (
  id
) FROM STDIN (FORMAT binary);

-- transhume: load on target binds first last -- the rows that have a key
INSERT INTO transhume.map_channels (
  legacy_id,
  id
)
SELECT
  s.id AS legacy_id,
  coalesce((SELECT max(m.id) FROM transhume.map_channels AS m), 0) + row_number() OVER (ORDER BY s.ctid) AS id
FROM pg_temp.stage_map_channels AS s
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: halve on target binds first last -- cuts a part in two, to find the row that fails
SELECT part.here::text AS last, part.next::text AS next
FROM (
  SELECT
    s.ctid AS here,
    lead(s.ctid) OVER (ORDER BY s.ctid) AS next,
    row_number() OVER (ORDER BY s.ctid) AS place,
    count(*) OVER () AS rows
  FROM pg_temp.stage_map_channels AS s
  WHERE s.ctid BETWEEN $1::tid AND $2::tid
) AS part
WHERE part.place = part.rows / 2;

-- transhume: build of "map_channels_legacy_id" on target
CREATE UNIQUE INDEX map_channels_legacy_id ON transhume.map_channels (legacy_id);

-- transhume: build of "statistics" on target
ANALYZE transhume.map_channels;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.map_channels;
