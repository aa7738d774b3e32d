-- verify.notes: app.notes against its source, but for id (the target gave the number)
-- from   specs/demo/tables/notes.yaml:1
-- after  finish.notes
-- locks  ACCESS SHARE on app.notes (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.note AS s;

-- transhume: checksum on source binds rejected -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    s.id::text,
    (CASE s."content_type_id.name" WHEN 'clinic.patient' THEN '1' WHEN 'clinic.visit' THEN '2' WHEN 'clinic.note' THEN '3' ELSE s."content_type_id.name" END) COLLATE "C",
    (CASE WHEN s."content_type_id.name" = 'clinic.patient' THEN 'patients ' || (encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.object_id::bigint::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid::text)::text WHEN s."content_type_id.name" = 'clinic.visit' THEN 'visits ' || ((CASE WHEN s."content_type_id.name" = 'clinic.visit' AND (CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END) THEN s.object_id::bigint END)::bigint::text)::text WHEN s."content_type_id.name" = 'clinic.note' THEN 'notes ' || ((CASE WHEN s."content_type_id.name" = 'clinic.note' AND (CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END) THEN s.object_id::bigint END)::integer::text)::text END) COLLATE "C"
  ), 0), 0)) AS checksum
FROM (
  SELECT
    s.id,
    s.content_type_id,
    s.object_id,
    n_content_type_id.app_label || '.' || n_content_type_id.model AS "content_type_id.name"
  FROM public.note AS s
  LEFT JOIN public.django_content_type AS n_content_type_id ON n_content_type_id.id = s.content_type_id
) AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    k.legacy_id::text,
    t.kind COLLATE "C",
    (CASE WHEN t.kind = '1'::text THEN 'patients ' || t.subject::text WHEN t.kind = '2'::text THEN 'visits ' || m_subject_visits.legacy_id::text::text WHEN t.kind = '3'::text THEN 'notes ' || m_subject_notes.legacy_id::text::text END) COLLATE "C"
  ), 0), 0)) AS checksum
FROM app.notes AS t
JOIN transhume.map_notes AS k ON k.id = t.id
LEFT JOIN transhume.map_visits AS m_subject_visits ON m_subject_visits.id::text = t.subject
LEFT JOIN transhume.map_notes AS m_subject_notes ON m_subject_notes.id::text = t.subject;

-- transhume: columns on source binds rejected -- of each column, asked for where the rows' sums differ
SELECT
  sum(hashtextextended((CASE s."content_type_id.name" WHEN 'clinic.patient' THEN '1' WHEN 'clinic.visit' THEN '2' WHEN 'clinic.note' THEN '3' ELSE s."content_type_id.name" END) COLLATE "C", h.seed)) AS kind,
  sum(hashtextextended((CASE WHEN s."content_type_id.name" = 'clinic.patient' THEN 'patients ' || (encode(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(decode(md5('\x1b671a6440d5491e99b0da01ff1f3341'::bytea || convert_to('patients:' || s.object_id::bigint::text, 'UTF8')), 'hex'), 52, 1), 53, 1), 54, 0), 55, 0), 70, 0), 71, 1), 'hex')::uuid::text)::text WHEN s."content_type_id.name" = 'clinic.visit' THEN 'visits ' || ((CASE WHEN s."content_type_id.name" = 'clinic.visit' AND (CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END) THEN s.object_id::bigint END)::bigint::text)::text WHEN s."content_type_id.name" = 'clinic.note' THEN 'notes ' || ((CASE WHEN s."content_type_id.name" = 'clinic.note' AND (CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END) THEN s.object_id::bigint END)::integer::text)::text END) COLLATE "C", h.seed)) AS subject
FROM (
  SELECT
    s.id,
    s.content_type_id,
    s.object_id,
    n_content_type_id.app_label || '.' || n_content_type_id.model AS "content_type_id.name"
  FROM public.note AS s
  LEFT JOIN public.django_content_type AS n_content_type_id ON n_content_type_id.id = s.content_type_id
) AS s
CROSS JOIN LATERAL (
  SELECT key.text, hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (s.id::text)) AS key (text)
  OFFSET 0
) AS h
WHERE (h.text = ANY ($1::text[])) IS NOT TRUE;

-- transhume: columns on target
SELECT
  sum(hashtextextended(t.kind COLLATE "C", h.seed)) AS kind,
  sum(hashtextextended((CASE WHEN t.kind = '1'::text THEN 'patients ' || t.subject::text WHEN t.kind = '2'::text THEN 'visits ' || m_subject_visits.legacy_id::text::text WHEN t.kind = '3'::text THEN 'notes ' || m_subject_notes.legacy_id::text::text END) COLLATE "C", h.seed)) AS subject
FROM app.notes AS t
JOIN transhume.map_notes AS k ON k.id = t.id
LEFT JOIN transhume.map_visits AS m_subject_visits ON m_subject_visits.id::text = t.subject
LEFT JOIN transhume.map_notes AS m_subject_notes ON m_subject_notes.id::text = t.subject
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (k.legacy_id::text)) AS key (text)
  OFFSET 0
) AS h;

-- transhume: verify on target
SELECT 'constraint ' || k.conname || ' is not validated' AS problem
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('app.notes')
  AND NOT k.convalidated
UNION ALL
SELECT 'index ' || c.relname || ' is not valid'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass('app.notes')
  AND NOT i.indisvalid;
