-- require.type-app.temper: type app.temper, as public.temper in the source
-- from   specs/demo/project.yaml:1
-- after  require.schema-app, require.type-app.mood
-- undo   drops the type, which was not there before

-- transhume: gate on target
SELECT 'type app.temper is there already; take a new snapshot of the target' AS problem
WHERE to_regtype('app.temper') IS NOT NULL;

-- transhume: apply on target
CREATE DOMAIN app.temper AS app.mood;

-- transhume: revert on target
DROP TYPE app.temper;
