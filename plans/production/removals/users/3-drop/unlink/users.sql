-- unlink.users: app.users: without users_active
-- from   specs/production/removals/users.yaml:2
-- after  measure.users
-- locks  SHARE UPDATE EXCLUSIVE on app.users (DROP INDEX CONCURRENTLY, outside of a transaction)
-- undo   makes them again; once the columns are dropped, `transhume restore` does

-- transhume: probe of "users_active" on target -- valid: it is gone
SELECT CASE WHEN to_regclass('app.users_active') IS NULL THEN 'valid' ELSE 'absent' END AS state;

-- transhume: build of "users_active" on target -- outside
-- SHARE UPDATE EXCLUSIVE on app.users
DROP INDEX CONCURRENTLY app.users_active;

-- transhume: revert on target
ALTER TABLE app.users RENAME COLUMN zz_removed_hashed_password TO hashed_password;
ALTER TABLE app.users RENAME COLUMN zz_removed_is_active TO is_active;
CREATE INDEX users_active ON app.users USING btree (team_id) WHERE is_active;
ALTER TABLE app.users RENAME COLUMN hashed_password TO zz_removed_hashed_password;
ALTER TABLE app.users RENAME COLUMN is_active TO zz_removed_is_active;
