-- require.schema-app: schema app
-- from   specs/demo/project.yaml:1
-- undo   drops the schema, which was not there before

-- transhume: gate on target
SELECT 'schema app is there already; take a new snapshot of the target' AS problem
WHERE to_regnamespace('app') IS NOT NULL;

-- transhume: apply on target
CREATE SCHEMA app;

-- transhume: revert on target
DROP SCHEMA app;
