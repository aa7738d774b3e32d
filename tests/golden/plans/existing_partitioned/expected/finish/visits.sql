-- finish.visits: app.visits: trigger touch, trigger own, statistics
-- from   specs/demo/tables/visits.yaml:1
-- after  constrain.visits
-- locks  SHARE ROW EXCLUSIVE on app.visits, app.visits_new (ENABLE TRIGGER)
-- locks  SHARE UPDATE EXCLUSIVE on app.visits (ANALYZE)
-- undo   disables the triggers again

-- transhume: apply on target
ALTER TABLE app.visits ENABLE TRIGGER touch;
ALTER TABLE app.visits_new ENABLE ALWAYS TRIGGER own;
ANALYZE app.visits;

-- transhume: verify on target
SELECT 'trigger ' || expected.name || ' does not fire as it did' AS problem
FROM (
  VALUES
    ('app.visits', 'touch', 'O'),
    ('app.visits_new', 'own', 'A')
) AS expected (relation, name, state)
WHERE NOT EXISTS (
  SELECT
  FROM pg_trigger AS g
  WHERE g.tgrelid = to_regclass(expected.relation) AND g.tgname = expected.name AND g.tgenabled::text = expected.state
);

-- transhume: revert on target
ALTER TABLE app.visits DISABLE TRIGGER touch;
ALTER TABLE app.visits_new DISABLE TRIGGER own;
