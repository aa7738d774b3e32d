-- unlink.people: app.people: without staff_old
-- from   specs/demo/removals/people.yaml:1
-- after  measure.people
-- locks  SHARE UPDATE EXCLUSIVE on app.staff (DROP INDEX CONCURRENTLY, outside of a transaction)
-- undo   makes them again; once the columns are dropped, `transhume restore` does

-- transhume: probe of "app.staff: staff_old" on target -- valid: it is gone
SELECT CASE WHEN to_regclass('app.staff_old') IS NULL THEN 'valid' ELSE 'absent' END AS state;

-- transhume: build of "app.staff: staff_old" on target -- outside
-- SHARE UPDATE EXCLUSIVE on app.staff
DROP INDEX CONCURRENTLY app.staff_old;

-- transhume: revert on target
ALTER TABLE app.people RENAME COLUMN zz_removed_old_code TO old_code;
CREATE INDEX staff_old ON app.staff USING btree (old_code);
ALTER TABLE app.people RENAME COLUMN old_code TO zz_removed_old_code;
