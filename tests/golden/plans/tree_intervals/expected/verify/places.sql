-- verify.places: app.places against its source, but for id (the target gave the number)
-- from   specs/demo/tables/patients.yaml:1
-- after  finish.places
-- locks  ACCESS SHARE on app.places (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.place AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    s.id,
    s.name COLLATE "C"
  ), 0), 0)) AS checksum
FROM public.place AS s
WHERE (s.name <> 'hidden')
  AND (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.old,
    t.name COLLATE "C"
  ), 0), 0)) AS checksum
FROM app.places AS t;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(hashint8extended(s.id, h.seed)) AS old,
  sum(hashtextextended(s.name COLLATE "C", h.seed)) AS name
FROM (
  SELECT
    s.id,
    s.lft,
    s.rght,
    s.tree_id,
    s.name
  FROM public.place AS s
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
  sum(hashint8extended(t.old, h.seed)) AS old,
  sum(hashtextextended(t.name COLLATE "C", h.seed)) AS name
FROM app.places AS t
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.old::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: query of "shape" on source binds rejected rooted -- who hangs from whom, of the rows that arrived
WITH link AS (
  SELECT
    s.id AS key,
    nullif(above.parent, s.id) AS parent,
    row_number() OVER (PARTITION BY nullif(above.parent, s.id), cardinality($2::text[]) > 0 AND s.id::text = ANY ($2::text[]), above.crosses IS TRUE OR ((s.lft::bigint < s.rght::bigint) IS NOT TRUE AND (s.lft::bigint IS NOT NULL OR s.rght::bigint IS NOT NULL)) ORDER BY s.name COLLATE "C", s.id) AS place
  FROM (
  SELECT
    s.id,
    s.lft,
    s.rght,
    s.tree_id,
    s.name
  FROM public.place AS s
  WHERE (s.name <> 'hidden')
  ) AS s
  LEFT JOIN (
  SELECT
    f.key,
    CASE WHEN f.part > 0 AND f.ends > f.rght THEN f.above END AS parent,
    f.level <> 0 AND (f.part > 0 AND f.ends > f.rght) IS NOT TRUE AS crosses
  FROM (
    SELECT
      b.*,
      first_value(b.key) OVER part AS above,
      first_value(b.rght) OVER part AS ends
    FROM (
      SELECT
        o.key, o.tree, o.lft, o.rght, o.level, o.is_above,
        count(*) FILTER (WHERE o.is_above) OVER (PARTITION BY o.tree, o.level ORDER BY o.lft, o.key) AS part
      FROM (
        SELECT e.key, e.tree, e.lft, e.rght, e.depth + other.step AS level, other.step = 1 AS is_above
        FROM (
          SELECT
            p.key, p.tree, p.lft, p.rght, side.step,
            sum(side.step) OVER (PARTITION BY p.tree ORDER BY side.at, side.step DESC, p.key) - 1 AS depth
          FROM (SELECT p.id AS key, p.lft::bigint AS lft, p.rght::bigint AS rght, p.tree_id AS tree FROM public.place AS p) AS p
          CROSS JOIN LATERAL (VALUES (p.lft, 1), (p.rght, -1)) AS side (at, step)
          WHERE p.lft < p.rght
        ) AS e
        CROSS JOIN (VALUES (0), (1)) AS other (step)
        WHERE e.step = 1
      ) AS o
    ) AS b
    WINDOW part AS (PARTITION BY b.tree, b.level, b.part ORDER BY b.lft, b.key)
  ) AS f
  WHERE NOT f.is_above
) AS above ON above.key = s.id
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
  SELECT DISTINCT j.key[1] AS key, (j.raw ->> 'lft, rght')::integer AS parent
  FROM transhume.reject AS j
  WHERE j.run = $1::uuid AND j.table_id = 'places' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
), link AS (
  SELECT
    t.old AS key,
    CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END AS parent,
    rank() OVER (PARTITION BY CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END, t.parent_id IS NULL, m.key IS NOT NULL AND m.parent IS NULL ORDER BY t."position") AS place
  FROM app.places AS t
  LEFT JOIN (
    SELECT p.id AS id, p.old AS key
    FROM app.places AS p
  ) AS p ON p.id = t.parent_id
  LEFT JOIN mended AS m ON m.key = t.old::text
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
WHERE k.conrelid = to_regclass('app.places')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.places')
  AND NOT i.indisvalid;

-- transhume: verify on target binds run -- the hierarchy, row by row
WITH listed AS (
  SELECT j.action, t.parent, j.raw ->> 'lft, rght' AS lost
  FROM transhume.reject AS j
  JOIN (
    SELECT t.old::text AS key, t.parent_id AS parent FROM app.places AS t
  ) AS t ON t.key = j.key[1]
  WHERE j.run = $1::uuid AND j.table_id = 'places' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
)
SELECT rule.rows::text || rule.problem AS problem
FROM (
  SELECT
    count(*) FILTER (WHERE (t.parent_id IS NULL OR p.id IS NOT NULL) IS NOT TRUE) AS rule_1,
    count(*) FILTER (WHERE (t.depth = CASE WHEN t.parent_id IS NULL THEN 0 ELSE p.depth + 1 END) IS NOT TRUE) AS rule_2,
    count(*) FILTER (WHERE (t.depth <= 5) IS NOT TRUE) AS rule_3,
    count(*) FILTER (WHERE (t.root_id = CASE WHEN t.parent_id IS NULL THEN t.id ELSE p.root_id END) IS NOT TRUE) AS rule_4,
    count(*) FILTER (WHERE (ltrim(CASE WHEN t.parent_id IS NULL THEN t.path::text WHEN starts_with(t.path::text, p.path::text || '/') THEN substr(t.path::text, length(p.path::text) + 2) END, '0') = t."position"::text) IS NOT TRUE) AS rule_5
  FROM app.places AS t
  LEFT JOIN app.places AS p ON p.id = t.parent_id
) AS broken
CROSS JOIN LATERAL (
  VALUES
    (' rows hang from rows that are not there', broken.rule_1),
    (' rows are not one level below the row that they hang from', broken.rule_2),
    (' rows are deeper than 5', broken.rule_3),
    (' rows have another root than the row that they hang from', broken.rule_4),
    (' rows have a path that does not go on where that of the row ends that they hang from', broken.rule_5)
) AS rule (problem, rows)
WHERE rule.rows > 0
UNION ALL
SELECT count(*)::text || ' positions are taken twice'
FROM (
  SELECT FROM app.places AS t
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
  SELECT q.old::text AS key, q.parent_id AS parent FROM app.places AS q
) AS q ON q.key = l.lost
CROSS JOIN LATERAL (
  VALUES
    ('rooted', l.parent IS NULL),
    ('broken', l.parent IS NULL),
    ('flattened', q.key IS NULL OR l.parent = q.parent)
) AS done (action, holds)
WHERE l.action = done.action AND done.holds IS NOT TRUE
GROUP BY done.action;
