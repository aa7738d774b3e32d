-- require.schema-billing: schema billing
-- from   specs/demo/project.yaml:1
-- undo   drops the schema, which was not there before

-- transhume: gate on target
SELECT 'schema billing is there already; take a new snapshot of the target' AS problem
WHERE to_regnamespace('billing') IS NOT NULL;

-- transhume: apply on target
CREATE SCHEMA billing;

-- transhume: revert on target
DROP SCHEMA billing;
