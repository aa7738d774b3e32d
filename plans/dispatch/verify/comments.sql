-- verify.comments: app.comments against its source
-- about  What was said about patients and orders, as threads
-- from   specs/dispatch/tables/comments.yaml:2
-- after  finish.comments
-- locks  ACCESS SHARE on app.comments (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.dispatch_comment AS s;

-- transhume: checksum on source binds rejected nulled."author_id" -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('comments:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.id,
    (CASE WHEN s.id::text = ANY ($2::text[]) THEN NULL ELSE (CASE WHEN s.is_deleted IS TRUE THEN NULL ELSE s.user_id END)::integer::text END) COLLATE "C",
    s.content_type_id,
    s.object_id,
    (CASE WHEN s.is_deleted IS TRUE THEN '[removed]'::text ELSE s.body END) COLLATE "C",
    s.created_at
  ), 0), 0)) AS checksum
FROM public.dispatch_comment AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.legacy_id,
    m_author_id.legacy_user_id::text COLLATE "C",
    t.legacy_subject_type,
    t.legacy_subject_id,
    t.body COLLATE "C",
    t.created_at
  ), 0), 0)) AS checksum
FROM app.comments AS t
LEFT JOIN transhume.map_profiles AS m_author_id ON m_author_id.id = t.author_id;

-- transhume: columns on source binds rejected nulled."author_id" -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('comments:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS id,
  sum(hashint8extended(s.id, h.seed)) AS legacy_id,
  sum(hashtextextended((CASE WHEN h.text = ANY ($2::text[]) THEN NULL ELSE (CASE WHEN s.is_deleted IS TRUE THEN NULL ELSE s.user_id END)::integer::text END) COLLATE "C", h.seed)) AS author_id,
  sum(hashint8extended(s.content_type_id, h.seed)) AS legacy_subject_type,
  sum(hashint8extended(s.object_id, h.seed)) AS legacy_subject_id,
  sum(hashtextextended((CASE WHEN s.is_deleted IS TRUE THEN '[removed]'::text ELSE s.body END) COLLATE "C", h.seed)) AS body,
  sum(timestamp_hash_extended(s.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at
FROM (
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
) AS s
CROSS JOIN LATERAL (
  SELECT key.text, hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (s.id::text)) AS key (text)
  OFFSET 0
) AS h
WHERE (h.text = ANY ($1::text[])) IS NOT TRUE;

-- transhume: columns on target
SELECT
  sum(uuid_hash_extended(t.id, h.seed)) AS id,
  sum(hashint8extended(t.legacy_id, h.seed)) AS legacy_id,
  sum(hashtextextended(m_author_id.legacy_user_id::text COLLATE "C", h.seed)) AS author_id,
  sum(hashint8extended(t.legacy_subject_type, h.seed)) AS legacy_subject_type,
  sum(hashint8extended(t.legacy_subject_id, h.seed)) AS legacy_subject_id,
  sum(hashtextextended(t.body COLLATE "C", h.seed)) AS body,
  sum(timestamp_hash_extended(t.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at
FROM app.comments AS t
LEFT JOIN transhume.map_profiles AS m_author_id ON m_author_id.id = t.author_id
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: query of "shape" on source binds rejected rooted -- who hangs from whom, of the rows that arrived
WITH link AS (
  SELECT
    s.id AS key,
    nullif(s.parent_id, s.id) AS parent,
    row_number() OVER (PARTITION BY nullif(s.parent_id, s.id), cardinality($2::text[]) > 0 AND s.id::text = ANY ($2::text[]) ORDER BY s.created_at, s.id) AS place
  FROM (
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
  ) AS s
  WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE)
)
SELECT 'the parents of all rows' AS what, coalesce(sum(hashint8extended(l.parent::bigint, hashint8extended(l.key::bigint, 0))), 0)::text AS value
FROM link AS l
UNION ALL
SELECT 'the order of siblings', coalesce(sum(hashint8extended(l.place, hashint8extended(l.key::bigint, 0))), 0)::text
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
    t.legacy_id AS key,
    CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END AS parent,
    rank() OVER (PARTITION BY CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END, t.parent_id IS NULL ORDER BY t."position") AS place
  FROM app.comments AS t
  LEFT JOIN (
    SELECT p.id AS id, p.legacy_id AS key
    FROM app.comments AS p
  ) AS p ON p.id = t.parent_id
  LEFT JOIN mended AS m ON m.key = t.legacy_id::text
)
SELECT 'the parents of all rows' AS what, coalesce(sum(hashint8extended(l.parent::bigint, hashint8extended(l.key::bigint, 0))), 0)::text AS value
FROM link AS l
UNION ALL
SELECT 'the order of siblings', coalesce(sum(hashint8extended(l.place, hashint8extended(l.key::bigint, 0))), 0)::text
FROM link AS l
UNION ALL
(
  SELECT format('rows from which %s hang', c.children), count(*)::text
  FROM (SELECT count(*) AS children FROM link AS l WHERE l.parent IS NOT NULL GROUP BY l.parent) AS c
  GROUP BY c.children
  ORDER BY c.children
);

-- transhume: query of "depths" on source binds rejected rooted left -- walked anew
WITH RECURSIVE node AS (
  SELECT s.id AS key, 0 AS depth
  FROM public.dispatch_comment AS s
  WHERE (nullif(s.parent_id, s.id) IS NULL OR s.id::text = ANY ($2::text[]))
    AND ((s.id::text = ANY ($1::text[])) IS NOT TRUE OR s.id::text = ANY ($3::text[]))
  UNION ALL
  SELECT s.key, n.depth + 1
  FROM node AS n
  CROSS JOIN LATERAL (
    SELECT s.id AS key
    FROM public.dispatch_comment AS s
    WHERE s.parent_id = n.key
      AND nullif(s.parent_id, s.id) IS NOT NULL
      AND (s.id::text = ANY ($2::text[])) IS NOT TRUE
      AND ((s.id::text = ANY ($1::text[])) IS NOT TRUE OR s.id::text = ANY ($3::text[]))
    OFFSET 0
  ) AS s
)
SELECT least(n.depth, 12) AS depth, count(*) AS rows
FROM node AS n
WHERE (n.key::text = ANY ($3::text[])) IS NOT TRUE
GROUP BY 1
ORDER BY 1;

-- transhume: query of "depths" on target -- how many rows are how deep
SELECT t.depth AS depth, count(*) AS rows
FROM app.comments AS t
GROUP BY 1
ORDER BY 1;

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
    SELECT t.legacy_id::text AS key, t.parent_id AS parent FROM app.comments AS t
  ) AS t ON t.key = j.key[1]
  WHERE j.run = $1::uuid AND j.table_id = 'comments' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
)
SELECT rule.rows::text || rule.problem AS problem
FROM (
  SELECT
    count(*) FILTER (WHERE (t.parent_id IS NULL OR p.id IS NOT NULL) IS NOT TRUE) AS rule_1,
    count(*) FILTER (WHERE (t.depth = CASE WHEN t.parent_id IS NULL THEN 0 ELSE p.depth + 1 END) IS NOT TRUE) AS rule_2,
    count(*) FILTER (WHERE (t.depth <= 12) IS NOT TRUE) AS rule_3,
    count(*) FILTER (WHERE (t.thread_id = CASE WHEN t.parent_id IS NULL THEN t.id ELSE p.thread_id END) IS NOT TRUE) AS rule_4,
    count(*) FILTER (WHERE (ltrim(CASE WHEN t.parent_id IS NULL THEN t.path::text WHEN starts_with(t.path::text, p.path::text || '/') THEN substr(t.path::text, length(p.path::text) + 2) END, '0') = t."position"::text) IS NOT TRUE) AS rule_5
  FROM app.comments AS t
  LEFT JOIN app.comments AS p ON p.id = t.parent_id
) AS broken
CROSS JOIN LATERAL (
  VALUES
    (' rows hang from rows that are not there', broken.rule_1),
    (' rows are not one level below the row that they hang from', broken.rule_2),
    (' rows are deeper than 12', broken.rule_3),
    (' rows have another root than the row that they hang from', broken.rule_4),
    (' rows have a path that does not go on where that of the row ends that they hang from', broken.rule_5)
) AS rule (problem, rows)
WHERE rule.rows > 0
UNION ALL
SELECT count(*)::text || ' positions are taken twice'
FROM (
  SELECT FROM app.comments AS t
  WHERE EXISTS (SELECT FROM listed)
    AND (t.parent_id IS NULL OR t.parent_id IN (SELECT l.parent FROM listed AS l WHERE l.parent IS NOT NULL))
  GROUP BY t.parent_id, t."position"
  HAVING count(*) > 1
) AS twice
HAVING count(*) > 0
UNION ALL
SELECT count(*)::text || ' rows are listed as ' || done.action || ', and are not'
FROM listed AS l
LEFT JOIN (
  SELECT q.legacy_id::text AS key, q.parent_id AS parent FROM app.comments AS q
) AS q ON q.key = l.lost
CROSS JOIN LATERAL (
  VALUES
    ('rooted', l.parent IS NULL),
    ('broken', l.parent IS NULL),
    ('flattened', q.key IS NULL OR l.parent = q.parent)
) AS done (action, holds)
WHERE l.action = done.action AND done.holds IS NOT TRUE
GROUP BY done.action;
