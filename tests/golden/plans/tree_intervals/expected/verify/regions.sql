-- verify.regions: app.regions against its source
-- from   specs/demo/tables/visits.yaml:1
-- after  finish.regions
-- locks  ACCESS SHARE on app.regions (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.region AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('regions:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.id
  ), 0), 0)) AS checksum
FROM public.region AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.legacy_id
  ), 0), 0)) AS checksum
FROM app.regions AS t;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('regions:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS id,
  sum(hashint8extended(s.id, h.seed)) AS legacy_id
FROM (
  SELECT
    s.id,
    s.lo,
    s.hi
  FROM public.region AS s
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
  sum(hashint8extended(t.legacy_id, h.seed)) AS legacy_id
FROM app.regions AS t
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: query of "shape" on source binds rejected -- who hangs from whom, of the rows that arrived
WITH link AS (
  SELECT
    s.id AS key,
    nullif(above.parent, s.id) AS parent
  FROM (
  SELECT
    s.id,
    s.lo,
    s.hi
  FROM public.region AS s
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
          FROM (SELECT p.id AS key, p.lo AS lft, p.hi AS rght, 0 AS tree FROM public.region AS p) AS p
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
  SELECT DISTINCT j.key[1] AS key, (j.raw ->> 'lo, hi')::bigint AS parent
  FROM transhume.reject AS j
  WHERE j.run = $1::uuid AND j.table_id = 'regions' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
), link AS (
  SELECT
    t.legacy_id AS key,
    CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END AS parent
  FROM app.regions AS t
  LEFT JOIN (
    SELECT p.id AS id, p.legacy_id AS key
    FROM app.regions AS p
  ) AS p ON p.id = t.parent_id
  LEFT JOIN mended AS m ON m.key = t.legacy_id::text
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
WHERE k.conrelid = to_regclass('app.regions')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.regions')
  AND NOT i.indisvalid;

-- transhume: verify on target binds run -- the hierarchy, row by row
WITH listed AS (
  SELECT j.action, t.parent, j.raw ->> 'lo, hi' AS lost
  FROM transhume.reject AS j
  JOIN (
    SELECT t.legacy_id::text AS key, t.parent_id AS parent FROM app.regions AS t
  ) AS t ON t.key = j.key[1]
  WHERE j.run = $1::uuid AND j.table_id = 'regions' AND j.action IN ('rooted', 'adopted', 'broken', 'flattened')
)
SELECT rule.rows::text || rule.problem AS problem
FROM (
  SELECT
    count(*) FILTER (WHERE (t.parent_id IS NULL OR p.id IS NOT NULL) IS NOT TRUE) AS rule_1,
    count(*) FILTER (WHERE (t.depth = CASE WHEN t.parent_id IS NULL THEN 0 ELSE p.depth + 1 END) IS NOT TRUE) AS rule_2
  FROM app.regions AS t
  LEFT JOIN app.regions AS p ON p.id = t.parent_id
) AS broken
CROSS JOIN LATERAL (
  VALUES
    (' rows hang from rows that are not there', broken.rule_1),
    (' rows are not one level below the row that they hang from', broken.rule_2)
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
