-- constrain.people: app.people: old_code NOT NULL, checks
-- from   specs/demo/removals/people.yaml:1
-- after  index.people
-- locks  ACCESS EXCLUSIVE on app.people and each of its children (ADD CONSTRAINT NOT VALID, USING INDEX, SET NOT NULL)
-- locks  SHARE UPDATE EXCLUSIVE on app.people and each of its children (VALIDATE CONSTRAINT)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: build of "old_code NOT NULL, validated" on target
-- SHARE UPDATE EXCLUSIVE on app.people and each of its children
ALTER TABLE app.people
  VALIDATE CONSTRAINT transhume_old_code_not_null;

-- transhume: build of "old_code NOT NULL" on target
-- ACCESS EXCLUSIVE on app.people and each of its children
ALTER TABLE app.people
  ALTER COLUMN old_code SET NOT NULL;
-- ACCESS EXCLUSIVE on app.people and each of its children
ALTER TABLE app.people
  DROP CONSTRAINT transhume_old_code_not_null;

-- transhume: build of "names of NOT NULL" on target
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('demo', 'people') AND s.stage IN ('null')
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
    WHERE (s.project, s.removal) = ('demo', 'people') AND s.stage IN ('check')
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
    WHERE (s.project, s.removal) = ('demo', 'people') AND s.stage IN ('validate')
    ORDER BY array_position(ARRAY['validate'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;
