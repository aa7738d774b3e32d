-- export.users: transhume.backup_production_users -> a file, as CSV
-- from   specs/production/removals/users.yaml:2
-- locks  ACCESS SHARE on transhume.backup_production_users (COPY)
-- undo   nothing to undo

-- transhume: gate on target -- it was kept for long enough, by the server's clock
SELECT 'the backup is kept until ' || to_char(p.done_at + '90 days'::interval, 'YYYY-MM-DD HH24:MI:SS TZ') AS problem
FROM transhume.removal_phase AS p
WHERE (p.project, p.removal) = ('production', 'users') AND p.phase = 3 AND p.state = 'done'
  AND clock_timestamp() < p.done_at + '90 days'::interval;

-- transhume: export on target
COPY (
  SELECT b.id, b.hashed_password, b.is_active, b._born FROM transhume.backup_production_users AS b WHERE b._present ORDER BY b.id
) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8');
