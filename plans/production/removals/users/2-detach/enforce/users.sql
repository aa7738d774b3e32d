-- enforce.users: app.users (hashed_password, is_active): whoever writes it gets the error TH001
-- from   specs/production/removals/users.yaml:2
-- after  guard.users
-- undo   the guard only notes again

-- transhume: gate on target binds run -- it was watched for long enough
SELECT 'the guard watches until ' || to_char(p.committed_at + '1 days'::interval, 'YYYY-MM-DD HH24:MI:SS TZ') AS problem
FROM transhume.part AS p
WHERE p.run = $1::uuid AND p.step = 'guard.users' AND p.part = 'apply'
  AND clock_timestamp() < p.committed_at + '1 days'::interval;

-- transhume: gate on target -- nobody writes it
SELECT h.writes || ' writes by ' || h.role || ' (' || h.application || '), the last at ' ||
  to_char(h.last, 'YYYY-MM-DD HH24:MI:SS TZ') AS problem
FROM (
  SELECT role, application, count(*) AS writes, max(at) AS last
  FROM transhume.guard_hit
  WHERE (project, removal) = ('production', 'users') AND at > clock_timestamp() - '1 days'::interval
  GROUP BY role, application
) AS h
ORDER BY h.writes DESC;

-- transhume: apply on target
CREATE OR REPLACE FUNCTION transhume.guard_production_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'TH001', MESSAGE = 'app.users: hashed_password, is_active must not be written any more', HINT = 'removal users of production: the authentication service owns passwords now';
END
$transhume$;

-- transhume: revert on target
CREATE OR REPLACE FUNCTION transhume.guard_production_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  INSERT INTO transhume.guard_hit (project, removal, operation, role, application)
  VALUES ('production', 'users', tg_op, session_user, coalesce(current_setting('application_name', true), ''));
  RETURN new;
END
$transhume$;
