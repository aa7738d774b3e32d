-- finish.patients: app.patients: statistics
-- from   specs/demo/tables/patients.yaml:1
-- after  index.patients
-- locks  SHARE UPDATE EXCLUSIVE on app.patients (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.patients;
