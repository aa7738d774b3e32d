-- enforce.users: app.users (hashed_password, is_active): whoever writes it gets the error TH001
-- from   specs/demo/removals/users.yaml:1
-- after  guard.users
-- undo   the guard only notes again

-- transhume: apply on target
CREATE OR REPLACE FUNCTION transhume.guard_demo_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'TH001', MESSAGE = 'app.users: hashed_password, is_active must not be written any more', HINT = 'removal users of demo: the authentication service owns passwords now';
END
$transhume$;

-- transhume: revert on target
CREATE OR REPLACE FUNCTION transhume.guard_demo_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  INSERT INTO transhume.guard_hit (project, removal, operation, role, application)
  VALUES ('demo', 'users', tg_op, session_user, coalesce(current_setting('application_name', true), ''));
  RETURN new;
END
$transhume$;
