-- verify.visits: app.visits against its source
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
    s.patient_id,
    s.id,
    s.fee,
    s.at
  ), 0), 0)) AS checksum
FROM public.visit AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.patient_id,
    t.id,
    t.fee,
    t.at
  ), 0), 0)) AS checksum
FROM app.visits AS t;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(hashint8extended(s.patient_id, h.seed)) AS patient_id,
  sum(hashint8extended(s.id, h.seed)) AS id,
  sum(hashtextextended(s.fee::text COLLATE "C", h.seed)) AS fee,
  sum(timestamp_hash_extended(s.at, h.seed)) AS at
FROM (
  SELECT
    s.id,
    s.patient_id,
    s.fee,
    s.at
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
  sum(hashint8extended(t.patient_id, h.seed)) AS patient_id,
  sum(hashint8extended(t.id, h.seed)) AS id,
  sum(hashtextextended(t.fee::text COLLATE "C", h.seed)) AS fee,
  sum(timestamp_hash_extended(t.at, h.seed)) AS at
FROM app.visits AS t
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.id::text)) AS key (text)
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
