-- verify.visits: app.visits against its source
-- from   specs/demo/tables/visits.yaml:1
-- after  constrain.visits
-- locks  ACCESS SHARE on app.visits (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.visit AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('visits:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.id,
    s.patient_id,
    s.status,
    s.fee,
    s.at
  ), 0), 0)) AS checksum
FROM public.visit AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.legacy_id,
    parent_patient_id.legacy_id,
    t.status,
    t.fee,
    t.at
  ), 0), 0)) AS checksum
FROM app.visits AS t
LEFT JOIN app.patients AS parent_patient_id ON parent_patient_id.id = t.patient_id;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('visits:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS id,
  sum(hashint8extended(s.id, h.seed)) AS legacy_id,
  sum(hashint8extended(s.patient_id, h.seed)) AS patient_id,
  sum(hashint8extended(s.status, h.seed)) AS status,
  sum(hashtextextended(s.fee::text COLLATE "C", h.seed)) AS fee,
  sum(timestamp_hash_extended(s.at, h.seed)) AS at
FROM (
  SELECT
    s.id,
    s.patient_id,
    s.status,
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
  sum(uuid_hash_extended(t.id, h.seed)) AS id,
  sum(hashint8extended(t.legacy_id, h.seed)) AS legacy_id,
  sum(hashint8extended(parent_patient_id.legacy_id, h.seed)) AS patient_id,
  sum(hashint8extended(t.status, h.seed)) AS status,
  sum(hashtextextended(t.fee::text COLLATE "C", h.seed)) AS fee,
  sum(timestamp_hash_extended(t.at, h.seed)) AS at
FROM app.visits AS t
LEFT JOIN app.patients AS parent_patient_id ON parent_patient_id.id = t.patient_id
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.legacy_id::text)) AS key (text)
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
