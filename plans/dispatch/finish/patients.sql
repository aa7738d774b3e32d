-- finish.patients: app.patients: statistics
-- from   specs/dispatch/tables/patients.yaml:2
-- after  constrain.patients
-- locks  SHARE UPDATE EXCLUSIVE on app.patients (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.patients;
