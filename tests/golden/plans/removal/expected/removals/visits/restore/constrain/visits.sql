-- constrain.visits: app.visits: checks
-- from   specs/demo/removals/visits.yaml:1
-- after  refill.visits
-- locks  ACCESS EXCLUSIVE on app.visits (ADD CONSTRAINT NOT VALID, USING INDEX, SET NOT NULL)
-- locks  SHARE UPDATE EXCLUSIVE on app.visits (VALIDATE CONSTRAINT)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: build of "checks" on target
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('demo', 'visits') AND s.stage IN ('check')
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
    WHERE (s.project, s.removal) = ('demo', 'visits') AND s.stage IN ('validate')
    ORDER BY array_position(ARRAY['validate'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;
