-- verify.patients: app.patients against its source
-- from   specs/demo/tables/patients.yaml:1
-- after  index.patients
-- locks  ACCESS SHARE on app.patients (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.patient AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1),
    s.id::bigint,
    s.word COLLATE "C",
    ((s.remark::character varying(5))::text) COLLATE "C",
    ((repeat(s.code, 2)::text)::text) COLLATE "C",
    (s.id / 2)::bigint,
    (((100 / (s.id - 17))::double precision)::text) COLLATE "C",
    (((s.note || 'x')::character(8))::text) COLLATE "C",
    ((s.flags::bit varying(4))::text) COLLATE "C",
    (CASE s.id WHEN 1 THEN 'sad' WHEN 2 THEN 'it''s ok' ELSE 'sad' END) COLLATE "C",
    (s.price * 100)::numeric(8,1),
    s.mood COLLATE "C",
    s.temper COLLATE "C",
    s.code::text COLLATE "C",
    s.price,
    s.tags::text COLLATE "C",
    s.span::text COLLATE "C",
    s.ip::text COLLATE "C",
    s.at,
    s.flags::text COLLATE "C",
    s.doc::text COLLATE "C",
    s.note::text COLLATE "C",
    s.much::text COLLATE "C",
    s.raw,
    s.clock::text COLLATE "C",
    s.iv::text COLLATE "C"
  ), 0), 0)) AS checksum
FROM (
  SELECT
    s.id,
    s.mood::text AS mood,
    s.temper::text AS temper,
    s.code::character varying(5) AS code,
    s.price::numeric(6,2) AS price,
    s.tags,
    s.span,
    s.ip,
    s.at,
    s.flags,
    s.doc,
    s.note,
    s.much,
    s.raw,
    s.clock,
    s.iv,
    s.word,
    s.remark
  FROM public.patient AS s
) AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    t.legacy_id,
    t.felt::text COLLATE "C",
    ((t.coded::character varying(5))::text) COLLATE "C",
    t.label::text COLLATE "C",
    t.half,
    t.ratio::text COLLATE "C",
    t.padded::text COLLATE "C",
    t.four::text COLLATE "C",
    t.kind::text COLLATE "C",
    t.cents,
    t.mood::text COLLATE "C",
    t.temper::text COLLATE "C",
    ((t.code::character varying(5))::text) COLLATE "C",
    t.price::numeric(6,2),
    t.tags::text COLLATE "C",
    t.span::text COLLATE "C",
    t.ip::text COLLATE "C",
    t.at,
    t.flags::text COLLATE "C",
    t.doc::text COLLATE "C",
    t.note::text COLLATE "C",
    t.much::text COLLATE "C",
    t.raw,
    t.clock::text COLLATE "C",
    t.iv::text COLLATE "C"
  ), 0), 0)) AS checksum
FROM app.patients AS t;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(uuid_hash_extended(encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.id::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid, h.seed)) AS id,
  sum(hashint8extended(s.id::bigint, h.seed)) AS legacy_id,
  sum(hashtextextended(s.word COLLATE "C", h.seed)) AS felt,
  sum(hashtextextended(((s.remark::character varying(5))::text) COLLATE "C", h.seed)) AS coded,
  sum(hashtextextended(((repeat(s.code, 2)::text)::text) COLLATE "C", h.seed)) AS label,
  sum(hashint8extended((s.id / 2)::bigint, h.seed)) AS half,
  sum(hashtextextended((((100 / (s.id - 17))::double precision)::text) COLLATE "C", h.seed)) AS ratio,
  sum(hashtextextended((((s.note || 'x')::character(8))::text) COLLATE "C", h.seed)) AS padded,
  sum(hashtextextended(((s.flags::bit varying(4))::text) COLLATE "C", h.seed)) AS four,
  sum(hashtextextended((CASE s.id WHEN 1 THEN 'sad' WHEN 2 THEN 'it''s ok' ELSE 'sad' END) COLLATE "C", h.seed)) AS kind,
  sum(hashtextextended((((s.price * 100)::numeric(8,1))::text) COLLATE "C", h.seed)) AS cents,
  sum(hashtextextended(s.mood COLLATE "C", h.seed)) AS mood,
  sum(hashtextextended(s.temper COLLATE "C", h.seed)) AS temper,
  sum(hashtextextended(s.code::text COLLATE "C", h.seed)) AS code,
  sum(hashtextextended(s.price::text COLLATE "C", h.seed)) AS price,
  sum(hashtextextended(s.tags::text COLLATE "C", h.seed)) AS tags,
  sum(hashtextextended(s.span::text COLLATE "C", h.seed)) AS span,
  sum(hashtextextended(s.ip::text COLLATE "C", h.seed)) AS ip,
  sum(timestamp_hash_extended(s.at AT TIME ZONE 'UTC', h.seed)) AS at,
  sum(hashtextextended(s.flags::text COLLATE "C", h.seed)) AS flags,
  sum(hashtextextended(s.doc::text COLLATE "C", h.seed)) AS doc,
  sum(hashtextextended(s.note::text COLLATE "C", h.seed)) AS note,
  sum(hashtextextended(s.much::text COLLATE "C", h.seed)) AS much,
  sum(hashtextextended(md5(s.raw) COLLATE "C", h.seed)) AS raw,
  sum(hashtextextended(s.clock::text COLLATE "C", h.seed)) AS clock,
  sum(hashtextextended(s.iv::text COLLATE "C", h.seed)) AS iv
FROM (
  SELECT
    s.id,
    s.mood::text AS mood,
    s.temper::text AS temper,
    s.code::character varying(5) AS code,
    s.price::numeric(6,2) AS price,
    s.tags,
    s.span,
    s.ip,
    s.at,
    s.flags,
    s.doc,
    s.note,
    s.much,
    s.raw,
    s.clock,
    s.iv,
    s.word,
    s.remark
  FROM public.patient AS s
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
  sum(hashtextextended(t.felt::text COLLATE "C", h.seed)) AS felt,
  sum(hashtextextended(((t.coded::character varying(5))::text) COLLATE "C", h.seed)) AS coded,
  sum(hashtextextended(t.label::text COLLATE "C", h.seed)) AS label,
  sum(hashint8extended(t.half, h.seed)) AS half,
  sum(hashtextextended(t.ratio::text COLLATE "C", h.seed)) AS ratio,
  sum(hashtextextended(t.padded::text COLLATE "C", h.seed)) AS padded,
  sum(hashtextextended(t.four::text COLLATE "C", h.seed)) AS four,
  sum(hashtextextended(t.kind::text COLLATE "C", h.seed)) AS kind,
  sum(hashtextextended(t.cents::text COLLATE "C", h.seed)) AS cents,
  sum(hashtextextended(t.mood::text COLLATE "C", h.seed)) AS mood,
  sum(hashtextextended(t.temper::text COLLATE "C", h.seed)) AS temper,
  sum(hashtextextended(((t.code::character varying(5))::text) COLLATE "C", h.seed)) AS code,
  sum(hashtextextended(((t.price::numeric(6,2))::text) COLLATE "C", h.seed)) AS price,
  sum(hashtextextended(t.tags::text COLLATE "C", h.seed)) AS tags,
  sum(hashtextextended(t.span::text COLLATE "C", h.seed)) AS span,
  sum(hashtextextended(t.ip::text COLLATE "C", h.seed)) AS ip,
  sum(timestamp_hash_extended(t.at AT TIME ZONE 'UTC', h.seed)) AS at,
  sum(hashtextextended(t.flags::text COLLATE "C", h.seed)) AS flags,
  sum(hashtextextended(t.doc::text COLLATE "C", h.seed)) AS doc,
  sum(hashtextextended(t.note::text COLLATE "C", h.seed)) AS note,
  sum(hashtextextended(t.much::text COLLATE "C", h.seed)) AS much,
  sum(hashtextextended(md5(t.raw) COLLATE "C", h.seed)) AS raw,
  sum(hashtextextended(t.clock::text COLLATE "C", h.seed)) AS clock,
  sum(hashtextextended(t.iv::text COLLATE "C", h.seed)) AS iv
FROM app.patients AS t
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.legacy_id::integer::text)) AS key (text)
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
