-- narrow.users: app.users: rows come with hashed_password, is_active again
-- from   specs/demo/removals/users.yaml:1
-- after  refill.users
-- locks  ACCESS EXCLUSIVE on app.users (ADD CHECK NOT VALID)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users
  ADD CONSTRAINT transhume_hashed_password_not_null CHECK (hashed_password IS NOT NULL) NOT VALID,
  ADD CONSTRAINT transhume_is_active_not_null CHECK (is_active IS NOT NULL) NOT VALID;
