-- constrain.users: app.users: hashed_password NOT NULL, is_active NOT NULL, checks
-- from   specs/production/removals/users.yaml:2
-- after  index.users
-- locks  ACCESS EXCLUSIVE on app.users (ADD CONSTRAINT NOT VALID, USING INDEX, SET NOT NULL)
-- locks  SHARE UPDATE EXCLUSIVE on app.users (VALIDATE CONSTRAINT)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: build of "hashed_password NOT NULL, validated" on target
-- SHARE UPDATE EXCLUSIVE on app.users
ALTER TABLE app.users
  VALIDATE CONSTRAINT transhume_hashed_password_not_null;

-- transhume: build of "hashed_password NOT NULL" on target
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users
  ALTER COLUMN hashed_password SET NOT NULL;
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users
  DROP CONSTRAINT transhume_hashed_password_not_null;

-- transhume: build of "is_active NOT NULL, validated" on target
-- SHARE UPDATE EXCLUSIVE on app.users
ALTER TABLE app.users
  VALIDATE CONSTRAINT transhume_is_active_not_null;

-- transhume: build of "is_active NOT NULL" on target
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users
  ALTER COLUMN is_active SET NOT NULL;
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users
  DROP CONSTRAINT transhume_is_active_not_null;

-- transhume: build of "names of NOT NULL" on target
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('production', 'users') AND s.stage IN ('null')
    ORDER BY array_position(ARRAY['null'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;

-- transhume: build of "checks" on target
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('production', 'users') AND s.stage IN ('check')
    ORDER BY array_position(ARRAY['check'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;

-- transhume: build of "checks, validated" on target
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('production', 'users') AND s.stage IN ('validate')
    ORDER BY array_position(ARRAY['validate'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;
