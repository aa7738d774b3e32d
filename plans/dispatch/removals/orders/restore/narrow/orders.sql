-- narrow.orders: app.orders: rows come with origin again
-- from   specs/dispatch/removals/orders.yaml:2
-- after  refill.orders
-- locks  ACCESS EXCLUSIVE on app.orders (ADD CHECK NOT VALID)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.orders
ALTER TABLE app.orders
  ADD CONSTRAINT transhume_origin_not_null CHECK (origin IS NOT NULL) NOT VALID;
