-- verify.comments: app.comments against its source, but for id (the target gave the number)
-- from   specs/demo/tables/visits.yaml:1
-- after  finish.comments
-- locks  ACCESS SHARE on app.comments (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.comment AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    s.id::text,
    s.author_id::integer::text COLLATE "C",
    s.body COLLATE "C",
    s.created_at
  ), 0), 0)) AS checksum
FROM public.comment AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    k.legacy_id::text,
    m_author_id.legacy_user_id::text COLLATE "C",
    t.body COLLATE "C",
    t.created_at
  ), 0), 0)) AS checksum
FROM app.comments AS t
JOIN transhume.map_comments AS k ON k.id = t.id
LEFT JOIN transhume.map_profiles AS m_author_id ON m_author_id.id = t.author_id;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(hashtextextended(s.author_id::integer::text COLLATE "C", h.seed)) AS author_id,
  sum(hashtextextended(s.body COLLATE "C", h.seed)) AS body,
  sum(timestamp_hash_extended(s.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at
FROM (
  SELECT
    s.id,
    s.parent_id,
    s.author_id,
    s.body,
    s.created_at
  FROM public.comment AS s
) AS s
CROSS JOIN LATERAL (
  SELECT key.text, hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (s.id::text)) AS key (text)
  OFFSET 0
) AS h
WHERE (h.text = ANY ($1::text[])) IS NOT TRUE;

-- transhume: columns on target
SELECT
  sum(hashtextextended(m_author_id.legacy_user_id::text COLLATE "C", h.seed)) AS author_id,
  sum(hashtextextended(t.body COLLATE "C", h.seed)) AS body,
  sum(timestamp_hash_extended(t.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at
FROM app.comments AS t
JOIN transhume.map_comments AS k ON k.id = t.id
LEFT JOIN transhume.map_profiles AS m_author_id ON m_author_id.id = t.author_id
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (k.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: query of "shape" on source binds rejected -- who hangs from whom, of the rows that arrived
WITH link AS (
  SELECT
    s.id AS key,
    nullif(s.parent_id, s.id) AS parent
  FROM (
  SELECT
    s.id,
    s.parent_id,
    s.author_id,
    s.body,
    s.created_at
  FROM public.comment AS s
  ) AS s
  WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE)
)
SELECT 'the parents of all rows' AS what, coalesce(sum(hashint8extended(l.parent::bigint, hashint8extended(l.key::bigint, 0))), 0)::text AS value
FROM link AS l
UNION ALL
(
  SELECT format('rows from which %s hang', c.children), count(*)::text
  FROM (SELECT count(*) AS children FROM link AS l WHERE l.parent IS NOT NULL GROUP BY l.parent) AS c
  GROUP BY c.children
  ORDER BY c.children
);

-- transhume: query of "shape" on target binds run -- the same, with the parents put back that were mended
WITH mended AS (
  SELECT DISTINCT j.key[1] AS key, (j.raw ->> 'parent_id')::integer AS parent
  FROM transhume.reject AS j
  WHERE j.run = $1::uuid AND j.table_id = 'comments' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
), link AS (
  SELECT
    k.legacy_id AS key,
    CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END AS parent
  FROM app.comments AS t
  JOIN transhume.map_comments AS k ON k.id = t.id
  LEFT JOIN (
    SELECT p.id AS id, k.legacy_id AS key
    FROM app.comments AS p
    JOIN transhume.map_comments AS k ON k.id = p.id
  ) AS p ON p.id = t.reply_to
  LEFT JOIN mended AS m ON m.key = k.legacy_id::text
)
SELECT 'the parents of all rows' AS what, coalesce(sum(hashint8extended(l.parent::bigint, hashint8extended(l.key::bigint, 0))), 0)::text AS value
FROM link AS l
UNION ALL
(
  SELECT format('rows from which %s hang', c.children), count(*)::text
  FROM (SELECT count(*) AS children FROM link AS l WHERE l.parent IS NOT NULL GROUP BY l.parent) AS c
  GROUP BY c.children
  ORDER BY c.children
);

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app.comments')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.comments')
  AND NOT i.indisvalid;

-- transhume: verify on target binds run -- the hierarchy, row by row
WITH listed AS (
  SELECT j.action, t.parent, j.raw ->> 'parent_id' AS lost
  FROM transhume.reject AS j
  JOIN (
    SELECT k.legacy_id::text AS key, t.reply_to AS parent FROM app.comments AS t JOIN transhume.map_comments AS k ON k.id = t.id
  ) AS t ON t.key = j.key[1]
  WHERE j.run = $1::uuid AND j.table_id = 'comments' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
)
SELECT rule.rows::text || rule.problem AS problem
FROM (
  SELECT
    count(*) FILTER (WHERE (t.reply_to IS NULL OR p.id IS NOT NULL) IS NOT TRUE) AS rule_1,
    count(*) FILTER (WHERE (t.level = CASE WHEN t.reply_to IS NULL THEN 0 ELSE p.level + 1 END) IS NOT TRUE) AS rule_2,
    count(*) FILTER (WHERE (t.level <= 3) IS NOT TRUE) AS rule_3
  FROM app.comments AS t
  LEFT JOIN app.comments AS p ON p.id = t.reply_to
) AS broken
CROSS JOIN LATERAL (
  VALUES
    (' rows hang from rows that are not there', broken.rule_1),
    (' rows are not one level below the row that they hang from', broken.rule_2),
    (' rows are deeper than 3', broken.rule_3)
) AS rule (problem, rows)
WHERE rule.rows > 0
UNION ALL
SELECT count(*)::text || ' rows are listed as ' || done.action || ', and are not'
FROM listed AS l
CROSS JOIN LATERAL (
  VALUES
    ('rooted', l.parent IS NULL),
    ('broken', l.parent IS NULL)
) AS done (action, holds)
WHERE l.action = done.action AND done.holds IS NOT TRUE
GROUP BY done.action;
