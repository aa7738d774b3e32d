-- finish.patients: app.patients: sequence of id, trigger touch
-- from   specs/demo/tables/patients.yaml:1
-- after  index.patients
-- locks  SHARE ROW EXCLUSIVE on app.patients (ENABLE TRIGGER)
-- undo   disables the triggers again; the sequences stay where they are

-- transhume: apply on target
SELECT setval(
  'app.patients_id_seq'::regclass,
  greatest(max(id)::bigint, 1),
  coalesce(max(id) >= 1, false)
)
FROM app.patients;
ALTER TABLE app.patients ENABLE TRIGGER touch;

-- transhume: verify on target
SELECT 'the sequence of id is behind its greatest value, ' || t.greatest::text AS problem
FROM (SELECT max(id) AS greatest FROM app.patients) AS t
WHERE t.greatest > coalesce(pg_sequence_last_value('app.patients_id_seq'::regclass), 0)
UNION ALL
SELECT 'trigger ' || expected.name || ' does not fire as it did' AS problem
FROM (
  VALUES
    ('app.patients', 'touch', 'O')
) AS expected (relation, name, state)
WHERE NOT EXISTS (
  SELECT
  FROM pg_trigger AS g
  WHERE g.tgrelid = to_regclass(expected.relation) AND g.tgname = expected.name AND g.tgenabled::text = expected.state
);

-- transhume: revert on target
ALTER TABLE app.patients DISABLE TRIGGER touch;
