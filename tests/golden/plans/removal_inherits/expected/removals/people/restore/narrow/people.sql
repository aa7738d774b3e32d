-- narrow.people: app.people: rows come with old_code again
-- from   specs/demo/removals/people.yaml:1
-- after  refill.people
-- locks  ACCESS EXCLUSIVE on app.people and each of its children (ADD CHECK NOT VALID)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.people and each of its children
ALTER TABLE app.people
  ADD CONSTRAINT transhume_old_code_not_null CHECK (old_code IS NOT NULL) NOT VALID;
