-- alter table visits drop column status
CREATE OR REPLACE VIEW app.open_visits AS
SELECT id, at FROM app.visits;
ALTER TABLE visits DROP COLUMN fee, DROP COLUMN status;
ALTER TABLE app.visits RENAME status TO state;
DO $$ BEGIN
  EXECUTE 'ALTER TABLE visits ALTER status TYPE text';
END $$;
ALTER TABLE app.visits SET SCHEMA old;
DROP TABLE other, visits;
