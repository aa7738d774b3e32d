-- verify.comments: app.comments against its source, but for id (the target gave the number)
-- from   specs/demo/tables/visits.yaml:1
-- after  finish.comments
-- locks  ACCESS SHARE on app.comments (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.comment AS s;

-- transhume: count on target
SELECT count(*)
FROM app.comments;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
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

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
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
