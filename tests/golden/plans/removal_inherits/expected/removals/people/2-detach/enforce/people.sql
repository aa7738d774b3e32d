-- enforce.people: app.people (old_code): whoever writes it gets the error TH001
-- from   specs/demo/removals/people.yaml:1
-- after  guard.people
-- undo   the guard only notes again

-- transhume: apply on target
CREATE OR REPLACE FUNCTION transhume.guard_demo_people() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'TH001', MESSAGE = 'app.people: old_code must not be written any more', HINT = 'removal people of demo: nobody reads it any more';
END
$transhume$;

-- transhume: revert on target
CREATE OR REPLACE FUNCTION transhume.guard_demo_people() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  INSERT INTO transhume.guard_hit (project, removal, operation, role, application)
  VALUES ('demo', 'people', tg_op, session_user, coalesce(current_setting('application_name', true), ''));
  RETURN new;
END
$transhume$;
