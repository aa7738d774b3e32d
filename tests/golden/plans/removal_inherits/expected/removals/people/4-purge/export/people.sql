-- export.people: transhume.backup_demo_people -> a file, as CSV
-- from   specs/demo/removals/people.yaml:1
-- locks  ACCESS SHARE on transhume.backup_demo_people (COPY)
-- undo   nothing to undo

-- transhume: gate on target -- it was kept for long enough, by the server's clock
SELECT 'the backup is kept until ' || to_char(p.done_at + '90 days'::interval, 'YYYY-MM-DD HH24:MI:SS TZ') AS problem
FROM transhume.removal_phase AS p
WHERE (p.project, p.removal) = ('demo', 'people') AND p.phase = 3 AND p.state = 'done'
  AND clock_timestamp() < p.done_at + '90 days'::interval;

-- transhume: export on target
COPY (
  SELECT b.id, b._member::regclass AS _member, b.old_code, b._born FROM transhume.backup_demo_people AS b WHERE b._present ORDER BY b.id, b._member
) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8');
