-- load.notes: public.note (source) -> app.notes (target), through a stage (subject_id is looked up in the map of
--     visits), in chunks by id
-- from   specs/demo/tables/notes.yaml:1
-- after  create.notes, map.visits
-- locks  ACCESS SHARE on public.note in the source (SELECT)
-- locks  ROW EXCLUSIVE on app.notes (INSERT)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.note'::regclass) AS bytes
FROM public.note AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.note AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.note AS s
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
    s.content_type_id,
    s.object_id,
    s.author_type,
    s.author_id,
    n_content_type_id.app_label || '.' || n_content_type_id.model AS "content_type_id.name",
    n_author_type.app_label || '.' || n_author_type.model AS "author_type.name"
  FROM public.note AS s
  LEFT JOIN public.django_content_type AS n_content_type_id ON n_content_type_id.id = s.content_type_id
  LEFT JOIN public.django_content_type AS n_author_type ON n_author_type.id = s.author_type
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_notes (
  id integer,
  content_type_id integer,
  object_id text,
  author_type integer,
  author_id integer,
  "content_type_id.name" text,
  "author_type.name" text
) ON COMMIT DELETE ROWS;

-- transhume: fill on target
COPY pg_temp.stage_notes (
  id,
  content_type_id,
  object_id,
  author_type,
  author_id,
  "content_type_id.name",
  "author_type.name"
) FROM STDIN (FORMAT binary);

-- transhume: load on target -- all rows but those that fail a guard
INSERT INTO app.notes (
  id,
  subject_id,
  subject_type,
  author_id,
  author_type
)
SELECT
  s.id AS id,
  CASE WHEN s."content_type_id.name" = 'clinic.patient' THEN s.object_id::bigint WHEN s."content_type_id.name" = 'clinic.visit' THEN m_subject_id_visits.id END AS subject_id,
  CASE s."content_type_id.name" WHEN 'clinic.patient' THEN 'patient' WHEN 'clinic.visit' THEN 'visit' END AS subject_type,
  CASE WHEN s."author_type.name" = 'clinic.patient' THEN s.author_id::bigint WHEN s."author_type.name" = 'clinic.visit' THEN m_author_id_visits.id END AS author_id,
  CASE s."author_type.name" WHEN 'clinic.patient' THEN 'patient' WHEN 'clinic.visit' THEN 'visit' END AS author_type
FROM pg_temp.stage_notes AS s
LEFT JOIN transhume.map_visits AS m_subject_id_visits ON m_subject_id_visits.legacy_id = CASE WHEN s."content_type_id.name" = 'clinic.visit' AND (CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END) THEN s.object_id::bigint END
LEFT JOIN transhume.map_visits AS m_author_id_visits ON m_author_id_visits.legacy_id = CASE WHEN s."author_type.name" = 'clinic.visit' THEN s.author_id END
WHERE (s.content_type_id IS NULL OR s."content_type_id.name" IN ('clinic.patient', 'clinic.visit'))
  AND ((s."content_type_id.name" IN ('clinic.patient', 'clinic.visit')) IS NOT TRUE OR CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END)
  AND (s.content_type_id IS NULL OR s."content_type_id.name" IN ('clinic.patient', 'clinic.visit'))
  AND (s."author_type.name" IS DISTINCT FROM 'clinic.visit' OR s.author_id IS NULL OR m_author_id_visits.id IS NOT NULL);

-- transhume: reject on target binds run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'notes', 'public.note',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM pg_temp.stage_notes AS s
LEFT JOIN transhume.map_visits AS m_subject_id_visits ON m_subject_id_visits.legacy_id = CASE WHEN s."content_type_id.name" = 'clinic.visit' AND (CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END) THEN s.object_id::bigint END
LEFT JOIN transhume.map_visits AS m_author_id_visits ON m_author_id_visits.legacy_id = CASE WHEN s."author_type.name" = 'clinic.visit' THEN s.author_id END
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, s.content_type_id IS NULL OR s."content_type_id.name" IN ('clinic.patient', 'clinic.visit'), 'subject_id', 'content_type_id ' || s.content_type_id::text || ' (' || coalesce(s."content_type_id.name", 'not in django_content_type') || ') means no table', '22000'),
      (2, (s."content_type_id.name" IN ('clinic.patient', 'clinic.visit')) IS NOT TRUE OR CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END, 'subject_id', 'object_id is no bigint', '22P02'),
      (3, s.content_type_id IS NULL OR s."content_type_id.name" IN ('clinic.patient', 'clinic.visit'), 'subject_type', 'content_type_id ' || s.content_type_id::text || ' (' || coalesce(s."content_type_id.name", 'not in django_content_type') || ') has no mapping', '22000'),
      (4, s."author_type.name" IS DISTINCT FROM 'clinic.visit' OR s.author_id IS NULL OR m_author_id_visits.id IS NOT NULL, 'author_id', 'author_id has no row in visits', '23503')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed;

-- transhume: nulled on target binds run step chunk -- notes the references that lead nowhere
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'notes', 'public.note',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  missing.target_column, missing.reason, '23503', 'nulled'
FROM pg_temp.stage_notes AS s
LEFT JOIN transhume.map_visits AS m_subject_id_visits ON m_subject_id_visits.legacy_id = CASE WHEN s."content_type_id.name" = 'clinic.visit' AND (CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END) THEN s.object_id::bigint END
LEFT JOIN transhume.map_visits AS m_author_id_visits ON m_author_id_visits.legacy_id = CASE WHEN s."author_type.name" = 'clinic.visit' THEN s.author_id END
CROSS JOIN LATERAL (
  VALUES
    ('subject_id', 'visits has no such row', (CASE WHEN s."content_type_id.name" = 'clinic.visit' AND (CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END) THEN s.object_id::bigint END) IS NOT NULL AND m_subject_id_visits.legacy_id IS NULL)
) AS missing (target_column, reason, is_missing)
WHERE missing.is_missing
  AND (s.content_type_id IS NULL OR s."content_type_id.name" IN ('clinic.patient', 'clinic.visit'))
  AND ((s."content_type_id.name" IN ('clinic.patient', 'clinic.visit')) IS NOT TRUE OR CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END)
  AND (s.content_type_id IS NULL OR s."content_type_id.name" IN ('clinic.patient', 'clinic.visit'))
  AND (s."author_type.name" IS DISTINCT FROM 'clinic.visit' OR s.author_id IS NULL OR m_author_id_visits.id IS NOT NULL)
  AND NOT EXISTS (
    SELECT FROM transhume.reject AS r
    WHERE r.run = $1::uuid AND r.step = $2 AND r.chunk = $3::bigint
      AND r.key = ARRAY[s.id::text] AND r.action = 'rejected'
  );

-- transhume: sift on target binds behind most -- loads what it can, tells what is refused
CREATE OR REPLACE FUNCTION pg_temp.sift_notes(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $sift$
#variable_conflict use_column
<<sift>>
DECLARE
  rows tid[] := ARRAY(SELECT s.ctid FROM pg_temp.stage_notes AS s WHERE s.ctid > $1 ORDER BY s.ctid);
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
INSERT INTO app.notes (
  id,
  subject_id,
  subject_type,
  author_id,
  author_type
)
SELECT
  s.id AS id,
  CASE WHEN s."content_type_id.name" = 'clinic.patient' THEN s.object_id::bigint WHEN s."content_type_id.name" = 'clinic.visit' THEN m_subject_id_visits.id END AS subject_id,
  CASE s."content_type_id.name" WHEN 'clinic.patient' THEN 'patient' WHEN 'clinic.visit' THEN 'visit' END AS subject_type,
  CASE WHEN s."author_type.name" = 'clinic.patient' THEN s.author_id::bigint WHEN s."author_type.name" = 'clinic.visit' THEN m_author_id_visits.id END AS author_id,
  CASE s."author_type.name" WHEN 'clinic.patient' THEN 'patient' WHEN 'clinic.visit' THEN 'visit' END AS author_type
FROM pg_temp.stage_notes AS s
LEFT JOIN transhume.map_visits AS m_subject_id_visits ON m_subject_id_visits.legacy_id = CASE WHEN s."content_type_id.name" = 'clinic.visit' AND (CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END) THEN s.object_id::bigint END
LEFT JOIN transhume.map_visits AS m_author_id_visits ON m_author_id_visits.legacy_id = CASE WHEN s."author_type.name" = 'clinic.visit' THEN s.author_id END
WHERE s.ctid BETWEEN sift.rows[sift.done + 1] AND sift.rows[sift.done + sift.size]
  AND (s.content_type_id IS NULL OR s."content_type_id.name" IN ('clinic.patient', 'clinic.visit'))
  AND ((s."content_type_id.name" IN ('clinic.patient', 'clinic.visit')) IS NOT TRUE OR CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END)
  AND (s.content_type_id IS NULL OR s."content_type_id.name" IN ('clinic.patient', 'clinic.visit'))
  AND (s."author_type.name" IS DISTINCT FROM 'clinic.visit' OR s.author_id IS NULL OR m_author_id_visits.id IS NOT NULL);
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
FROM pg_temp.sift_notes($1::tid, $2::bigint) AS found;

-- transhume: set_aside on target binds run step chunk places columns reasons sqlstates -- sets aside the rows that were refused
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'notes', 'public.note',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  refused.target_column, refused.reason, refused.sqlstate, 'rejected'
FROM pg_temp.stage_notes AS s
JOIN unnest($4::tid[], $5::text[], $6::text[], $7::text[]) AS refused (place, target_column, reason, sqlstate)
  ON refused.place = s.ctid;

-- transhume: revert on target
TRUNCATE app.notes;
