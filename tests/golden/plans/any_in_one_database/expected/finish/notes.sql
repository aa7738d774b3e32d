-- finish.notes: app.notes: sequence of id
-- from   specs/demo/tables/notes.yaml:1
-- after  reconcile.notes
-- undo   nothing to undo; the sequences stay where they are

-- transhume: apply on target
SELECT setval(
  pg_get_serial_sequence('app.notes', 'id')::regclass,
  greatest(max(id)::bigint, 1),
  coalesce(max(id) >= 1, false)
)
FROM app.notes;

-- transhume: verify on target
SELECT 'the sequence of id is behind its greatest value, ' || t.greatest::text AS problem
FROM (SELECT max(id) AS greatest FROM app.notes) AS t
WHERE t.greatest > coalesce(pg_sequence_last_value(pg_get_serial_sequence('app.notes', 'id')::regclass), 0);
