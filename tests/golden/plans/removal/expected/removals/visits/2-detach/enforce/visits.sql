-- enforce.visits: app.visits (fee): whoever writes it gets the error TH001
-- from   specs/demo/removals/visits.yaml:1
-- after  guard.visits
-- undo   the guard only notes again

-- transhume: gate on target binds run -- it was watched for long enough
SELECT 'the guard watches until ' || to_char(p.committed_at + '1 hours'::interval, 'YYYY-MM-DD HH24:MI:SS TZ') AS problem
FROM transhume.part AS p
WHERE p.run = $1::uuid AND p.step = 'guard.visits' AND p.part = 'apply'
  AND clock_timestamp() < p.committed_at + '1 hours'::interval;

-- transhume: gate on target -- nobody writes it
SELECT h.writes || ' writes by ' || h.role || ' (' || h.application || '), the last at ' ||
  to_char(h.last, 'YYYY-MM-DD HH24:MI:SS TZ') AS problem
FROM (
  SELECT role, application, count(*) AS writes, max(at) AS last
  FROM transhume.guard_hit
  WHERE (project, removal) = ('demo', 'visits') AND at > clock_timestamp() - '1 hours'::interval
  GROUP BY role, application
) AS h
ORDER BY h.writes DESC;

-- transhume: apply on target
CREATE OR REPLACE FUNCTION transhume.guard_demo_visits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'TH001', MESSAGE = 'app.visits: fee must not be written any more', HINT = 'removal visits of demo: the fees are in the ledger';
END
$transhume$;

-- transhume: revert on target
CREATE OR REPLACE FUNCTION transhume.guard_demo_visits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  INSERT INTO transhume.guard_hit (project, removal, operation, role, application)
  VALUES ('demo', 'visits', tg_op, session_user, coalesce(current_setting('application_name', true), ''));
  RETURN new;
END
$transhume$;
