-- verify.categories: app.categories against its source
-- from   specs/demo/tables/visits.yaml:1
-- after  finish.categories
-- locks  ACCESS SHARE on app.categories (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.category AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    s.id,
    s.name COLLATE "C"
  ), 0), 0)) AS checksum
FROM public.category AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.name COLLATE "C"
  ), 0), 0)) AS checksum
FROM app.categories AS t;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(s.id, h.seed)) AS id,
  sum(hashtextextended(s.name COLLATE "C", h.seed)) AS name
FROM (
  SELECT
    s.id,
    s.path,
    s.name
  FROM public.category AS s
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
  sum(hashtextextended(t.name COLLATE "C", h.seed)) AS name
FROM app.categories AS t
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: query of "shape" on source binds rejected rooted -- who hangs from whom, of the rows that arrived
WITH link AS (
  SELECT
    s.id AS key,
    nullif(above.key, s.id) AS parent,
    row_number() OVER (PARTITION BY nullif(above.key, s.id), cardinality($2::text[]) > 0 AND s.id::text = ANY ($2::text[]), nullif(left(s.path::text, -4), '') IS NOT NULL AND above.key IS NULL ORDER BY s.path COLLATE "C", s.id) AS place
  FROM (
  SELECT
    s.id,
    s.path,
    s.name
  FROM public.category AS s
  ) AS s
  LEFT JOIN (
  SELECT DISTINCT ON (path) p.path, p.key
  FROM (SELECT p.path::text AS path, p.id AS key FROM public.category AS p) AS p
  ORDER BY p.path, p.key
) AS above ON above.path = nullif(left(s.path::text, -4), '')
  WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE)
)
SELECT 'the parents of all rows' AS what, coalesce(sum(hashtextextended(l.parent::text COLLATE "C", hashtextextended(l.key::text COLLATE "C", 0))), 0)::text AS value
FROM link AS l
UNION ALL
SELECT 'the order of siblings', coalesce(sum(hashint8extended(l.place, hashtextextended(l.key::text COLLATE "C", 0))), 0)::text
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
  SELECT DISTINCT j.key[1] AS key, (j.raw ->> 'path')::uuid AS parent
  FROM transhume.reject AS j
  WHERE j.run = $1::uuid AND j.table_id = 'categories' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
), link AS (
  SELECT
    t.id AS key,
    CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END AS parent,
    rank() OVER (PARTITION BY CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END, t.parent_id IS NULL, m.key IS NOT NULL AND m.parent IS NULL ORDER BY t."position") AS place
  FROM app.categories AS t
  LEFT JOIN (
    SELECT p.id AS id, p.id AS key
    FROM app.categories AS p
  ) AS p ON p.id = t.parent_id
  LEFT JOIN mended AS m ON m.key = t.id::text
)
SELECT 'the parents of all rows' AS what, coalesce(sum(hashtextextended(l.parent::text COLLATE "C", hashtextextended(l.key::text COLLATE "C", 0))), 0)::text AS value
FROM link AS l
UNION ALL
SELECT 'the order of siblings', coalesce(sum(hashint8extended(l.place, hashtextextended(l.key::text COLLATE "C", 0))), 0)::text
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
WHERE k.conrelid = to_regclass('app.categories')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.categories')
  AND NOT i.indisvalid;

-- transhume: verify on target binds run -- the hierarchy, row by row
WITH listed AS (
  SELECT j.action, t.parent, j.raw ->> 'path' AS lost
  FROM transhume.reject AS j
  JOIN (
    SELECT t.id::text AS key, t.parent_id AS parent FROM app.categories AS t
  ) AS t ON t.key = j.key[1]
  WHERE j.run = $1::uuid AND j.table_id = 'categories' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
)
SELECT rule.rows::text || rule.problem AS problem
FROM (
  SELECT
    count(*) FILTER (WHERE (t.parent_id IS NULL OR p.id IS NOT NULL) IS NOT TRUE) AS rule_1,
    count(*) FILTER (WHERE (t.depth = CASE WHEN t.parent_id IS NULL THEN 0 ELSE p.depth + 1 END) IS NOT TRUE) AS rule_2
  FROM app.categories AS t
  LEFT JOIN app.categories AS p ON p.id = t.parent_id
) AS broken
CROSS JOIN LATERAL (
  VALUES
    (' rows hang from rows that are not there', broken.rule_1),
    (' rows are not one level below the row that they hang from', broken.rule_2)
) AS rule (problem, rows)
WHERE rule.rows > 0
UNION ALL
SELECT count(*)::text || ' positions are taken twice'
FROM (
  SELECT FROM app.categories AS t
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
