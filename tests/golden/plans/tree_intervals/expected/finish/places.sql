-- finish.places: app.places: sequence of id, its hierarchy's working tables go
-- from   specs/demo/tables/patients.yaml:1
-- after  constrain.places
-- undo   nothing to undo; the sequences stay where they are

-- transhume: apply on target
SELECT setval(
  pg_get_serial_sequence('app.places', 'id')::regclass,
  greatest(max(id)::bigint, 1),
  coalesce(max(id) >= 1, false)
)
FROM app.places;
DROP TABLE IF EXISTS transhume.tree_places CASCADE;
DROP TABLE IF EXISTS transhume.rows_places;
DROP TABLE IF EXISTS transhume.intact_places;

-- transhume: verify on target
SELECT 'the sequence of id is behind its greatest value, ' || t.greatest::text AS problem
FROM (SELECT max(id) AS greatest FROM app.places) AS t
WHERE t.greatest > coalesce(pg_sequence_last_value(pg_get_serial_sequence('app.places', 'id')::regclass), 0);
