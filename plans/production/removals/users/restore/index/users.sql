-- index.users: app.users: users_active
-- from   specs/production/removals/users.yaml:2
-- after  refill.users-rest
-- locks  SHARE UPDATE EXCLUSIVE on app.users (CREATE INDEX CONCURRENTLY, outside of a transaction)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: probe of "users_active" on target
SELECT CASE
  WHEN c.oid IS NULL THEN 'absent'
  WHEN i.indrelid IS DISTINCT FROM to_regclass('app.users') THEN 'users_active is there, and is another table''s'
  WHEN i.indisvalid AND i.indisready THEN 'valid'
  ELSE 'invalid'
END AS state
FROM (SELECT to_regclass('app.users_active')) AS c (oid)
LEFT JOIN pg_index AS i ON i.indexrelid = c.oid;

-- transhume: clear of "users_active" on target
-- SHARE UPDATE EXCLUSIVE on app.users
DROP INDEX CONCURRENTLY app.users_active;

-- transhume: build of "users_active" on target -- outside
-- SHARE UPDATE EXCLUSIVE on app.users
CREATE INDEX CONCURRENTLY users_active ON app.users USING btree (team_id) WHERE is_active;
