-- purge.orders: transhume.backup_dispatch_orders is dropped, with its triggers
-- from   specs/dispatch/removals/orders.yaml:2
-- after  export.orders
-- locks  ACCESS EXCLUSIVE on app.orders (DROP TRIGGER)
-- undo   none: the values are in the exported file alone

-- transhume: gate on target binds run -- it was exported
SELECT 'the backup was not exported' AS problem
WHERE NOT EXISTS (
  SELECT FROM transhume.removal_export AS e
  WHERE (e.project, e.removal) = ('dispatch', 'orders') AND e.run = $1::uuid
);

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.orders
DROP TRIGGER zzzz_transhume_orders_moving ON app.orders;
DROP TRIGGER zz_transhume_orders_soak ON app.orders;
DROP TRIGGER zz_transhume_orders_soak_update ON app.orders;
DROP TRIGGER zz_transhume_orders_truncate ON app.orders;
DROP FUNCTION transhume.moving_dispatch_orders(), transhume.soak_dispatch_orders(), transhume.truncated_dispatch_orders();
DROP TABLE transhume.moved_dispatch_orders, transhume.backup_dispatch_orders;
