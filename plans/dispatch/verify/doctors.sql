-- verify.doctors: app.doctors against its source
-- about  Doctors who sign orders
-- from   specs/dispatch/tables/doctors.yaml:2
-- after  constrain.doctors
-- locks  ACCESS SHARE on app.doctors (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.dispatch_doctor AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('doctors:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.id,
    s.profile_id,
    s.office_id,
    CASE s.is_active WHEN 0 THEN false WHEN 1 THEN true END,
    s.license_no::text COLLATE "C",
    s.specialty::text COLLATE "C",
    s.rating::text COLLATE "C",
    s.created_at
  ), 0), 0)) AS checksum
FROM public.dispatch_doctor AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.legacy_id,
    parent_profile_id.legacy_id,
    parent_office_id.legacy_id,
    t.is_active,
    t.license_no::text COLLATE "C",
    t.specialty::text COLLATE "C",
    t.rating::text COLLATE "C",
    t.created_at
  ), 0), 0)) AS checksum
FROM app.doctors AS t
LEFT JOIN app.profiles AS parent_profile_id ON parent_profile_id.id = t.profile_id
LEFT JOIN app.offices AS parent_office_id ON parent_office_id.id = t.office_id;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('doctors:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS id,
  sum(hashint8extended(s.id, h.seed)) AS legacy_id,
  sum(hashint8extended(s.profile_id, h.seed)) AS profile_id,
  sum(hashint8extended(s.office_id, h.seed)) AS office_id,
  sum(hashint4extended((CASE s.is_active WHEN 0 THEN false WHEN 1 THEN true END)::integer, h.seed)) AS is_active,
  sum(hashtextextended(s.license_no::text COLLATE "C", h.seed)) AS license_no,
  sum(hashtextextended(s.specialty::text COLLATE "C", h.seed)) AS specialty,
  sum(hashtextextended(s.rating::text COLLATE "C", h.seed)) AS rating,
  sum(timestamp_hash_extended(s.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at
FROM (
  SELECT
    s.id,
    s.profile_id,
    s.office_id,
    s.license_no,
    s.specialty,
    s.rating,
    s.is_active,
    s.created_at
  FROM public.dispatch_doctor AS s
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
  sum(hashint8extended(parent_profile_id.legacy_id, h.seed)) AS profile_id,
  sum(hashint8extended(parent_office_id.legacy_id, h.seed)) AS office_id,
  sum(hashint4extended(t.is_active::integer, h.seed)) AS is_active,
  sum(hashtextextended(t.license_no::text COLLATE "C", h.seed)) AS license_no,
  sum(hashtextextended(t.specialty::text COLLATE "C", h.seed)) AS specialty,
  sum(hashtextextended(t.rating::text COLLATE "C", h.seed)) AS rating,
  sum(timestamp_hash_extended(t.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at
FROM app.doctors AS t
LEFT JOIN app.profiles AS parent_profile_id ON parent_profile_id.id = t.profile_id
LEFT JOIN app.offices AS parent_office_id ON parent_office_id.id = t.office_id
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app.doctors')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.doctors')
  AND NOT i.indisvalid;
