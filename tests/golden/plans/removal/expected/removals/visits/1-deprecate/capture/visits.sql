-- capture.visits: app.visits: changes reach the backup from here on
-- from   specs/demo/removals/visits.yaml:1
-- after  backup.visits
-- locks  SHARE ROW EXCLUSIVE on app.visits (CREATE TRIGGER)
-- undo   drops the triggers

-- transhume: apply on target
-- SHARE ROW EXCLUSIVE on app.visits
CREATE TRIGGER zz_transhume_visits_capture AFTER INSERT OR DELETE ON app.visits
  FOR EACH ROW EXECUTE FUNCTION transhume.capture_demo_visits();
ALTER TABLE app.visits ENABLE ALWAYS TRIGGER zz_transhume_visits_capture;
-- SHARE ROW EXCLUSIVE on app.visits
CREATE TRIGGER zz_transhume_visits_capture_update AFTER UPDATE ON app.visits
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id, old.fee), ROW(new.id, new.fee)))
  EXECUTE FUNCTION transhume.capture_demo_visits();
ALTER TABLE app.visits ENABLE ALWAYS TRIGGER zz_transhume_visits_capture_update;
-- SHARE ROW EXCLUSIVE on app.visits
CREATE TRIGGER zz_transhume_visits_truncate AFTER TRUNCATE ON app.visits
  FOR EACH STATEMENT EXECUTE FUNCTION transhume.truncated_demo_visits();
ALTER TABLE app.visits ENABLE ALWAYS TRIGGER zz_transhume_visits_truncate;

-- transhume: revert on target
DROP TRIGGER zz_transhume_visits_capture ON app.visits;
DROP TRIGGER zz_transhume_visits_capture_update ON app.visits;
DROP TRIGGER zz_transhume_visits_truncate ON app.visits;
