-- index.channels: app.channels: channels_pkey
-- from   specs/demo/tables/patients.yaml:1
-- after  load.channels
-- locks  ACCESS EXCLUSIVE on app.channels (ADD CONSTRAINT)
-- locks  SHARE UPDATE EXCLUSIVE on app.channels (VACUUM, ANALYZE, outside of a transaction)
-- undo   drops them; rows that were set aside come back with a new load

-- transhume: build of "channels_pkey" on target
ALTER TABLE app.channels ADD CONSTRAINT channels_pkey PRIMARY KEY (id);

-- transhume: vacuum on target -- statistics; references are then looked up in indexes alone
VACUUM (ANALYZE, TRUNCATE false) app.channels;

-- transhume: verify on target
SELECT expected.name || ' is not there, not valid, or not what it was' AS problem
FROM (
  VALUES
    ('channels_pkey', NULL)
) AS expected (name, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
  WHERE i.indrelid = to_regclass('app.channels')
    AND c.relname = expected.name
    AND i.indisvalid
    AND coalesce(expected.definition, '') IN ('', coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(c.oid)))
);

-- transhume: revert on target
ALTER TABLE app.channels DROP CONSTRAINT IF EXISTS channels_pkey;
