-- verify.visits: app.visits against its source, but for id (the target gave the number)
-- from   specs/demo/tables/visits.yaml:1
-- after  finish.visits
-- locks  ACCESS SHARE on app.visits (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.visit AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    s.id::text,
    s.code COLLATE "C"
  ), 0), 0)) AS checksum
FROM public.visit AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    k.legacy_id::text,
    t.code COLLATE "C"
  ), 0), 0)) AS checksum
FROM app.visits AS t
JOIN transhume.map_visits AS k ON k.id = t.id;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(hashtextextended(s.code COLLATE "C", h.seed)) AS code
FROM (
  SELECT
    s.id,
    s.code
  FROM public.visit AS s
) AS s
CROSS JOIN LATERAL (
  SELECT key.text, hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (s.id::text)) AS key (text)
  OFFSET 0
) AS h
WHERE (h.text = ANY ($1::text[])) IS NOT TRUE;

-- transhume: columns on target
SELECT
  sum(hashtextextended(t.code COLLATE "C", h.seed)) AS code
FROM app.visits AS t
JOIN transhume.map_visits AS k ON k.id = t.id
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (k.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app.visits')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.visits')
  AND NOT i.indisvalid;
