-- verify.notes: app.notes against its source
-- from   specs/demo/tables/notes.yaml:1
-- after  reconcile.notes
-- locks  ACCESS SHARE on app.notes (SELECT)
-- undo   nothing to undo

-- transhume: count on source -- before the filter
SELECT count(*)
FROM public.note AS s;

-- transhume: checksum on source binds rejected nulled."subject_id" -- of the rows that arrived, as they were to arrive
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    s.id,
    (CASE WHEN s.id::text = ANY ($2::text[]) THEN NULL ELSE CASE WHEN s."content_type_id.name" = 'clinic.patient' THEN 'patients ' || s.object_id::bigint::text WHEN s."content_type_id.name" = 'clinic.visit' THEN 'visits ' || ((CASE WHEN s."content_type_id.name" = 'clinic.visit' AND (CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END) THEN s.object_id::bigint END)::bigint::text)::text END END) COLLATE "C",
    (CASE s."content_type_id.name" WHEN 'clinic.patient' THEN 'patient' WHEN 'clinic.visit' THEN 'visit' END) COLLATE "C",
    (CASE WHEN s."author_type.name" = 'clinic.patient' THEN 'patients ' || s.author_id::bigint::text WHEN s."author_type.name" = 'clinic.visit' THEN 'visits ' || ((CASE WHEN s."author_type.name" = 'clinic.visit' THEN s.author_id END)::bigint::text)::text END) COLLATE "C",
    (CASE s."author_type.name" WHEN 'clinic.patient' THEN 'patient' WHEN 'clinic.visit' THEN 'visit' END) COLLATE "C"
  ), 0), 0)) AS checksum
FROM (
  SELECT
    s.id,
    s.content_type_id,
    s.object_id,
    s.author_type,
    s.author_id,
    n_content_type_id.app_label || '.' || n_content_type_id.model AS "content_type_id.name",
    n_author_type.app_label || '.' || n_author_type.model AS "author_type.name"
  FROM public.note AS s
  LEFT JOIN public.django_content_type AS n_content_type_id ON n_content_type_id.id = s.content_type_id
  LEFT JOIN public.django_content_type AS n_author_type ON n_author_type.id = s.author_type
) AS s
WHERE (cardinality($1::text[]) = 0 OR (s.id::text = ANY ($1::text[])) IS NOT TRUE);

-- transhume: checksum on target -- as they arrived
SELECT
  count(*) AS rows,
  sum(hashint8extended(hash_record_extended(ROW(
    t.id,
    (CASE WHEN t.subject_type = 'patient'::text THEN 'patients ' || t.subject_id::text WHEN t.subject_type = 'visit'::text THEN 'visits ' || m_subject_id_visits.legacy_id::text::text END) COLLATE "C",
    t.subject_type COLLATE "C",
    (CASE WHEN t.author_type = 'patient'::text THEN 'patients ' || t.author_id::text WHEN t.author_type = 'visit'::text THEN 'visits ' || m_author_id_visits.legacy_id::text::text END) COLLATE "C",
    t.author_type COLLATE "C"
  ), 0), 0)) AS checksum
FROM app.notes AS t
LEFT JOIN transhume.map_visits AS m_subject_id_visits ON m_subject_id_visits.id = t.subject_id
LEFT JOIN transhume.map_visits AS m_author_id_visits ON m_author_id_visits.id = t.author_id;

-- transhume: columns on source binds rejected nulled."subject_id" -- of each column, asked for where the rows' sums differ
SELECT
  sum(hashint8extended(s.id, h.seed)) AS id,
  sum(hashtextextended((CASE WHEN h.text = ANY ($2::text[]) THEN NULL ELSE CASE WHEN s."content_type_id.name" = 'clinic.patient' THEN 'patients ' || s.object_id::bigint::text WHEN s."content_type_id.name" = 'clinic.visit' THEN 'visits ' || ((CASE WHEN s."content_type_id.name" = 'clinic.visit' AND (CASE WHEN s.object_id COLLATE "C" ~ '^\s*[+-]?\d+\s*$' AND octet_length(s.object_id) <= 1000 THEN s.object_id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE s.object_id IS NULL END) THEN s.object_id::bigint END)::bigint::text)::text END END) COLLATE "C", h.seed)) AS subject_id,
  sum(hashtextextended((CASE s."content_type_id.name" WHEN 'clinic.patient' THEN 'patient' WHEN 'clinic.visit' THEN 'visit' END) COLLATE "C", h.seed)) AS subject_type,
  sum(hashtextextended((CASE WHEN s."author_type.name" = 'clinic.patient' THEN 'patients ' || s.author_id::bigint::text WHEN s."author_type.name" = 'clinic.visit' THEN 'visits ' || ((CASE WHEN s."author_type.name" = 'clinic.visit' THEN s.author_id END)::bigint::text)::text END) COLLATE "C", h.seed)) AS author_id,
  sum(hashtextextended((CASE s."author_type.name" WHEN 'clinic.patient' THEN 'patient' WHEN 'clinic.visit' THEN 'visit' END) COLLATE "C", h.seed)) AS author_type
FROM (
  SELECT
    s.id,
    s.content_type_id,
    s.object_id,
    s.author_type,
    s.author_id,
    n_content_type_id.app_label || '.' || n_content_type_id.model AS "content_type_id.name",
    n_author_type.app_label || '.' || n_author_type.model AS "author_type.name"
  FROM public.note AS s
  LEFT JOIN public.django_content_type AS n_content_type_id ON n_content_type_id.id = s.content_type_id
  LEFT JOIN public.django_content_type AS n_author_type ON n_author_type.id = s.author_type
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
  sum(hashtextextended((CASE WHEN t.subject_type = 'patient'::text THEN 'patients ' || t.subject_id::text WHEN t.subject_type = 'visit'::text THEN 'visits ' || m_subject_id_visits.legacy_id::text::text END) COLLATE "C", h.seed)) AS subject_id,
  sum(hashtextextended(t.subject_type COLLATE "C", h.seed)) AS subject_type,
  sum(hashtextextended((CASE WHEN t.author_type = 'patient'::text THEN 'patients ' || t.author_id::text WHEN t.author_type = 'visit'::text THEN 'visits ' || m_author_id_visits.legacy_id::text::text END) COLLATE "C", h.seed)) AS author_id,
  sum(hashtextextended(t.author_type COLLATE "C", h.seed)) AS author_type
FROM app.notes AS t
LEFT JOIN transhume.map_visits AS m_subject_id_visits ON m_subject_id_visits.id = t.subject_id
LEFT JOIN transhume.map_visits AS m_author_id_visits ON m_author_id_visits.id = t.author_id
CROSS JOIN LATERAL (
  SELECT hashtextextended(key.text COLLATE "C", 0) AS seed
  FROM (VALUES (t.id::text)) AS key (text)
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
