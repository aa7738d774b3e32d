-- finish.doctors: app.doctors: statistics
-- about  Doctors who sign orders
-- from   specs/dispatch/tables/doctors.yaml:2
-- after  constrain.doctors
-- locks  SHARE UPDATE EXCLUSIVE on app.doctors (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.doctors;
