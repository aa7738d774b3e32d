-- require.type-app.short: type app.short, as public.short in the source
-- from   specs/demo/project.yaml:1
-- after  require.schema-app
-- undo   drops the type, which was not there before

-- transhume: gate on target
SELECT 'type app.short is there already; take a new snapshot of the target' AS problem
WHERE to_regtype('app.short') IS NOT NULL;

-- transhume: apply on target
CREATE DOMAIN app.short AS character varying(5) CONSTRAINT short_check CHECK (((VALUE)::text <> 'bad'::text));

-- transhume: revert on target
DROP TYPE app.short;
