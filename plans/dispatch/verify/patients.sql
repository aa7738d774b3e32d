-- verify.patients: app.patients against its source
-- about  Patients, with the office that looks after them
-- from   specs/dispatch/tables/patients.yaml:2
-- after  constrain.patients
-- locks  ACCESS SHARE on app.patients (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.dispatch_patient AS s;

-- transhume: checksum on source binds rejected nulled."doctor_id" -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.id,
    s.office_id,
    CASE WHEN s.id::text = ANY ($2::text[]) THEN NULL ELSE s.doctor_id END,
    to_date(s.dob, 'DD.MM.YYYY'),
    (CASE WHEN s.sex IS NOT NULL THEN CASE s.sex WHEN 'F' THEN 'female' WHEN 'M' THEN 'male' ELSE 'unknown' END END) COLLATE "C",
    (nullif(lower(trim(s.email)), '')::text) COLLATE "C",
    ((jsonb_build_object('street', s.street, 'city', s.city, 'state', s.state, 'zip', s.zip))::text) COLLATE "C",
    s.balance,
    ((string_to_array(nullif(s.tags, ''), ',')::text[])::text) COLLATE "C",
    (s.created AT TIME ZONE 'America/Chicago'),
    s.first_name::text COLLATE "C",
    s.last_name::text COLLATE "C",
    s.phone::text COLLATE "C",
    s.notes COLLATE "C",
    s.updated_at
  ), 0), 0)) AS checksum
FROM public.dispatch_patient AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.legacy_id,
    parent_office_id.legacy_id,
    parent_doctor_id.legacy_id,
    t.born_on,
    t.sex COLLATE "C",
    t.email COLLATE "C",
    t.address::text COLLATE "C",
    t.balance,
    t.tags::text COLLATE "C",
    t.created_at,
    t.first_name::text COLLATE "C",
    t.last_name::text COLLATE "C",
    t.phone::text COLLATE "C",
    t.notes COLLATE "C",
    t.updated_at
  ), 0), 0)) AS checksum
FROM app.patients AS t
LEFT JOIN app.offices AS parent_office_id ON parent_office_id.id = t.office_id
LEFT JOIN app.doctors AS parent_doctor_id ON parent_doctor_id.id = t.doctor_id;

-- transhume: columns on source binds rejected nulled."doctor_id" -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS id,
  sum(hashint8extended(s.id, h.seed)) AS legacy_id,
  sum(hashint8extended(s.office_id, h.seed)) AS office_id,
  sum(hashint8extended(CASE WHEN h.text = ANY ($2::text[]) THEN NULL ELSE s.doctor_id END, h.seed)) AS doctor_id,
  sum(hashtextextended(((to_date(s.dob, 'DD.MM.YYYY'))::text) COLLATE "C", h.seed)) AS born_on,
  sum(hashtextextended((CASE WHEN s.sex IS NOT NULL THEN CASE s.sex WHEN 'F' THEN 'female' WHEN 'M' THEN 'male' ELSE 'unknown' END END) COLLATE "C", h.seed)) AS sex,
  sum(hashtextextended((nullif(lower(trim(s.email)), '')::text) COLLATE "C", h.seed)) AS email,
  sum(hashtextextended(((jsonb_build_object('street', s.street, 'city', s.city, 'state', s.state, 'zip', s.zip))::text) COLLATE "C", h.seed)) AS address,
  sum(hashtextextended(s.balance::text COLLATE "C", h.seed)) AS balance,
  sum(hashtextextended(((string_to_array(nullif(s.tags, ''), ',')::text[])::text) COLLATE "C", h.seed)) AS tags,
  sum(timestamp_hash_extended(((s.created AT TIME ZONE 'America/Chicago')) AT TIME ZONE 'UTC', h.seed)) AS created_at,
  sum(hashtextextended(s.first_name::text COLLATE "C", h.seed)) AS first_name,
  sum(hashtextextended(s.last_name::text COLLATE "C", h.seed)) AS last_name,
  sum(hashtextextended(s.phone::text COLLATE "C", h.seed)) AS phone,
  sum(hashtextextended(s.notes COLLATE "C", h.seed)) AS notes,
  sum(timestamp_hash_extended(s.updated_at AT TIME ZONE 'UTC', h.seed)) AS updated_at
FROM (
  SELECT
    s.id,
    s.office_id,
    s.doctor_id,
    s.first_name,
    s.last_name,
    s.dob,
    s.sex,
    s.email,
    s.phone,
    s.street,
    s.city,
    s.state,
    s.zip,
    s.balance,
    s.tags,
    s.notes,
    s.created,
    s.updated_at
  FROM public.dispatch_patient AS s
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
  sum(hashint8extended(parent_office_id.legacy_id, h.seed)) AS office_id,
  sum(hashint8extended(parent_doctor_id.legacy_id, h.seed)) AS doctor_id,
  sum(hashtextextended(t.born_on::text COLLATE "C", h.seed)) AS born_on,
  sum(hashtextextended(t.sex COLLATE "C", h.seed)) AS sex,
  sum(hashtextextended(t.email COLLATE "C", h.seed)) AS email,
  sum(hashtextextended(t.address::text COLLATE "C", h.seed)) AS address,
  sum(hashtextextended(t.balance::text COLLATE "C", h.seed)) AS balance,
  sum(hashtextextended(t.tags::text COLLATE "C", h.seed)) AS tags,
  sum(timestamp_hash_extended(t.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at,
  sum(hashtextextended(t.first_name::text COLLATE "C", h.seed)) AS first_name,
  sum(hashtextextended(t.last_name::text COLLATE "C", h.seed)) AS last_name,
  sum(hashtextextended(t.phone::text COLLATE "C", h.seed)) AS phone,
  sum(hashtextextended(t.notes COLLATE "C", h.seed)) AS notes,
  sum(timestamp_hash_extended(t.updated_at AT TIME ZONE 'UTC', h.seed)) AS updated_at
FROM app.patients AS t
LEFT JOIN app.offices AS parent_office_id ON parent_office_id.id = t.office_id
LEFT JOIN app.doctors AS parent_doctor_id ON parent_doctor_id.id = t.doctor_id
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
