-- require.type-app.mood: type app.mood, as public.mood in the source
-- from   specs/demo/project.yaml:1
-- after  require.schema-app
-- undo   drops the type, which was not there before

-- transhume: gate on target
SELECT 'type app.mood is there already; take a new snapshot of the target' AS problem
WHERE to_regtype('app.mood') IS NOT NULL;

-- transhume: apply on target
CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok');

-- transhume: revert on target
DROP TYPE app.mood;
