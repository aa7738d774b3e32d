-- export.orders: transhume.backup_dispatch_orders -> a file, as CSV
-- from   specs/dispatch/removals/orders.yaml:2
-- locks  ACCESS SHARE on transhume.backup_dispatch_orders (COPY)
-- undo   nothing to undo

-- transhume: gate on target -- it was kept for long enough, by the server's clock
SELECT 'the backup is kept until ' || to_char(p.done_at + '180 days'::interval, 'YYYY-MM-DD HH24:MI:SS TZ') AS problem
FROM transhume.removal_phase AS p
WHERE (p.project, p.removal) = ('dispatch', 'orders') AND p.phase = 3 AND p.state = 'done'
  AND clock_timestamp() < p.done_at + '180 days'::interval;

-- transhume: export on target
COPY (
  SELECT b.id, b.origin, b._born FROM transhume.backup_dispatch_orders AS b WHERE b._present ORDER BY b.id
) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8');
