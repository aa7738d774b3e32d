-- require.type-app.year: type app.year, as public.year in the source
-- from   specs/demo/project.yaml:1
-- after  require.schema-app
-- undo   drops the type, which was not there before

-- transhume: gate on target
SELECT 'type app.year is there already; take a new snapshot of the target' AS problem
WHERE to_regtype('app.year') IS NOT NULL;

-- transhume: apply on target
CREATE DOMAIN app.year AS integer CONSTRAINT year_check CHECK ((VALUE > 1900));

-- transhume: revert on target
DROP TYPE app.year;
