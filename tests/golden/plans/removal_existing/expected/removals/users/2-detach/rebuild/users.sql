-- rebuild.users: without app.users (hashed_password, is_active): view app.active_users, view app.user_list
-- from   specs/demo/removals/users.yaml:1
-- after  relax.users
-- locks  ACCESS EXCLUSIVE on app.active_users, app.user_list (DROP VIEW)
-- undo   makes all of them again, as phase 1 has written them down

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.active_users
DROP VIEW app.active_users;
-- ACCESS EXCLUSIVE on app.user_list
DROP VIEW app.user_list;

CREATE VIEW app.user_list WITH (security_barrier) AS
SELECT id, email, team_id
FROM app.users;

DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('demo', 'users') AND s.stage IN ('kept')
      AND s.object IN ('view app.user_list')
    ORDER BY array_position(ARRAY['kept'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;

-- transhume: revert on target
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
