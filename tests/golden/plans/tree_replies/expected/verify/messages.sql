-- verify.messages: app.messages against its source
-- from   specs/demo/tables/visits.yaml:1
-- after  finish.messages
-- locks  ACCESS SHARE on app.messages (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.message AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('messages:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.id,
    (CASE s.about WHEN 1 THEN 'channel' WHEN 2 THEN 'message' END) COLLATE "C",
    (CASE WHEN s.about = 1 THEN 'channels ' || ((CASE WHEN s.about = 1 AND (CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END) THEN s.about_id::bigint END)::integer::text)::text WHEN s.about = 2 THEN 'forwards ' || s.about_id::bigint::text END) COLLATE "C",
    s.body COLLATE "C"
  ), 0), 0)) AS checksum
FROM public.message AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.legacy_id,
    t.about COLLATE "C",
    (CASE WHEN t.about = 'channel'::text THEN 'channels ' || m_about_id_channels.legacy_id::text::text WHEN t.about = 'message'::text THEN 'forwards ' || t.about_id::text END) COLLATE "C",
    t.body COLLATE "C"
  ), 0), 0)) AS checksum
FROM app.messages AS t
LEFT JOIN transhume.map_channels AS m_about_id_channels ON m_about_id_channels.id = t.about_id;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('messages:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS id,
  sum(hashint8extended(s.id, h.seed)) AS legacy_id,
  sum(hashtextextended((CASE s.about WHEN 1 THEN 'channel' WHEN 2 THEN 'message' END) COLLATE "C", h.seed)) AS about,
  sum(hashtextextended((CASE WHEN s.about = 1 THEN 'channels ' || ((CASE WHEN s.about = 1 AND (CASE WHEN s.about_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.about_id) <= 1000 THEN s.about_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.about_id IS NULL END) THEN s.about_id::bigint END)::integer::text)::text WHEN s.about = 2 THEN 'forwards ' || s.about_id::bigint::text END) COLLATE "C", h.seed)) AS about_id,
  sum(hashtextextended(s.body COLLATE "C", h.seed)) AS body
FROM (
  SELECT
    s.id,
    s.body,
    s.about,
    s.about_id
  FROM public.message AS s
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
  sum(hashtextextended(t.about COLLATE "C", h.seed)) AS about,
  sum(hashtextextended((CASE WHEN t.about = 'channel'::text THEN 'channels ' || m_about_id_channels.legacy_id::text::text WHEN t.about = 'message'::text THEN 'forwards ' || t.about_id::text END) COLLATE "C", h.seed)) AS about_id,
  sum(hashtextextended(t.body COLLATE "C", h.seed)) AS body
FROM app.messages AS t
LEFT JOIN transhume.map_channels AS m_about_id_channels ON m_about_id_channels.id = t.about_id
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: query of "shape" on source binds rejected rooted -- who hangs from whom, of the rows that arrived
WITH link AS (
  SELECT
    s.id AS key,
    nullif(above.parent, s.id) AS parent,
    row_number() OVER (PARTITION BY nullif(above.parent, s.id), cardinality($2::text[]) > 0 AND s.id::text = ANY ($2::text[]) ORDER BY s.id) AS place
  FROM (
  SELECT
    s.id,
    s.body,
    s.about,
    s.about_id
  FROM public.message AS s
  ) AS s
  LEFT JOIN LATERAL (
  SELECT min(r.parent_id) AS parent, count(DISTINCT r.parent_id) AS parents
  FROM public.reply AS r
  WHERE r.message_id = s.id AND r.parent_id <> r.message_id
) AS above ON true
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
  SELECT DISTINCT j.key[1] AS key, (j.raw ->> 'reply.parent_id')::integer AS parent
  FROM transhume.reject AS j
  WHERE j.run = $1::uuid AND j.table_id = 'messages' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
), link AS (
  SELECT
    t.legacy_id AS key,
    CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END AS parent,
    rank() OVER (PARTITION BY CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END, t.parent_id IS NULL ORDER BY t."position") AS place
  FROM app.messages AS t
  LEFT JOIN (
    SELECT p.id AS id, p.legacy_id AS key
    FROM app.messages AS p
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

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app.messages')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.messages')
  AND NOT i.indisvalid;

-- transhume: verify on target binds run -- the hierarchy, row by row
WITH listed AS (
  SELECT j.action, t.parent, j.raw ->> 'reply.parent_id' AS lost
  FROM transhume.reject AS j
  JOIN (
    SELECT t.legacy_id::text AS key, t.parent_id AS parent FROM app.messages AS t
  ) AS t ON t.key = j.key[1]
  WHERE j.run = $1::uuid AND j.table_id = 'messages' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
)
SELECT rule.rows::text || rule.problem AS problem
FROM (
  SELECT
    count(*) FILTER (WHERE (t.parent_id IS NULL OR p.id IS NOT NULL) IS NOT TRUE) AS rule_1,
    count(*) FILTER (WHERE (t.depth = CASE WHEN t.parent_id IS NULL THEN 0 ELSE p.depth + 1 END) IS NOT TRUE) AS rule_2,
    count(*) FILTER (WHERE (t.thread_id = CASE WHEN t.parent_id IS NULL THEN t.id ELSE p.thread_id END) IS NOT TRUE) AS rule_3
  FROM app.messages AS t
  LEFT JOIN app.messages AS p ON p.id = t.parent_id
) AS broken
CROSS JOIN LATERAL (
  VALUES
    (' rows hang from rows that are not there', broken.rule_1),
    (' rows are not one level below the row that they hang from', broken.rule_2),
    (' rows have another root than the row that they hang from', broken.rule_3)
) AS rule (problem, rows)
WHERE rule.rows > 0
UNION ALL
SELECT count(*)::text || ' positions are taken twice'
FROM (
  SELECT FROM app.messages AS t
  WHERE EXISTS (SELECT FROM listed)
    AND (t.parent_id IS NULL OR t.parent_id IN (SELECT l.parent FROM listed AS l WHERE l.parent IS NOT NULL))
  GROUP BY t.parent_id, t."position"
  HAVING count(*) > 1
) AS twice
HAVING count(*) > 0
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
