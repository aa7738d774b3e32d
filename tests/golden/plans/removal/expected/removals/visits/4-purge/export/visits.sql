-- export.visits: transhume.backup_demo_visits -> a file, as CSV
-- from   specs/demo/removals/visits.yaml:1
-- locks  ACCESS SHARE on transhume.backup_demo_visits (COPY)
-- undo   nothing to undo

-- transhume: gate on target -- it was kept for long enough, by the server's clock
SELECT 'the backup is kept until ' || to_char(p.done_at + '30 days'::interval, 'YYYY-MM-DD HH24:MI:SS TZ') AS problem
FROM transhume.removal_phase AS p
WHERE (p.project, p.removal) = ('demo', 'visits') AND p.phase = 3 AND p.state = 'done'
  AND clock_timestamp() < p.done_at + '30 days'::interval;

-- transhume: export on target
COPY (
  SELECT b.id, b.fee, b._born FROM transhume.backup_demo_visits AS b WHERE b._present ORDER BY b.id
) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8');
