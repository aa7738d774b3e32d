-- create.orders: app.orders, without indexes and keys
-- about  What was ordered for whom, and what became of it
-- from   specs/dispatch/tables/orders.yaml:2
-- after  require.schema-app
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.orders'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.orders (
  id uuid NOT NULL,
  legacy_id integer NOT NULL,
  order_no character varying(16) NOT NULL,
  patient_id uuid NOT NULL,
  office_id uuid NOT NULL,
  status text NOT NULL,
  tax_rate numeric(6,4),
  due_on date,
  total numeric(12,2) NOT NULL,
  placed_at timestamp with time zone NOT NULL,
  origin text NOT NULL,
  meta jsonb,
  items jsonb NOT NULL,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  CONSTRAINT total_not_negative CHECK (total >= 0)
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'uuid', true),
    ('legacy_id', 'integer', true),
    ('order_no', 'character varying(16)', true),
    ('patient_id', 'uuid', true),
    ('office_id', 'uuid', true),
    ('status', 'text', true),
    ('tax_rate', 'numeric(6,4)', false),
    ('due_on', 'date', false),
    ('total', 'numeric(12,2)', true),
    ('placed_at', 'timestamp with time zone', true),
    ('origin', 'text', true),
    ('meta', 'jsonb', false),
    ('items', 'jsonb', true),
    ('created_at', 'timestamp with time zone', true),
    ('updated_at', 'timestamp with time zone', true)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.orders') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.orders;
