-- recreate.people: comments, statistics: as they were
-- from   specs/demo/removals/people.yaml:1
-- after  constrain.people
-- locks  SHARE UPDATE EXCLUSIVE on app.people and each of its children (CREATE STATISTICS, COMMENT)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: apply on target
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('demo', 'people') AND s.stage IN ('dependent', 'kept', 'valid')
    ORDER BY array_position(ARRAY['dependent', 'kept', 'valid'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;

DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('demo', 'people') AND s.stage IN ('detail')
    ORDER BY array_position(ARRAY['detail'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;
