-- verify.forwards: app.forwards against its source
-- from   specs/demo/tables/forwards.yaml:1
-- after  finish.forwards
-- locks  ACCESS SHARE on app.forwards (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.message AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    s.id
  ), 0), 0)) AS checksum
FROM public.message AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id
  ), 0), 0)) AS checksum
FROM app.forwards AS t;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(hashint8extended(s.id, h.seed)) AS id
FROM (
  SELECT
    s.id
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
  sum(hashint8extended(t.id, h.seed)) AS id
FROM app.forwards AS t
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: query of "shape" on source binds rejected -- who hangs from whom, of the rows that arrived
WITH link AS (
  SELECT
    s.id::bigint AS key,
    nullif(above.parent, s.id::bigint) AS parent
  FROM (
  SELECT
    s.id
  FROM public.message AS s
  ) AS s
  LEFT JOIN (
  SELECT r.of_id AS child, min(r.to_id) AS parent, count(DISTINCT r.to_id) AS parents
  FROM public.forward AS r
  WHERE r.to_id <> r.of_id
  GROUP BY r.of_id
) AS above ON above.child = s.id
  WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE)
)
SELECT 'the parents of all rows' AS what, coalesce(sum(hashint8extended(l.parent, hashint8extended(l.key, 0))), 0)::text AS value
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
  SELECT DISTINCT j.key[1] AS key, (j.raw ->> 'forward.to_id')::bigint AS parent
  FROM transhume.reject AS j
  WHERE j.run = $1::uuid AND j.table_id = 'forwards' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
), link AS (
  SELECT
    t.id::bigint AS key,
    CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END AS parent
  FROM app.forwards AS t
  LEFT JOIN (
    SELECT p.id AS id, p.id::bigint AS key
    FROM app.forwards AS p
  ) AS p ON p.id = t.parent_id
  LEFT JOIN mended AS m ON m.key = t.id::bigint::text
)
SELECT 'the parents of all rows' AS what, coalesce(sum(hashint8extended(l.parent, hashint8extended(l.key, 0))), 0)::text AS value
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
WHERE k.conrelid = to_regclass('app.forwards')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.forwards')
  AND NOT i.indisvalid;

-- transhume: verify on target binds run -- the hierarchy, row by row
WITH listed AS (
  SELECT j.action, t.parent, j.raw ->> 'forward.to_id' AS lost
  FROM transhume.reject AS j
  JOIN (
    SELECT t.id::bigint::text AS key, t.parent_id AS parent FROM app.forwards AS t
  ) AS t ON t.key = j.key[1]
  WHERE j.run = $1::uuid AND j.table_id = 'forwards' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
)
SELECT rule.rows::text || rule.problem AS problem
FROM (
  SELECT
    count(*) FILTER (WHERE (t.parent_id IS NULL OR p.id IS NOT NULL) IS NOT TRUE) AS rule_1,
    count(*) FILTER (WHERE ((CASE WHEN t.parent_id IS NULL THEN t.path::text WHEN starts_with(t.path::text, p.path::text || '/') THEN substr(t.path::text, length(p.path::text) + 2) END) ~ '^[0-9]{6,}$') IS NOT TRUE) AS rule_2
  FROM app.forwards AS t
  LEFT JOIN app.forwards AS p ON p.id = t.parent_id
) AS broken
CROSS JOIN LATERAL (
  VALUES
    (' rows hang from rows that are not there', broken.rule_1),
    (' rows have a path that does not go on where that of the row ends that they hang from', broken.rule_2)
) AS rule (problem, rows)
WHERE rule.rows > 0
UNION ALL
SELECT w.lost::text || ' rows are reached from no root'
FROM (
  WITH RECURSIVE node AS (
    SELECT t.id AS key FROM app.forwards AS t WHERE t.parent_id IS NULL
    UNION ALL
    SELECT t.id FROM node AS n JOIN app.forwards AS t ON t.parent_id = n.key
  )
  SELECT (SELECT count(*) FROM app.forwards) - (SELECT count(*) FROM node) AS lost
) AS w
WHERE w.lost <> 0
UNION ALL
SELECT count(*)::text || ' rows are listed as ' || done.action || ', and are not'
FROM listed AS l
LEFT JOIN (
  SELECT q.id::bigint::text AS key, q.parent_id AS parent FROM app.forwards AS q
) AS q ON q.key = l.lost
CROSS JOIN LATERAL (
  VALUES
    ('rooted', l.parent IS NULL),
    ('broken', l.parent IS NULL),
    ('flattened', q.key IS NULL OR l.parent = q.parent)
) AS done (action, holds)
WHERE l.action = done.action AND done.holds IS NOT TRUE
GROUP BY done.action;
