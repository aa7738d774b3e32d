-- load.comments: public.dispatch_comment (source) -> app.comments (target), through a stage (author_id is looked up in
--     the map of profiles), in chunks by id
-- about  What was said about patients and orders, as threads
-- from   specs/dispatch/tables/comments.yaml:2
-- after  create.comments, map.profiles, tree.comments
-- locks  ACCESS SHARE on public.dispatch_comment in the source (SELECT)
-- locks  ROW EXCLUSIVE on app.comments (INSERT)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.dispatch_comment'::regclass) AS bytes
FROM public.dispatch_comment AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.dispatch_comment AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT max(page.id)::text AS id, count(*) AS rows
FROM (
  SELECT s.id
  FROM public.dispatch_comment AS s
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
    s.user_id,
    s.parent_id,
    s.body,
    s.is_deleted,
    s.created_at
  FROM public.dispatch_comment AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
) TO STDOUT (FORMAT binary);

-- transhume: stage on target -- where they arrive; once a connection
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_comments (
  id integer,
  content_type_id integer,
  object_id integer,
  user_id integer,
  parent_id integer,
  body text,
  is_deleted boolean,
  created_at timestamp with time zone
) ON COMMIT DELETE ROWS;

-- transhume: fill on target
COPY pg_temp.stage_comments (
  id,
  content_type_id,
  object_id,
  user_id,
  parent_id,
  body,
  is_deleted,
  created_at
) FROM STDIN (FORMAT binary);

-- transhume: load on target -- all rows but those that fail a guard
INSERT INTO app.comments (
  id,
  legacy_id,
  author_id,
  legacy_subject_type,
  legacy_subject_id,
  body,
  created_at,
  parent_id,
  thread_id,
  depth,
  "position",
  path
)
SELECT
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('comments:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
  s.id AS legacy_id,
  m_author_id.id AS author_id,
  s.content_type_id AS legacy_subject_type,
  s.object_id AS legacy_subject_id,
  CASE WHEN s.is_deleted IS TRUE THEN '[removed]'::text ELSE s.body END AS body,
  s.created_at AS created_at,
  node.parent_id AS parent_id,
  node.root_id AS thread_id,
  node.depth AS depth,
  node."position" AS "position",
  node.path AS path
FROM pg_temp.stage_comments AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_comments AS n WHERE n.key = s.id OFFSET 0) AS node ON true
LEFT JOIN transhume.map_profiles AS m_author_id ON m_author_id.legacy_user_id = CASE WHEN s.is_deleted IS TRUE THEN NULL ELSE s.user_id END
WHERE (node.fate = 'left') IS NOT TRUE
  AND (node.key IS NOT NULL);

-- transhume: reject on target binds run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'comments', 'public.dispatch_comment',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM pg_temp.stage_comments AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_comments AS n WHERE n.key = s.id OFFSET 0) AS node ON true
LEFT JOIN transhume.map_profiles AS m_author_id ON m_author_id.legacy_user_id = CASE WHEN s.is_deleted IS TRUE THEN NULL ELSE s.user_id END
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, node.key IS NOT NULL, 'parent_id', 'was not there when the hierarchy was computed', '23503')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed
WHERE (node.fate = 'left') IS NOT TRUE;

-- transhume: nulled on target binds run step chunk -- notes the references that lead nowhere
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'comments', 'public.dispatch_comment',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  missing.target_column, missing.reason, '23503', 'nulled'
FROM pg_temp.stage_comments AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_comments AS n WHERE n.key = s.id OFFSET 0) AS node ON true
LEFT JOIN transhume.map_profiles AS m_author_id ON m_author_id.legacy_user_id = CASE WHEN s.is_deleted IS TRUE THEN NULL ELSE s.user_id END
CROSS JOIN LATERAL (
  VALUES
    ('author_id', 'profiles has no such row', (CASE WHEN s.is_deleted IS TRUE THEN NULL ELSE s.user_id END) IS NOT NULL AND m_author_id.legacy_user_id IS NULL)
) AS missing (target_column, reason, is_missing)
WHERE missing.is_missing
  AND (node.fate = 'left') IS NOT TRUE
  AND (node.key IS NOT NULL)
  AND NOT EXISTS (
    SELECT FROM transhume.reject AS r
    WHERE r.run = $1::uuid AND r.step = $2 AND r.chunk = $3::bigint
      AND r.key = ARRAY[s.id::text] AND r.action = 'rejected'
  );

-- transhume: left on target -- how many placeholders stay behind
SELECT count(*)
FROM pg_temp.stage_comments AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_comments AS n WHERE n.key = s.id OFFSET 0) AS node ON true
WHERE node.fate = 'left';

-- transhume: sift on target binds behind most -- loads what it can, tells what is refused
CREATE OR REPLACE FUNCTION pg_temp.sift_comments(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $sift$
#variable_conflict use_column
<<sift>>
DECLARE
  rows tid[] := ARRAY(SELECT s.ctid FROM pg_temp.stage_comments AS s WHERE s.ctid > $1 ORDER BY s.ctid);
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
INSERT INTO app.comments (
  id,
  legacy_id,
  author_id,
  legacy_subject_type,
  legacy_subject_id,
  body,
  created_at,
  parent_id,
  thread_id,
  depth,
  "position",
  path
)
SELECT
  encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('comments:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid AS id,
  s.id AS legacy_id,
  m_author_id.id AS author_id,
  s.content_type_id AS legacy_subject_type,
  s.object_id AS legacy_subject_id,
  CASE WHEN s.is_deleted IS TRUE THEN '[removed]'::text ELSE s.body END AS body,
  s.created_at AS created_at,
  node.parent_id AS parent_id,
  node.root_id AS thread_id,
  node.depth AS depth,
  node."position" AS "position",
  node.path AS path
FROM pg_temp.stage_comments AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_comments AS n WHERE n.key = s.id OFFSET 0) AS node ON true
LEFT JOIN transhume.map_profiles AS m_author_id ON m_author_id.legacy_user_id = CASE WHEN s.is_deleted IS TRUE THEN NULL ELSE s.user_id END
WHERE s.ctid BETWEEN sift.rows[sift.done + 1] AND sift.rows[sift.done + sift.size]
  AND (node.fate = 'left') IS NOT TRUE
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
FROM pg_temp.sift_comments($1::tid, $2::bigint) AS found;

-- transhume: set_aside on target binds run step chunk places columns reasons sqlstates -- sets aside the rows that were refused
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, $3::bigint, 'comments', 'public.dispatch_comment',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  refused.target_column, refused.reason, refused.sqlstate, 'rejected'
FROM pg_temp.stage_comments AS s
JOIN unnest($4::tid[], $5::text[], $6::text[], $7::text[]) AS refused (place, target_column, reason, sqlstate)
  ON refused.place = s.ctid;

-- transhume: revert on target
TRUNCATE app.comments;
