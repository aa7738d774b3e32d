-- reconcile.patients: map of patients
-- from   specs/demo/tables/patients.yaml:1
-- after  index.patients
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: apply on target
DELETE FROM transhume.map_patients AS k
WHERE NOT EXISTS (SELECT FROM app.patients AS t WHERE t.id = k.id);
