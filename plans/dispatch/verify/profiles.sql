-- verify.profiles: app.profiles against its source
-- about  Who may log in, and as what; auth_user and dispatch_profile become one table
-- from   specs/dispatch/tables/profiles.yaml:2
-- after  constrain.profiles
-- locks  ACCESS SHARE on app.profiles (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM (
SELECT p.id, p.user_id, p.office_id, p.user_type, p.settings, p.phone, p.legacy_patient_id, p.pager, p.fax_code,
       p.created_at, p.updated_at, u.username, u.password, u.first_name, u.last_name, u.email, u.last_login,
       u.is_active, u.is_staff, u.is_superuser
FROM public.dispatch_profile AS p JOIN public.auth_user AS u ON u.id = p.user_id
) AS s;

-- transhume: checksum on source binds rejected nulled."office_id" -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('profiles:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.id,
    s.user_id,
    CASE WHEN s.id::text = ANY ($2::text[]) THEN NULL ELSE s.office_id END,
    (CASE s.user_type WHEN 1 THEN 'admin' WHEN 2 THEN 'doctor' WHEN 3 THEN 'nurse' WHEN 4 THEN 'dispatcher' WHEN 5 THEN 'patient' END) COLLATE "C",
    (trim(s.first_name || ' ' || s.last_name)::text) COLLATE "C",
    (nullif(lower(trim(s.email)), '')::text) COLLATE "C",
    ((nullif(s.settings, '')::jsonb)::text) COLLATE "C",
    s.username::text COLLATE "C",
    s.phone::text COLLATE "C",
    s.legacy_patient_id,
    s.is_active,
    s.is_staff,
    s.is_superuser,
    s.last_login,
    s.created_at,
    s.updated_at
  ), 0), 0)) AS checksum
FROM (
SELECT p.id, p.user_id, p.office_id, p.user_type, p.settings, p.phone, p.legacy_patient_id, p.pager, p.fax_code,
       p.created_at, p.updated_at, u.username, u.password, u.first_name, u.last_name, u.email, u.last_login,
       u.is_active, u.is_staff, u.is_superuser
FROM public.dispatch_profile AS p JOIN public.auth_user AS u ON u.id = p.user_id
) AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.legacy_id,
    t.legacy_user_id,
    parent_office_id.legacy_id,
    t.role COLLATE "C",
    t.name COLLATE "C",
    t.email COLLATE "C",
    t.settings::text COLLATE "C",
    t.username::text COLLATE "C",
    t.phone::text COLLATE "C",
    t.legacy_patient_id,
    t.is_active,
    t.is_staff,
    t.is_superuser,
    t.last_login,
    t.created_at,
    t.updated_at
  ), 0), 0)) AS checksum
FROM app.profiles AS t
LEFT JOIN app.offices AS parent_office_id ON parent_office_id.id = t.office_id;

-- transhume: columns on source binds rejected nulled."office_id" -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('profiles:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS id,
  sum(hashint8extended(s.id, h.seed)) AS legacy_id,
  sum(hashint8extended(s.user_id, h.seed)) AS legacy_user_id,
  sum(hashint8extended(CASE WHEN h.text = ANY ($2::text[]) THEN NULL ELSE s.office_id END, h.seed)) AS office_id,
  sum(hashtextextended((CASE s.user_type WHEN 1 THEN 'admin' WHEN 2 THEN 'doctor' WHEN 3 THEN 'nurse' WHEN 4 THEN 'dispatcher' WHEN 5 THEN 'patient' END) COLLATE "C", h.seed)) AS role,
  sum(hashtextextended((trim(s.first_name || ' ' || s.last_name)::text) COLLATE "C", h.seed)) AS name,
  sum(hashtextextended((nullif(lower(trim(s.email)), '')::text) COLLATE "C", h.seed)) AS email,
  sum(hashtextextended(((nullif(s.settings, '')::jsonb)::text) COLLATE "C", h.seed)) AS settings,
  sum(hashtextextended(s.username::text COLLATE "C", h.seed)) AS username,
  sum(hashtextextended(s.phone::text COLLATE "C", h.seed)) AS phone,
  sum(hashint8extended(s.legacy_patient_id, h.seed)) AS legacy_patient_id,
  sum(hashint4extended(s.is_active::integer, h.seed)) AS is_active,
  sum(hashint4extended(s.is_staff::integer, h.seed)) AS is_staff,
  sum(hashint4extended(s.is_superuser::integer, h.seed)) AS is_superuser,
  sum(timestamp_hash_extended(s.last_login AT TIME ZONE 'UTC', h.seed)) AS last_login,
  sum(timestamp_hash_extended(s.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at,
  sum(timestamp_hash_extended(s.updated_at AT TIME ZONE 'UTC', h.seed)) AS updated_at
FROM (
  SELECT
    s.id,
    s.user_id,
    s.office_id,
    s.user_type,
    s.settings,
    s.phone,
    s.legacy_patient_id,
    s.created_at,
    s.updated_at,
    s.username,
    s.first_name,
    s.last_name,
    s.email,
    s.last_login,
    s.is_active,
    s.is_staff,
    s.is_superuser
  FROM (
SELECT p.id, p.user_id, p.office_id, p.user_type, p.settings, p.phone, p.legacy_patient_id, p.pager, p.fax_code,
       p.created_at, p.updated_at, u.username, u.password, u.first_name, u.last_name, u.email, u.last_login,
       u.is_active, u.is_staff, u.is_superuser
FROM public.dispatch_profile AS p JOIN public.auth_user AS u ON u.id = p.user_id
) AS s
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
  sum(hashint8extended(t.legacy_user_id, h.seed)) AS legacy_user_id,
  sum(hashint8extended(parent_office_id.legacy_id, h.seed)) AS office_id,
  sum(hashtextextended(t.role COLLATE "C", h.seed)) AS role,
  sum(hashtextextended(t.name COLLATE "C", h.seed)) AS name,
  sum(hashtextextended(t.email COLLATE "C", h.seed)) AS email,
  sum(hashtextextended(t.settings::text COLLATE "C", h.seed)) AS settings,
  sum(hashtextextended(t.username::text COLLATE "C", h.seed)) AS username,
  sum(hashtextextended(t.phone::text COLLATE "C", h.seed)) AS phone,
  sum(hashint8extended(t.legacy_patient_id, h.seed)) AS legacy_patient_id,
  sum(hashint4extended(t.is_active::integer, h.seed)) AS is_active,
  sum(hashint4extended(t.is_staff::integer, h.seed)) AS is_staff,
  sum(hashint4extended(t.is_superuser::integer, h.seed)) AS is_superuser,
  sum(timestamp_hash_extended(t.last_login AT TIME ZONE 'UTC', h.seed)) AS last_login,
  sum(timestamp_hash_extended(t.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at,
  sum(timestamp_hash_extended(t.updated_at AT TIME ZONE 'UTC', h.seed)) AS updated_at
FROM app.profiles AS t
LEFT JOIN app.offices AS parent_office_id ON parent_office_id.id = t.office_id
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app.profiles')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.profiles')
  AND NOT i.indisvalid;
