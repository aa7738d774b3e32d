-- map.notes: public.visit (source) -> transhume.map_notes (target): legacy key, new key
-- from   specs/demo/tables/visits.yaml:1
-- after  create.notes
-- locks  ACCESS SHARE on public.visit in the source (SELECT)
-- undo   drops the map table

-- transhume: apply on target -- before the first chunk
CREATE TABLE transhume.map_notes (
  legacy_id integer NOT NULL,
  patient_id uuid NOT NULL
);

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.visit'::regclass) AS bytes
FROM public.visit AS s;

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
    s.patient_id,
    s.note
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
  ORDER BY s.id
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_map_notes (
  id integer,
  patient_id integer,
  note text
) ON COMMIT DELETE ROWS;

-- transhume: fill on target
COPY pg_temp.stage_map_notes (
  id,
  patient_id,
  note
) FROM STDIN (FORMAT binary);

-- transhume: load on target binds first last -- the rows that have a key
INSERT INTO transhume.map_notes (
  legacy_id,
  patient_id
)
SELECT
  s.id AS legacy_id,
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.patient_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS patient_id
FROM pg_temp.stage_map_notes AS s
WHERE s.ctid BETWEEN $1::tid AND $2::tid
  AND (s.patient_id IS NOT NULL);

-- transhume: halve on target binds first last -- cuts a part in two, to find the row that fails
SELECT part.here::text AS last, part.next::text AS next
FROM (
  SELECT
    s.ctid AS here,
    lead(s.ctid) OVER (ORDER BY s.ctid) AS next,
    row_number() OVER (ORDER BY s.ctid) AS place,
    count(*) OVER () AS rows
  FROM pg_temp.stage_map_notes AS s
  WHERE s.ctid BETWEEN $1::tid AND $2::tid
) AS part
WHERE part.place = part.rows / 2;

-- transhume: build of "map_notes_legacy_id" on target
CREATE UNIQUE INDEX map_notes_legacy_id ON transhume.map_notes (legacy_id);

-- transhume: build of "map_notes_patient_id" on target
CREATE INDEX map_notes_patient_id ON transhume.map_notes (patient_id);

-- transhume: build of "statistics" on target
ANALYZE transhume.map_notes;

-- transhume: revert on target
DROP TABLE IF EXISTS transhume.map_notes;
