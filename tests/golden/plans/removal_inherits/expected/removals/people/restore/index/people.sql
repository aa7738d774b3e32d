-- index.people: app.people: staff_old
-- from   specs/demo/removals/people.yaml:1
-- after  refill.people-rest
-- locks  SHARE UPDATE EXCLUSIVE on app.staff (CREATE INDEX CONCURRENTLY, outside of a transaction)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: probe of "app.staff: staff_old" on target
SELECT CASE
  WHEN c.oid IS NULL THEN 'absent'
  WHEN i.indrelid IS DISTINCT FROM to_regclass('app.staff') THEN 'staff_old is there, and is another table''s'
  WHEN i.indisvalid AND i.indisready THEN 'valid'
  ELSE 'invalid'
END AS state
FROM (SELECT to_regclass('app.staff_old')) AS c (oid)
LEFT JOIN pg_index AS i ON i.indexrelid = c.oid;

-- transhume: clear of "app.staff: staff_old" on target
-- SHARE UPDATE EXCLUSIVE on app.staff
DROP INDEX CONCURRENTLY app.staff_old;

-- transhume: build of "app.staff: staff_old" on target -- outside
-- SHARE UPDATE EXCLUSIVE on app.staff
CREATE INDEX CONCURRENTLY staff_old ON app.staff USING btree (old_code);
