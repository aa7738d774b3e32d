-- verify.offices: app.offices against its source
-- about  The offices that send orders in
-- from   specs/dispatch/tables/offices.yaml:2
-- after  index.offices
-- locks  ACCESS SHARE on app.offices (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.dispatch_office AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('offices:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.id,
    ((jsonb_build_object('street', s.street, 'city', s.city, 'state', s.state, 'zip', s.zip))::text) COLLATE "C",
    (s.created AT TIME ZONE 'America/Chicago'),
    s.name::text COLLATE "C",
    s.code::text COLLATE "C",
    s.phone::text COLLATE "C",
    s.fax::text COLLATE "C",
    s.is_active,
    s.updated_at
  ), 0), 0)) AS checksum
FROM public.dispatch_office AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.legacy_id,
    t.address::text COLLATE "C",
    t.created_at,
    t.name::text COLLATE "C",
    t.code::text COLLATE "C",
    t.phone::text COLLATE "C",
    t.fax::text COLLATE "C",
    t.is_active,
    t.updated_at
  ), 0), 0)) AS checksum
FROM app.offices AS t;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('offices:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS id,
  sum(hashint8extended(s.id, h.seed)) AS legacy_id,
  sum(hashtextextended(((jsonb_build_object('street', s.street, 'city', s.city, 'state', s.state, 'zip', s.zip))::text) COLLATE "C", h.seed)) AS address,
  sum(timestamp_hash_extended(((s.created AT TIME ZONE 'America/Chicago')) AT TIME ZONE 'UTC', h.seed)) AS created_at,
  sum(hashtextextended(s.name::text COLLATE "C", h.seed)) AS name,
  sum(hashtextextended(s.code::text COLLATE "C", h.seed)) AS code,
  sum(hashtextextended(s.phone::text COLLATE "C", h.seed)) AS phone,
  sum(hashtextextended(s.fax::text COLLATE "C", h.seed)) AS fax,
  sum(hashint4extended(s.is_active::integer, h.seed)) AS is_active,
  sum(timestamp_hash_extended(s.updated_at AT TIME ZONE 'UTC', h.seed)) AS updated_at
FROM (
  SELECT
    s.id,
    s.name,
    s.code,
    s.street,
    s.city,
    s.state,
    s.zip,
    s.phone,
    s.fax,
    s.is_active,
    s.created,
    s.updated_at
  FROM public.dispatch_office AS s
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
  sum(hashtextextended(t.address::text COLLATE "C", h.seed)) AS address,
  sum(timestamp_hash_extended(t.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at,
  sum(hashtextextended(t.name::text COLLATE "C", h.seed)) AS name,
  sum(hashtextextended(t.code::text COLLATE "C", h.seed)) AS code,
  sum(hashtextextended(t.phone::text COLLATE "C", h.seed)) AS phone,
  sum(hashtextextended(t.fax::text COLLATE "C", h.seed)) AS fax,
  sum(hashint4extended(t.is_active::integer, h.seed)) AS is_active,
  sum(timestamp_hash_extended(t.updated_at AT TIME ZONE 'UTC', h.seed)) AS updated_at
FROM app.offices AS t
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: query of "offices by state" on source
select state::text, count(*) from public.dispatch_office group by 1 order by 1
;

-- transhume: query of "offices by state" on target
select address ->> 'state', count(*) from app.offices group by 1 order by 1
;

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app.offices')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.offices')
  AND NOT i.indisvalid;
