-- verify.visits: app.visits against its source
-- from   specs/demo/tables/visits.yaml:1
-- after  finish.visits
-- locks  ACCESS SHARE on app.visits (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.visit AS s;

-- transhume: count on target
SELECT count(*)
FROM app.visits;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  CASE WHEN cardinality($1::text[]) = 0 THEN count(*) END AS rows,
  CASE WHEN cardinality($1::text[]) = 0 THEN sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.patient_id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, 0)) END AS patient_id,
  CASE WHEN cardinality($1::text[]) = 0 THEN sum(hashtextextended(s.note COLLATE "C", 0)) END AS note,
  CASE WHEN cardinality($1::text[]) = 0 THEN sum(hashint8extended((100 / (s.patient_id - 5))::integer, 0)) END AS share
FROM (
  SELECT
    s.patient_id,
    s.note
  FROM public.visit AS s
) AS s;

-- transhume: checksum on target binds rejected -- as they arrived
SELECT
  CASE WHEN cardinality($1::text[]) = 0 THEN count(*) END AS rows,
  CASE WHEN cardinality($1::text[]) = 0 THEN sum(uuid_hash_extended(t.patient_id, 0)) END AS patient_id,
  CASE WHEN cardinality($1::text[]) = 0 THEN sum(hashtextextended(t.note COLLATE "C", 0)) END AS note,
  CASE WHEN cardinality($1::text[]) = 0 THEN sum(hashint8extended(t.share, 0)) END AS share
FROM app.visits AS t;

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
