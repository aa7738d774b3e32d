-- load.visits: public.visit (source) -> app.visits (target), in chunks by country, no, day
-- from   specs/demo/tables/visits.yaml:1
-- after  create.visits, map.visits
-- locks  ACCESS SHARE on public.visit in the source (SELECT)
-- locks  ROW EXCLUSIVE on app.visits (INSERT)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source
SELECT count(*)
FROM public.visit AS s;

-- transhume: bound on source binds after.1 after.2 after.3 rows -- where the next chunk ends
SELECT page.country::text AS country, page.no::text AS no, page.day::text AS day
FROM (
  SELECT s.country, s.no, s.day
  FROM public.visit AS s
  WHERE ($1::text IS NULL OR (s.country, s.no, s.day) > ($1::text, $2::integer, $3::date))
  ORDER BY s.country, s.no, s.day
  LIMIT $4::bigint
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
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_visits (
  country text,
  no integer,
  day date,
  note text
) ON COMMIT DELETE ROWS;

-- transhume: fill on target
COPY pg_temp.stage_visits (
  country,
  no,
  day,
  note
) FROM STDIN (FORMAT binary);

-- transhume: load on target binds first last -- all rows but those that fail a guard
INSERT INTO app.visits (
  patient_id,
  note,
  day
)
SELECT
  CASE WHEN s.country IS NOT NULL AND s.no IS NOT NULL THEN encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || jsonb_build_array(s.country, s.no)::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid END AS patient_id,
  s.note AS note,
  s.day AS day
FROM pg_temp.stage_visits AS s
WHERE s.ctid BETWEEN $1::tid AND $2::tid
  AND (s.note IS NOT NULL);

-- transhume: reject on target binds first last run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'visits', 'public.visit',
  ARRAY[s.country::text, s.no::text, s.day::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM pg_temp.stage_visits AS s
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, s.note IS NOT NULL, 'note', 'note is null', '23502')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

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
  $3::uuid, $4, $5::bigint, 'visits', 'public.visit',
  ARRAY[s.country::text, s.no::text, s.day::text],
  to_jsonb(s.*),
  $6::text, $7, $8, 'rejected'
FROM pg_temp.stage_visits AS s
WHERE s.ctid BETWEEN $1::tid AND $2::tid;

-- transhume: revert on target
TRUNCATE app.visits;
