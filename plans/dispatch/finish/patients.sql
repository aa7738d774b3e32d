-- finish.patients: app.patients: statistics
-- about  Patients, with the office that looks after them
-- from   specs/dispatch/tables/patients.yaml:2
-- after  constrain.patients
-- locks  SHARE UPDATE EXCLUSIVE on app.patients (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.patients;
