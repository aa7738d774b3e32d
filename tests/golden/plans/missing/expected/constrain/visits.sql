-- constrain.visits: app.visits: visits_a_fkey, visits_b_fkey, visits_c_fkey, visits_f_fkey, visits_d_fkey,
--     visits_e_fkey
-- from   specs/demo/tables/visits.yaml:1
-- after  reconcile.visits, index.patients, reconcile.patients
-- locks  SHARE ROW EXCLUSIVE on app.visits, app.patients (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.visits (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.patients (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.visits ADD CONSTRAINT visits_a_fkey FOREIGN KEY (a) REFERENCES app.patients (id) NOT VALID;
ALTER TABLE app.visits ADD CONSTRAINT visits_b_fkey FOREIGN KEY (b) REFERENCES app.patients (id) NOT VALID;
ALTER TABLE app.visits ADD CONSTRAINT visits_c_fkey FOREIGN KEY (c) REFERENCES app.patients (id) NOT VALID;
ALTER TABLE app.visits ADD CONSTRAINT visits_f_fkey FOREIGN KEY (f) REFERENCES app.patients (id) NOT VALID;
ALTER TABLE app.visits ADD CONSTRAINT visits_d_fkey FOREIGN KEY (d) REFERENCES app.patients (id) NOT VALID;
ALTER TABLE app.visits ADD CONSTRAINT visits_e_fkey FOREIGN KEY (e) REFERENCES app.patients (id) NOT VALID;

-- transhume: build of "visits_a_fkey" on target
ALTER TABLE app.visits VALIDATE CONSTRAINT visits_a_fkey;

-- transhume: build of "visits_b_fkey" on target
ALTER TABLE app.visits VALIDATE CONSTRAINT visits_b_fkey;

-- transhume: build of "visits_c_fkey" on target
ALTER TABLE app.visits VALIDATE CONSTRAINT visits_c_fkey;

-- transhume: build of "visits_f_fkey" on target
ALTER TABLE app.visits VALIDATE CONSTRAINT visits_f_fkey;

-- transhume: build of "visits_d_fkey" on target
ALTER TABLE app.visits VALIDATE CONSTRAINT visits_d_fkey;

-- transhume: build of "visits_e_fkey" on target
ALTER TABLE app.visits VALIDATE CONSTRAINT visits_e_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('visits_a_fkey', true, NULL),
    ('visits_b_fkey', true, NULL),
    ('visits_c_fkey', true, NULL),
    ('visits_f_fkey', true, NULL),
    ('visits_d_fkey', true, NULL),
    ('visits_e_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.visits')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_a_fkey;
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_b_fkey;
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_c_fkey;
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_f_fkey;
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_d_fkey;
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_e_fkey;
