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
    ROW(s.country::text, s.no::text, s.day::text)::text,
    CASE WHEN s.country IS NOT NULL AND s.no IS NOT NULL THEN set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || jsonb_build_array(s.country, s.no)::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) END,
    s.note COLLATE "C",
    s.day
  ), 0), 0)) AS checksum
FROM public.visit AS s
WHERE (cardinality($1::text[]) = 0 OR (ROW(s.country::text, s.no::text, s.day::text)::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    ROW(k.legacy_country::text, k.legacy_no::text, k.legacy_day::text)::text,
    t.patient_id,
    t.note COLLATE "C",
    t.day
  ), 0), 0)) AS checksum
FROM app.visits AS t
JOIN transhume.map_visits AS k ON k.patient_id = t.patient_id AND k.day = t.day;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(CASE WHEN s.country IS NOT NULL AND s.no IS NOT NULL THEN encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || jsonb_build_array(s.country, s.no)::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid END, h.seed)) AS patient_id,
  sum(hashtextextended(s.note COLLATE "C", h.seed)) AS note,
  sum(hashtextextended(s.day::text COLLATE "C", h.seed)) AS day
FROM (
  SELECT
    s.country,
    s.no,
    s.day,
    s.note
  FROM public.visit AS s
) AS s
CROSS JOIN LATERAL (
  SELECT key.text, hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (ROW(s.country::text, s.no::text, s.day::text)::text)) AS key (text)
  OFFSET 0
) AS h
WHERE (h.text = ANY ($1::text[])) IS NOT TRUE;

-- transhume: columns on target
SELECT
  sum(uuid_hash_extended(t.patient_id, h.seed)) AS patient_id,
  sum(hashtextextended(t.note COLLATE "C", h.seed)) AS note,
  sum(hashtextextended(t.day::text COLLATE "C", h.seed)) AS day
FROM app.visits AS t
JOIN transhume.map_visits AS k ON k.patient_id = t.patient_id AND k.day = t.day
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (ROW(k.legacy_country::text, k.legacy_no::text, k.legacy_day::text)::text)) AS key (text)
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
