-- load.messages: public.message (source) -> app.messages (target), through a stage (about_id is looked up in the map of
--     channels), in chunks by id
-- from   specs/demo/tables/visits.yaml:1
-- after  create.messages, map.channels, tree.messages
-- locks  ACCESS SHARE on public.message in the source (SELECT)
-- locks  ROW EXCLUSIVE on app.messages (INSERT)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.message'::regclass) AS bytes
FROM public.message AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.message AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.message AS s
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
    s.body,
    s.about,
    s.about_id
  FROM public.message AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_messages (
  id integer,
  body text,
  about integer,
  about_id text
) ON COMMIT DELETE ROWS;

-- transhume: fill on target
COPY pg_temp.stage_messages (
  id,
  body,
  about,
  about_id
) FROM STDIN (FORMAT binary);

-- transhume: load on target -- all rows but those that fail a guard
INSERT INTO app.messages (
  id,
  legacy_id,
  about,
  about_id,
  body,
  parent_id,
  thread_id,
  depth,
  "position"
)
SELECT
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('messages:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
  s.id AS legacy_id,
  CASE s.about WHEN 1 THEN 'channel' WHEN 2 THEN 'message' END AS about,
  CASE WHEN s.about = 1 THEN m_about_id_channels.id WHEN s.about = 2 THEN s.about_id::bigint END AS about_id,
  s.body AS body,
  node.parent_id AS parent_id,
  node.root_id AS thread_id,
  node.depth AS depth,
  node."position" AS "position"
FROM pg_temp.stage_messages AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_messages AS n WHERE n.key = s.id OFFSET 0) AS node ON true
LEFT JOIN transhume.map_channels AS m_about_id_channels ON m_about_id_channels.legacy_id = CASE WHEN s.about = 1 AND (CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END) THEN s.about_id::bigint END
WHERE (s.about IS NULL OR s.about IN (1, 2))
  AND (s.about IS NULL OR s.about IN (1, 2))
  AND ((s.about IN (1, 2)) IS NOT TRUE OR CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END)
  AND (s.about IS DISTINCT FROM 1 OR s.about_id IS NULL OR m_about_id_channels.id IS NOT NULL)
  AND (node.fate IS DISTINCT FROM 'several')
  AND (node.key IS NOT NULL);

-- transhume: reject on target binds run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'messages', 'public.message',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM pg_temp.stage_messages AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_messages AS n WHERE n.key = s.id OFFSET 0) AS node ON true
LEFT JOIN transhume.map_channels AS m_about_id_channels ON m_about_id_channels.legacy_id = CASE WHEN s.about = 1 AND (CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END) THEN s.about_id::bigint END
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, s.about IS NULL OR s.about IN (1, 2), 'about', 'about has no mapping', '22000'),
      (2, s.about IS NULL OR s.about IN (1, 2), 'about_id', 'about ' || s.about::text || ' means no table', '22000'),
      (3, (s.about IN (1, 2)) IS NOT TRUE OR CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END, 'about_id', 'about_id is no bigint', '22P02'),
      (4, s.about IS DISTINCT FROM 1 OR s.about_id IS NULL OR m_about_id_channels.id IS NOT NULL, 'about_id', 'about_id has no row in channels', '23503'),
      (5, node.fate IS DISTINCT FROM 'several', 'parent_id', 'there is more than one reply.parent_id', '23514'),
      (6, node.key IS NOT NULL, 'parent_id', 'was not there when the hierarchy was computed', '23503')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed;

-- transhume: sift on target binds behind most -- loads what it can, tells what is refused
CREATE OR REPLACE FUNCTION pg_temp.sift_messages(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $sift$
#variable_conflict use_column
<<sift>>
DECLARE
  rows tid[] := ARRAY(SELECT s.ctid FROM pg_temp.stage_messages AS s WHERE s.ctid > $1 ORDER BY s.ctid);
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
INSERT INTO app.messages (
  id,
  legacy_id,
  about,
  about_id,
  body,
  parent_id,
  thread_id,
  depth,
  "position"
)
SELECT
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('messages:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
  s.id AS legacy_id,
  CASE s.about WHEN 1 THEN 'channel' WHEN 2 THEN 'message' END AS about,
  CASE WHEN s.about = 1 THEN m_about_id_channels.id WHEN s.about = 2 THEN s.about_id::bigint END AS about_id,
  s.body AS body,
  node.parent_id AS parent_id,
  node.root_id AS thread_id,
  node.depth AS depth,
  node."position" AS "position"
FROM pg_temp.stage_messages AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_messages AS n WHERE n.key = s.id OFFSET 0) AS node ON true
LEFT JOIN transhume.map_channels AS m_about_id_channels ON m_about_id_channels.legacy_id = CASE WHEN s.about = 1 AND (CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END) THEN s.about_id::bigint END
WHERE s.ctid BETWEEN sift.rows[sift.done + 1] AND sift.rows[sift.done + sift.size]
  AND (s.about IS NULL OR s.about IN (1, 2))
  AND (s.about IS NULL OR s.about IN (1, 2))
  AND ((s.about IN (1, 2)) IS NOT TRUE OR CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END)
  AND (s.about IS DISTINCT FROM 1 OR s.about_id IS NULL OR m_about_id_channels.id IS NOT NULL)
  AND (node.fate IS DISTINCT FROM 'several')
  AND (node.key IS NOT NULL);
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
FROM pg_temp.sift_messages($1::tid, $2::bigint) AS found;

-- transhume: set_aside on target binds run step chunk places columns reasons sqlstates -- sets aside the rows that were refused
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'messages', 'public.message',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  refused.target_column, refused.reason, refused.sqlstate, 'rejected'
FROM pg_temp.stage_messages AS s
JOIN unnest($4::tid[], $5::text[], $6::text[], $7::text[]) AS refused (place, target_column, reason, sqlstate)
  ON refused.place = s.ctid;

-- transhume: revert on target
TRUNCATE app.messages;
