-- create.patients: app.patients, without indexes and keys
-- from   specs/demo/tables/patients.yaml:1
-- after  require.schema-app, require.type-app.amount, require.type-app.mood, require.type-app.short,
--        require.type-app.temper
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.patients'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.patients (
  id uuid NOT NULL,
  legacy_id bigint NOT NULL,
  felt app.mood,
  coded app.short,
  label character varying(5),
  half bigint,
  ratio double precision,
  padded character(8),
  four bit varying(4),
  kind app.mood NOT NULL,
  cents numeric(8,1),
  mood app.mood,
  temper app.temper,
  code app.short,
  price app.amount,
  tags character varying(3)[],
  span int4range,
  ip inet,
  at timestamp(3) with time zone,
  flags bit(4),
  doc jsonb,
  note character(6),
  much numeric,
  raw bytea,
  clock time(2) without time zone,
  iv interval
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'uuid', true),
    ('legacy_id', 'bigint', true),
    ('felt', 'app.mood', false),
    ('coded', 'app.short', false),
    ('label', 'character varying(5)', false),
    ('half', 'bigint', false),
    ('ratio', 'double precision', false),
    ('padded', 'character(8)', false),
    ('four', 'bit varying(4)', false),
    ('kind', 'app.mood', true),
    ('cents', 'numeric(8,1)', false),
    ('mood', 'app.mood', false),
    ('temper', 'app.temper', false),
    ('code', 'app.short', false),
    ('price', 'app.amount', false),
    ('tags', 'character varying(3)[]', false),
    ('span', 'int4range', false),
    ('ip', 'inet', false),
    ('at', 'timestamp(3) with time zone', false),
    ('flags', 'bit(4)', false),
    ('doc', 'jsonb', false),
    ('note', 'character(6)', false),
    ('much', 'numeric', false),
    ('raw', 'bytea', false),
    ('clock', 'time(2) without time zone', false),
    ('iv', 'interval', false)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.patients') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.patients;
