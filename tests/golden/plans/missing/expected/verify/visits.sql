-- verify.visits: app.visits against its source
-- from   specs/demo/tables/visits.yaml:1
-- after  constrain.visits
-- locks  ACCESS SHARE on app.visits (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.visit AS s;

-- transhume: checksum on source binds rejected nulled."b" nulled."e" -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    s.id,
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.a::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    CASE WHEN s.id::text = ANY ($2::text[]) THEN NULL ELSE set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.b::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1) END,
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.c::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.f::text::text COLLATE "C",
    s.d::text::text COLLATE "C",
    (CASE WHEN s.id::text = ANY ($3::text[]) THEN NULL ELSE s.e::text::text END) COLLATE "C"
  ), 0), 0)) AS checksum
FROM public.visit AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.a,
    t.b,
    t.c,
    m_f.legacy_ssn::text COLLATE "C",
    m_d.legacy_ssn::text COLLATE "C",
    m_e.legacy_ssn::text COLLATE "C"
  ), 0), 0)) AS checksum
FROM app.visits AS t
LEFT JOIN transhume.map_patients AS m_f ON m_f.id = t.f
LEFT JOIN transhume.map_patients AS m_d ON m_d.id = t.d
LEFT JOIN transhume.map_patients AS m_e ON m_e.id = t.e;

-- transhume: columns on source binds rejected nulled."b" nulled."e" -- of each column, asked for where the rows' sums differ
SELECT
  sum(hashint8extended(s.id, h.seed)) AS id,
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.a::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS a,
  sum(uuid_hash_extended(CASE WHEN h.text = ANY ($2::text[]) THEN NULL ELSE encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.b::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid END, h.seed)) AS b,
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.c::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS c,
  sum(hashtextextended(s.f::text::text COLLATE "C", h.seed)) AS f,
  sum(hashtextextended(s.d::text::text COLLATE "C", h.seed)) AS d,
  sum(hashtextextended((CASE WHEN h.text = ANY ($3::text[]) THEN NULL ELSE s.e::text::text END) COLLATE "C", h.seed)) AS e
FROM (
  SELECT
    s.id,
    s.a,
    s.b,
    s.c,
    s.d,
    s.e,
    s.f
  FROM public.visit AS s
) AS s
CROSS JOIN LATERAL (
  SELECT key.text, hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (s.id::text)) AS key (text)
  OFFSET 0
) AS h
WHERE (h.text = ANY ($1::text[])) IS NOT TRUE;

-- transhume: columns on target
SELECT
  sum(hashint8extended(t.id, h.seed)) AS id,
  sum(uuid_hash_extended(t.a, h.seed)) AS a,
  sum(uuid_hash_extended(t.b, h.seed)) AS b,
  sum(uuid_hash_extended(t.c, h.seed)) AS c,
  sum(hashtextextended(m_f.legacy_ssn::text COLLATE "C", h.seed)) AS f,
  sum(hashtextextended(m_d.legacy_ssn::text COLLATE "C", h.seed)) AS d,
  sum(hashtextextended(m_e.legacy_ssn::text COLLATE "C", h.seed)) AS e
FROM app.visits AS t
LEFT JOIN transhume.map_patients AS m_f ON m_f.id = t.f
LEFT JOIN transhume.map_patients AS m_d ON m_d.id = t.d
LEFT JOIN transhume.map_patients AS m_e ON m_e.id = t.e
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.id::text)) AS key (text)
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
