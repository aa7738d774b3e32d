-- index.staff: app.staff: staff_pkey
-- from   specs/demo/tables/visits.yaml:1
-- after  load.staff
-- locks  ACCESS EXCLUSIVE on app.staff (ADD CONSTRAINT)
-- locks  SHARE UPDATE EXCLUSIVE on app.staff (VACUUM, ANALYZE, outside of a transaction)
-- undo   drops them; rows that were set aside come back with a new load

-- transhume: build of "staff_pkey" on target
ALTER TABLE app.staff ADD CONSTRAINT staff_pkey PRIMARY KEY (id);

-- transhume: vacuum on target -- statistics; references are then looked up in indexes alone
VACUUM (ANALYZE, TRUNCATE false) app.staff;

-- transhume: verify on target
SELECT expected.name || ' is not there, not valid, or not what it was' AS problem
FROM (
  VALUES
    ('staff_pkey', NULL)
) AS expected (name, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
  WHERE i.indrelid = to_regclass('app.staff')
    AND c.relname = expected.name
    AND i.indisvalid
    AND coalesce(expected.definition, '') IN ('', coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(c.oid)))
);

-- transhume: revert on target
ALTER TABLE app.staff DROP CONSTRAINT IF EXISTS staff_pkey;
