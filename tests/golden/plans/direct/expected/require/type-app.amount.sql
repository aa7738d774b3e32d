-- require.type-app.amount: type app.amount, as public.amount in the source
-- from   specs/demo/project.yaml:1
-- after  require.schema-app
-- undo   drops the type, which was not there before

-- transhume: gate on target
SELECT 'type app.amount is there already; take a new snapshot of the target' AS problem
WHERE to_regtype('app.amount') IS NOT NULL;

-- transhume: apply on target
CREATE DOMAIN app.amount AS numeric(6,2);

-- transhume: revert on target
DROP TYPE app.amount;
