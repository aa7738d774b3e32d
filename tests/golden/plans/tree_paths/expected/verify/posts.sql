-- verify.posts: app.posts against its source
-- from   specs/demo/tables/patients.yaml:1
-- after  finish.posts
-- locks  ACCESS SHARE on app.posts (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.post AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    s.id,
    s.size::integer,
    s.name COLLATE "C"
  ), 0), 0)) AS checksum
FROM public.post AS s
WHERE (s.name <> 'hidden')
  AND (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.size,
    t.name COLLATE "C"
  ), 0), 0)) AS checksum
FROM app.posts AS t;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(hashint8extended(s.id, h.seed)) AS id,
  sum(hashint8extended(s.size::integer, h.seed)) AS size,
  sum(hashtextextended(s.name COLLATE "C", h.seed)) AS name
FROM (
  SELECT
    s.id,
    s.tree_path,
    s.name,
    s.size
  FROM public.post AS s
  WHERE (s.name <> 'hidden')
) AS s
CROSS JOIN LATERAL (
  SELECT key.text, hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (s.id::text)) AS key (text)
  OFFSET 0
) AS h
WHERE (h.text = ANY ($1::text[])) IS NOT TRUE;

-- transhume: columns on target
SELECT
  sum(hashint8extended(t.id, h.seed)) AS id,
  sum(hashint8extended(t.size, h.seed)) AS size,
  sum(hashtextextended(t.name COLLATE "C", h.seed)) AS name
FROM app.posts AS t
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
    row_number() OVER (PARTITION BY nullif(above.key, s.id), cardinality($2::text[]) > 0 AND s.id::text = ANY ($2::text[]), CASE WHEN strpos(reverse(btrim(s.tree_path, '/')), '/') > 0 THEN left(btrim(s.tree_path, '/'), -strpos(reverse(btrim(s.tree_path, '/')), '/')) END IS NOT NULL AND above.key IS NULL ORDER BY s.name COLLATE "C", s.id) AS place
  FROM (
  SELECT
    s.id,
    s.tree_path,
    s.name,
    s.size
  FROM public.post AS s
  WHERE (s.name <> 'hidden')
  ) AS s
  LEFT JOIN (
  SELECT DISTINCT ON (path) p.path, p.key
  FROM (SELECT btrim(p.tree_path, '/') AS path, p.id AS key FROM public.post AS p) AS p
  ORDER BY p.path, p.key
) AS above ON above.path = CASE WHEN strpos(reverse(btrim(s.tree_path, '/')), '/') > 0 THEN left(btrim(s.tree_path, '/'), -strpos(reverse(btrim(s.tree_path, '/')), '/')) END
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
  SELECT DISTINCT j.key[1] AS key, (j.raw ->> 'tree_path')::integer AS parent
  FROM transhume.reject AS j
  WHERE j.run = $1::uuid AND j.table_id = 'posts' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
), link AS (
  SELECT
    t.id AS key,
    CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END AS parent,
    rank() OVER (PARTITION BY CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END, t.parent_id IS NULL, m.key IS NOT NULL AND m.parent IS NULL ORDER BY t."position") AS place
  FROM app.posts AS t
  LEFT JOIN (
    SELECT p.id AS id, p.id AS key
    FROM app.posts AS p
  ) AS p ON p.id = t.parent_id
  LEFT JOIN mended AS m ON m.key = t.id::text
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
WHERE k.conrelid = to_regclass('app.posts')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.posts')
  AND NOT i.indisvalid;

-- transhume: verify on target binds run -- the hierarchy, row by row
WITH listed AS (
  SELECT j.action, t.parent, j.raw ->> 'tree_path' AS lost
  FROM transhume.reject AS j
  JOIN (
    SELECT t.id::text AS key, t.parent_id AS parent FROM app.posts AS t
  ) AS t ON t.key = j.key[1]
  WHERE j.run = $1::uuid AND j.table_id = 'posts' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
)
SELECT rule.rows::text || rule.problem AS problem
FROM (
  SELECT
    count(*) FILTER (WHERE (t.parent_id IS NULL OR p.id IS NOT NULL) IS NOT TRUE) AS rule_1,
    count(*) FILTER (WHERE (t.depth = CASE WHEN t.parent_id IS NULL THEN 0 ELSE p.depth + 1 END) IS NOT TRUE) AS rule_2,
    count(*) FILTER (WHERE (t.root_id = CASE WHEN t.parent_id IS NULL THEN t.id ELSE p.root_id END) IS NOT TRUE) AS rule_3
  FROM app.posts AS t
  LEFT JOIN app.posts AS p ON p.id = t.parent_id
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
  SELECT FROM app.posts AS t
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
