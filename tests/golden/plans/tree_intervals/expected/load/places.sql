-- load.places: public.place (source) -> app.places (target), in chunks by id
-- from   specs/demo/tables/patients.yaml:1
-- after  create.places, map.places, tree.places
-- locks  ACCESS SHARE on public.place (SELECT)
-- locks  ROW EXCLUSIVE on app.places (INSERT)
-- undo   truncate: the table was empty

-- transhume: size on source -- the rows of the source, and its bytes on disk
SELECT count(*) AS rows, pg_table_size('public.place'::regclass) AS bytes
FROM public.place AS s;

-- transhume: split on source binds ranges share -- where each range ends but the last
SELECT sample.id::text AS id
FROM (
  SELECT
    s.id,
    row_number() OVER (ORDER BY s.id) AS "place in sample",
    count(*) OVER () AS "rows of sample"
  FROM public.place AS s TABLESAMPLE SYSTEM ($2::real)
) AS sample
WHERE sample."place in sample" < sample."rows of sample"
  AND sample."place in sample" * $1::bigint / sample."rows of sample"
    > (sample."place in sample" - 1) * $1::bigint / sample."rows of sample"
ORDER BY sample."place in sample";

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

-- transhume: load on target binds after.1 upto.1 -- all rows but those that fail a guard
INSERT INTO app.places (
  id,
  old,
  name,
  parent_id,
  root_id,
  depth,
  "position",
  path
)
SELECT
  m_id.id AS id,
  s.id AS old,
  s.name AS name,
  m_parent_id.id AS parent_id,
  m_root_id.id AS root_id,
  node.depth AS depth,
  node."position" AS "position",
  node.path AS path
FROM (
  SELECT
    s.id,
    s.lft,
    s.rght,
    s.tree_id,
    s.name
  FROM public.place AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (s.name <> 'hidden')
) AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_places AS n WHERE n.key = s.id OFFSET 0) AS node ON true
LEFT JOIN transhume.map_places AS m_id ON m_id.legacy_id = s.id
LEFT JOIN transhume.map_places AS m_parent_id ON m_parent_id.legacy_id = node.parent
LEFT JOIN transhume.map_places AS m_root_id ON m_root_id.legacy_id = node.root
WHERE (m_id.id IS NOT NULL)
  AND (node.parent IS NULL OR m_parent_id.id IS NOT NULL)
  AND (node.root IS NULL OR m_root_id.id IS NOT NULL)
  AND (node.key IS NOT NULL);

-- transhume: reject on target binds after.1 upto.1 run step chunk -- sets aside the rows that fail one
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'places', 'public.place',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  failed.target_column, failed.reason, failed.sqlstate, 'rejected'
FROM (
  SELECT
    s.id,
    s.lft,
    s.rght,
    s.tree_id,
    s.name
  FROM public.place AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (s.name <> 'hidden')
) AS s
LEFT JOIN LATERAL (SELECT n.* FROM transhume.tree_places AS n WHERE n.key = s.id OFFSET 0) AS node ON true
LEFT JOIN transhume.map_places AS m_id ON m_id.legacy_id = s.id
LEFT JOIN transhume.map_places AS m_parent_id ON m_parent_id.legacy_id = node.parent
LEFT JOIN transhume.map_places AS m_root_id ON m_root_id.legacy_id = node.root
CROSS JOIN LATERAL (
  SELECT guard.target_column, guard.reason, guard.sqlstate
  FROM (
    VALUES
      (1, m_id.id IS NOT NULL, 'id', 'the value of id is null', '23502'),
      (2, node.parent IS NULL OR m_parent_id.id IS NOT NULL, 'parent_id', 'the row it hangs from has no key in places', '23503'),
      (3, node.root IS NULL OR m_root_id.id IS NOT NULL, 'root_id', 'the row it hangs from has no key in places', '23503'),
      (4, node.key IS NOT NULL, 'parent_id', 'was not there when the hierarchy was computed', '23503')
  ) AS guard (place, ok, target_column, reason, sqlstate)
  WHERE guard.ok IS NOT TRUE
  ORDER BY guard.place
  LIMIT 1
) AS failed;

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

-- transhume: set_aside on target binds after.1 upto.1 run step chunk column reason sqlstate -- sets aside the row that bisection found
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $3::uuid, $4, $5::bigint, 'places', 'public.place',
  ARRAY[s.id::text],
  to_jsonb(s.*),
  $6::text, $7, $8, 'rejected'
FROM (
  SELECT
    s.id,
    s.lft,
    s.rght,
    s.tree_id,
    s.name
  FROM public.place AS s
  WHERE ($1::text IS NULL OR s.id > $1::integer)
    AND ($2::text IS NULL OR s.id <= $2::integer)
    AND (s.name <> 'hidden')
) AS s;

-- transhume: revert on target
TRUNCATE app.places;
