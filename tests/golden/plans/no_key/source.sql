CREATE TABLE patient (id integer PRIMARY KEY, name text);
CREATE TABLE visit (patient_id integer, note text);
INSERT INTO patient SELECT n, 'patient ' || n FROM generate_series(1, 20) AS n;
INSERT INTO visit SELECT n % 22 + 1, nullif(n % 3, 0) FROM generate_series(1, 60) AS n;
