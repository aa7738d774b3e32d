-- finish.orders: app.orders: statistics
-- about  What was ordered for whom, and what became of it
-- from   specs/dispatch/tables/orders.yaml:2
-- after  constrain.orders
-- locks  SHARE UPDATE EXCLUSIVE on app.orders (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.orders;
