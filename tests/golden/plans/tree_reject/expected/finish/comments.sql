-- finish.comments: app.comments: sequence of id, its hierarchy's working tables go
-- from   specs/demo/tables/visits.yaml:1
-- after  constrain.comments
-- undo   nothing to undo; the sequences stay where they are

-- transhume: apply on target
SELECT setval(
  pg_get_serial_sequence('app.comments', 'id')::regclass,
  greatest(max(id)::bigint, 1),
  coalesce(max(id) >= 1, false)
)
FROM app.comments;
DROP TABLE IF EXISTS transhume.tree_comments CASCADE;
DROP TABLE IF EXISTS transhume.rows_comments;
DROP TABLE IF EXISTS transhume.intact_comments;

-- transhume: verify on target
SELECT 'the sequence of id is behind its greatest value, ' || t.greatest::text AS problem
FROM (SELECT max(id) AS greatest FROM app.comments) AS t
WHERE t.greatest > coalesce(pg_sequence_last_value(pg_get_serial_sequence('app.comments', 'id')::regclass), 0);
