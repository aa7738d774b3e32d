-- recreate.users: view app.active_users, view app.user_list, comments, statistics: as they were
-- from   specs/demo/removals/users.yaml:1
-- after  constrain.users
-- locks  SHARE UPDATE EXCLUSIVE on app.users (CREATE TRIGGER, POLICY, RULE, STATISTICS, COMMENT)
-- locks  ACCESS EXCLUSIVE on app.active_users, app.user_list (CREATE VIEW)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.user_list
DROP VIEW app.user_list;

DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('demo', 'users') AND s.stage IN ('dependent', 'kept', 'valid')
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
    WHERE (s.project, s.removal) = ('demo', 'users') AND s.stage IN ('detail')
    ORDER BY array_position(ARRAY['detail'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;
