-- verify.Order Items: app.Order Items against its source
-- from   specs/demo/tables/visits.yaml:1
-- after  constrain.Order Items
-- locks  ACCESS SHARE on app.Order Items (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public."Order Items" AS s;

-- transhume: checksum on source binds rejected nulled."odd.id" -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('Order Items:' || s."Id"::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s."Id",
    CASE WHEN s."Id"::text = ANY ($2::text[]) THEN NULL ELSE s."odd.id" END
  ), 0), 0)) AS checksum
FROM public."Order Items" AS s
WHERE (cardinality($1::text[]) = 0 OR (s."Id"::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t."Id",
    t.legacy_id,
    "parent_odd.id"."legacy ""id"""
  ), 0), 0)) AS checksum
FROM app."Order Items" AS t
LEFT JOIN app."odd.name" AS "parent_odd.id" ON "parent_odd.id"."ID" = t."odd.id";

-- transhume: columns on source binds rejected nulled."odd.id" -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('Order Items:' || s."Id"::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS "Id",
  sum(hashint8extended(s."Id", h.seed)) AS legacy_id,
  sum(hashint8extended(CASE WHEN h.text = ANY ($2::text[]) THEN NULL ELSE s."odd.id" END, h.seed)) AS "odd.id"
FROM (
  SELECT
    s."Id",
    s."odd.id"
  FROM public."Order Items" AS s
) AS s
CROSS JOIN LATERAL (
  SELECT key.text, hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (s."Id"::text)) AS key (text)
  OFFSET 0
) AS h
WHERE (h.text = ANY ($1::text[])) IS NOT TRUE;

-- transhume: columns on target
SELECT
  sum(uuid_hash_extended(t."Id", h.seed)) AS "Id",
  sum(hashint8extended(t.legacy_id, h.seed)) AS legacy_id,
  sum(hashint8extended("parent_odd.id"."legacy ""id""", h.seed)) AS "odd.id"
FROM app."Order Items" AS t
LEFT JOIN app."odd.name" AS "parent_odd.id" ON "parent_odd.id"."ID" = t."odd.id"
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app."Order Items"')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app."Order Items"')
  AND NOT i.indisvalid;
