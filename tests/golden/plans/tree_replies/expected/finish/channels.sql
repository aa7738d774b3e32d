-- finish.channels: app.channels: sequence of id
-- from   specs/demo/tables/patients.yaml:1
-- after  reconcile.channels
-- undo   nothing to undo; the sequences stay where they are

-- transhume: apply on target
SELECT setval(
  pg_get_serial_sequence('app.channels', 'id')::regclass,
  greatest(max(id)::bigint, 1),
  coalesce(max(id) >= 1, false)
)
FROM app.channels;

-- transhume: verify on target
SELECT 'the sequence of id is behind its greatest value, ' || t.greatest::text AS problem
FROM (SELECT max(id) AS greatest FROM app.channels) AS t
WHERE t.greatest > coalesce(pg_sequence_last_value(pg_get_serial_sequence('app.channels', 'id')::regclass), 0);
