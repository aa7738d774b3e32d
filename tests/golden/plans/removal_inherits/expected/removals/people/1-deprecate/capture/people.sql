-- capture.people: app.people: changes reach the backup from here on
-- from   specs/demo/removals/people.yaml:1
-- after  backup.people
-- locks  SHARE ROW EXCLUSIVE on app.people and each of its children (CREATE TRIGGER)
-- undo   drops the triggers

-- transhume: apply on target
-- SHARE ROW EXCLUSIVE on app.people
CREATE TRIGGER zz_transhume_people_capture AFTER INSERT OR DELETE ON app.people
  FOR EACH ROW EXECUTE FUNCTION transhume.capture_demo_people();
ALTER TABLE app.people ENABLE ALWAYS TRIGGER zz_transhume_people_capture;
-- SHARE ROW EXCLUSIVE on app.people
CREATE TRIGGER zz_transhume_people_capture_update AFTER UPDATE ON app.people
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id, old.old_code), ROW(new.id, new.old_code)))
  EXECUTE FUNCTION transhume.capture_demo_people();
ALTER TABLE app.people ENABLE ALWAYS TRIGGER zz_transhume_people_capture_update;
-- SHARE ROW EXCLUSIVE on app.staff
CREATE TRIGGER zz_transhume_people_capture AFTER INSERT OR DELETE ON app.staff
  FOR EACH ROW EXECUTE FUNCTION transhume.capture_demo_people();
ALTER TABLE app.staff ENABLE ALWAYS TRIGGER zz_transhume_people_capture;
-- SHARE ROW EXCLUSIVE on app.staff
CREATE TRIGGER zz_transhume_people_capture_update AFTER UPDATE ON app.staff
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id, old.old_code), ROW(new.id, new.old_code)))
  EXECUTE FUNCTION transhume.capture_demo_people();
ALTER TABLE app.staff ENABLE ALWAYS TRIGGER zz_transhume_people_capture_update;
-- SHARE ROW EXCLUSIVE on app.interns
CREATE TRIGGER zz_transhume_people_capture AFTER INSERT OR DELETE ON app.interns
  FOR EACH ROW EXECUTE FUNCTION transhume.capture_demo_people();
ALTER TABLE app.interns ENABLE ALWAYS TRIGGER zz_transhume_people_capture;
-- SHARE ROW EXCLUSIVE on app.interns
CREATE TRIGGER zz_transhume_people_capture_update AFTER UPDATE ON app.interns
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id, old.old_code), ROW(new.id, new.old_code)))
  EXECUTE FUNCTION transhume.capture_demo_people();
ALTER TABLE app.interns ENABLE ALWAYS TRIGGER zz_transhume_people_capture_update;
-- SHARE ROW EXCLUSIVE on app.people
CREATE TRIGGER zz_transhume_people_truncate AFTER TRUNCATE ON app.people
  FOR EACH STATEMENT EXECUTE FUNCTION transhume.truncated_demo_people();
ALTER TABLE app.people ENABLE ALWAYS TRIGGER zz_transhume_people_truncate;
-- SHARE ROW EXCLUSIVE on app.staff
CREATE TRIGGER zz_transhume_people_truncate AFTER TRUNCATE ON app.staff
  FOR EACH STATEMENT EXECUTE FUNCTION transhume.truncated_demo_people();
ALTER TABLE app.staff ENABLE ALWAYS TRIGGER zz_transhume_people_truncate;
-- SHARE ROW EXCLUSIVE on app.interns
CREATE TRIGGER zz_transhume_people_truncate AFTER TRUNCATE ON app.interns
  FOR EACH STATEMENT EXECUTE FUNCTION transhume.truncated_demo_people();
ALTER TABLE app.interns ENABLE ALWAYS TRIGGER zz_transhume_people_truncate;

-- transhume: revert on target
DROP TRIGGER zz_transhume_people_capture ON app.people;
DROP TRIGGER zz_transhume_people_capture_update ON app.people;
DROP TRIGGER zz_transhume_people_capture ON app.staff;
DROP TRIGGER zz_transhume_people_capture_update ON app.staff;
DROP TRIGGER zz_transhume_people_capture ON app.interns;
DROP TRIGGER zz_transhume_people_capture_update ON app.interns;
DROP TRIGGER zz_transhume_people_truncate ON app.people;
DROP TRIGGER zz_transhume_people_truncate ON app.staff;
DROP TRIGGER zz_transhume_people_truncate ON app.interns;
