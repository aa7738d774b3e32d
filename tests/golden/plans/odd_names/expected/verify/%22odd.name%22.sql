-- verify."odd.name": app."odd.name" against its source
-- about  {{ 7 * 7 }} and {% raw %} are data, and so is -- this
-- from   specs/demo/tables/patients.yaml:1
-- after  index."odd.name"
-- locks  ACCESS SHARE on app."odd.name" (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public."odd.name" AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('"odd.name":' || s."ID"::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s."ID",
    (coalesce(s."it's", '{{ s.secret }}')::text) COLLATE "C",
    ('{# no comment #} $1 %s ''quoted'''::text) COLLATE "C",
    s."say ""hi""" COLLATE "C",
    s."select" COLLATE "C",
    s."größe in cm" COLLATE "C"
  ), 0), 0)) AS checksum
FROM public."odd.name" AS s
WHERE (cardinality($1::text[]) = 0 OR (s."ID"::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t."ID",
    t."legacy ""id""",
    t."it's" COLLATE "C",
    t."{{ select }}" COLLATE "C",
    t."say ""hi""" COLLATE "C",
    t."select" COLLATE "C",
    t."größe in cm" COLLATE "C"
  ), 0), 0)) AS checksum
FROM app."odd.name" AS t;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('"odd.name":' || s."ID"::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS "ID",
  sum(hashint8extended(s."ID", h.seed)) AS "legacy ""id""",
  sum(hashtextextended((coalesce(s."it's", '{{ s.secret }}')::text) COLLATE "C", h.seed)) AS "it's",
  sum(hashtextextended(('{# no comment #} $1 %s ''quoted'''::text) COLLATE "C", h.seed)) AS "{{ select }}",
  sum(hashtextextended(s."say ""hi""" COLLATE "C", h.seed)) AS "say ""hi""",
  sum(hashtextextended(s."select" COLLATE "C", h.seed)) AS "select",
  sum(hashtextextended(s."größe in cm" COLLATE "C", h.seed)) AS "größe in cm"
FROM (
  SELECT
    s."ID",
    s."say ""hi""",
    s."it's",
    s."select",
    s."größe in cm"
  FROM public."odd.name" AS s
) AS s
CROSS JOIN LATERAL (
  SELECT key.text, hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (s."ID"::text)) AS key (text)
  OFFSET 0
) AS h
WHERE (h.text = ANY ($1::text[])) IS NOT TRUE;

-- transhume: columns on target
SELECT
  sum(uuid_hash_extended(t."ID", h.seed)) AS "ID",
  sum(hashint8extended(t."legacy ""id""", h.seed)) AS "legacy ""id""",
  sum(hashtextextended(t."it's" COLLATE "C", h.seed)) AS "it's",
  sum(hashtextextended(t."{{ select }}" COLLATE "C", h.seed)) AS "{{ select }}",
  sum(hashtextextended(t."say ""hi""" COLLATE "C", h.seed)) AS "say ""hi""",
  sum(hashtextextended(t."select" COLLATE "C", h.seed)) AS "select",
  sum(hashtextextended(t."größe in cm" COLLATE "C", h.seed)) AS "größe in cm"
FROM app."odd.name" AS t
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t."legacy ""id"""::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app."odd.name"')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app."odd.name"')
  AND NOT i.indisvalid;
