-- verify.staff: app.staff against its source, but for id (the target gave the number)
-- from   specs/demo/tables/visits.yaml:1
-- after  finish.staff
-- locks  ACCESS SHARE on app.staff (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.staff AS s;

-- transhume: checksum on source binds rejected nulled."boss_id" -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    s.id::text,
    s.store_id,
    (CASE WHEN s.id::text = ANY ($2::text[]) THEN NULL ELSE s.boss_id::integer::text END) COLLATE "C"
  ), 0), 0)) AS checksum
FROM public.staff AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    k.legacy_id::text,
    parent_store_id.legacy_id,
    m_boss_id.legacy_id::text COLLATE "C"
  ), 0), 0)) AS checksum
FROM app.staff AS t
JOIN transhume.map_staff AS k ON k.id = t.id
LEFT JOIN app.stores AS parent_store_id ON parent_store_id.id = t.store_id
LEFT JOIN transhume.map_staff AS m_boss_id ON m_boss_id.id = t.boss_id;

-- transhume: columns on source binds rejected nulled."boss_id" -- of each column, asked for where the rows' sums differ
SELECT
  sum(hashint8extended(s.store_id, h.seed)) AS store_id,
  sum(hashtextextended((CASE WHEN h.text = ANY ($2::text[]) THEN NULL ELSE s.boss_id::integer::text END) COLLATE "C", h.seed)) AS boss_id
FROM (
  SELECT
    s.id,
    s.store_id,
    s.boss_id
  FROM public.staff AS s
) AS s
CROSS JOIN LATERAL (
  SELECT key.text, hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (s.id::text)) AS key (text)
  OFFSET 0
) AS h
WHERE (h.text = ANY ($1::text[])) IS NOT TRUE;

-- transhume: columns on target
SELECT
  sum(hashint8extended(parent_store_id.legacy_id, h.seed)) AS store_id,
  sum(hashtextextended(m_boss_id.legacy_id::text COLLATE "C", h.seed)) AS boss_id
FROM app.staff AS t
JOIN transhume.map_staff AS k ON k.id = t.id
LEFT JOIN app.stores AS parent_store_id ON parent_store_id.id = t.store_id
LEFT JOIN transhume.map_staff AS m_boss_id ON m_boss_id.id = t.boss_id
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (k.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app.staff')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.staff')
  AND NOT i.indisvalid;
