-- discard.orders: transhume.backup_dispatch_orders is dropped
-- from   specs/dispatch/removals/orders.yaml:2
-- after  release.orders
-- undo   phase 1 makes another backup

-- transhume: apply on target
DROP TABLE transhume.moved_dispatch_orders, transhume.backup_dispatch_orders;
DELETE FROM transhume.removal_descriptor WHERE (project, removal) = ('dispatch', 'orders');
DELETE FROM transhume.removal_dependent WHERE (project, removal) = ('dispatch', 'orders');
DELETE FROM transhume.removal_statement WHERE (project, removal) = ('dispatch', 'orders');
DELETE FROM transhume.removal_figure WHERE (project, removal) = ('dispatch', 'orders');
DELETE FROM transhume.guard_hit WHERE (project, removal) = ('dispatch', 'orders');
