-- capture.users: app.users: changes reach the backup from here on
-- from   specs/production/removals/users.yaml:2
-- after  backup.users
-- locks  SHARE ROW EXCLUSIVE on app.users (CREATE TRIGGER)
-- undo   drops the triggers

-- transhume: apply on target
-- SHARE ROW EXCLUSIVE on app.users
CREATE TRIGGER zz_transhume_users_capture AFTER INSERT OR DELETE ON app.users
  FOR EACH ROW EXECUTE FUNCTION transhume.capture_production_users();
ALTER TABLE app.users ENABLE ALWAYS TRIGGER zz_transhume_users_capture;
-- SHARE ROW EXCLUSIVE on app.users
CREATE TRIGGER zz_transhume_users_capture_update AFTER UPDATE ON app.users
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id, old.hashed_password, old.is_active), ROW(new.id, new.hashed_password, new.is_active)))
  EXECUTE FUNCTION transhume.capture_production_users();
ALTER TABLE app.users ENABLE ALWAYS TRIGGER zz_transhume_users_capture_update;
-- SHARE ROW EXCLUSIVE on app.users
CREATE TRIGGER zz_transhume_users_truncate AFTER TRUNCATE ON app.users
  FOR EACH STATEMENT EXECUTE FUNCTION transhume.truncated_production_users();
ALTER TABLE app.users ENABLE ALWAYS TRIGGER zz_transhume_users_truncate;

-- transhume: revert on target
DROP TRIGGER zz_transhume_users_capture ON app.users;
DROP TRIGGER zz_transhume_users_capture_update ON app.users;
DROP TRIGGER zz_transhume_users_truncate ON app.users;
