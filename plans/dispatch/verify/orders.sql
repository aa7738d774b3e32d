-- verify.orders: app.orders against its source
-- about  What was ordered for whom, and what became of it
-- from   specs/dispatch/tables/orders.yaml:2
-- after  constrain.orders
-- locks  ACCESS SHARE on app.orders (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.dispatch_order AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('orders:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.id,
    s."order"::text COLLATE "C",
    s.patient_id,
    s.office_id,
    (CASE s.status WHEN 0 THEN 'draft' WHEN 1 THEN 'submitted' WHEN 2 THEN 'approved' WHEN 3 THEN 'shipped' WHEN 4 THEN 'delivered' WHEN 5 THEN 'cancelled' END) COLLATE "C",
    s.tax_rate::numeric(6,4),
    to_date(s.due, 'DD.MM.YYYY'),
    s.total,
    coalesce(s.placed_at, s.created_at)::timestamp with time zone,
    ('dispatch'::text) COLLATE "C",
    ((jsonb_build_object('memo', s.memo, 'batch', s."group"))::text) COLLATE "C",
    s.items::text COLLATE "C",
    s.created_at,
    s.updated_at
  ), 0), 0)) AS checksum
FROM public.dispatch_order AS s
WHERE (not s.is_void)
  AND (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.legacy_id,
    t.order_no::text COLLATE "C",
    parent_patient_id.legacy_id,
    parent_office_id.legacy_id,
    t.status COLLATE "C",
    t.tax_rate,
    t.due_on,
    t.total,
    t.placed_at,
    t.origin COLLATE "C",
    t.meta::text COLLATE "C",
    t.items::text COLLATE "C",
    t.created_at,
    t.updated_at
  ), 0), 0)) AS checksum
FROM app.orders AS t
LEFT JOIN app.patients AS parent_patient_id ON parent_patient_id.id = t.patient_id
LEFT JOIN app.offices AS parent_office_id ON parent_office_id.id = t.office_id;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('orders:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS id,
  sum(hashint8extended(s.id, h.seed)) AS legacy_id,
  sum(hashtextextended(s."order"::text COLLATE "C", h.seed)) AS order_no,
  sum(hashint8extended(s.patient_id, h.seed)) AS patient_id,
  sum(hashint8extended(s.office_id, h.seed)) AS office_id,
  sum(hashtextextended((CASE s.status WHEN 0 THEN 'draft' WHEN 1 THEN 'submitted' WHEN 2 THEN 'approved' WHEN 3 THEN 'shipped' WHEN 4 THEN 'delivered' WHEN 5 THEN 'cancelled' END) COLLATE "C", h.seed)) AS status,
  sum(hashtextextended(((s.tax_rate::numeric(6,4))::text) COLLATE "C", h.seed)) AS tax_rate,
  sum(hashtextextended(((to_date(s.due, 'DD.MM.YYYY'))::text) COLLATE "C", h.seed)) AS due_on,
  sum(hashtextextended(s.total::text COLLATE "C", h.seed)) AS total,
  sum(timestamp_hash_extended((coalesce(s.placed_at, s.created_at)::timestamp with time zone) AT TIME ZONE 'UTC', h.seed)) AS placed_at,
  sum(hashtextextended(('dispatch'::text) COLLATE "C", h.seed)) AS origin,
  sum(hashtextextended(((jsonb_build_object('memo', s.memo, 'batch', s."group"))::text) COLLATE "C", h.seed)) AS meta,
  sum(hashtextextended(s.items::text COLLATE "C", h.seed)) AS items,
  sum(timestamp_hash_extended(s.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at,
  sum(timestamp_hash_extended(s.updated_at AT TIME ZONE 'UTC', h.seed)) AS updated_at
FROM (
  SELECT
    s.id,
    s."order",
    s."group",
    s.patient_id,
    s.office_id,
    s.status,
    s.tax_rate,
    s.due,
    s.items,
    s.total,
    s.memo,
    s.placed_at,
    s.created_at,
    s.updated_at
  FROM public.dispatch_order AS s
  WHERE (not s.is_void)
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
  sum(hashtextextended(t.order_no::text COLLATE "C", h.seed)) AS order_no,
  sum(hashint8extended(parent_patient_id.legacy_id, h.seed)) AS patient_id,
  sum(hashint8extended(parent_office_id.legacy_id, h.seed)) AS office_id,
  sum(hashtextextended(t.status COLLATE "C", h.seed)) AS status,
  sum(hashtextextended(t.tax_rate::text COLLATE "C", h.seed)) AS tax_rate,
  sum(hashtextextended(t.due_on::text COLLATE "C", h.seed)) AS due_on,
  sum(hashtextextended(t.total::text COLLATE "C", h.seed)) AS total,
  sum(timestamp_hash_extended(t.placed_at AT TIME ZONE 'UTC', h.seed)) AS placed_at,
  sum(hashtextextended(t.origin COLLATE "C", h.seed)) AS origin,
  sum(hashtextextended(t.meta::text COLLATE "C", h.seed)) AS meta,
  sum(hashtextextended(t.items::text COLLATE "C", h.seed)) AS items,
  sum(timestamp_hash_extended(t.created_at AT TIME ZONE 'UTC', h.seed)) AS created_at,
  sum(timestamp_hash_extended(t.updated_at AT TIME ZONE 'UTC', h.seed)) AS updated_at
FROM app.orders AS t
LEFT JOIN app.patients AS parent_patient_id ON parent_patient_id.id = t.patient_id
LEFT JOIN app.offices AS parent_office_id ON parent_office_id.id = t.office_id
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: query of "years with orders" on source
select distinct extract(year from coalesce(placed_at, created_at))::int from public.dispatch_order where not is_void order by 1
;

-- transhume: query of "years with orders" on target
select distinct extract(year from placed_at)::int from app.orders order by 1
;

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app.orders')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.orders')
  AND NOT i.indisvalid;
