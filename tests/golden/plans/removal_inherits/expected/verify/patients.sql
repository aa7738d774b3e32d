-- verify.patients: app.patients against its source
-- from   specs/demo/tables/patients.yaml:1
-- after  index.patients
-- locks  ACCESS SHARE on app.patients (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.patient AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.id,
    s.name COLLATE "C",
    s.born COLLATE "C"
  ), 0), 0)) AS checksum
FROM public.patient AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.legacy_id,
    t.name COLLATE "C",
    t.born COLLATE "C"
  ), 0), 0)) AS checksum
FROM app.patients AS t;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS id,
  sum(hashint8extended(s.id, h.seed)) AS legacy_id,
  sum(hashtextextended(s.name COLLATE "C", h.seed)) AS name,
  sum(hashtextextended(s.born COLLATE "C", h.seed)) AS born
FROM (
  SELECT
    s.id,
    s.name,
    s.born
  FROM public.patient AS s
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
  sum(hashtextextended(t.name COLLATE "C", h.seed)) AS name,
  sum(hashtextextended(t.born COLLATE "C", h.seed)) AS born
FROM app.patients AS t
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app.patients')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.patients')
  AND NOT i.indisvalid;
