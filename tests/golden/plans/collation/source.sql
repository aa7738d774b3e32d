CREATE COLLATION plain FROM "C";
CREATE TABLE patient (id integer PRIMARY KEY, name text COLLATE plain NOT NULL, born text COLLATE "C");
CREATE TABLE visit (
  id bigint PRIMARY KEY,
  patient_id integer NOT NULL CONSTRAINT visit_patient_fk REFERENCES patient,
  status smallint,
  fee numeric(12,2),
  at timestamp
);
INSERT INTO patient SELECT n, 'patient ' || n, (ARRAY['24.12.1970', '31.02.1970', NULL])[n % 3 + 1] FROM generate_series(1, 20) AS n;
INSERT INTO visit SELECT n * 10, n % 20 + 1, n % 4, n * 1.5 - 3, timestamp '2025-01-30 12:00' + n * interval '6 hours'
FROM generate_series(1, 60) AS n;
