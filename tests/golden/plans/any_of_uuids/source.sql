CREATE TABLE patient (id integer PRIMARY KEY, name text NOT NULL, born text);
CREATE TABLE visit (id bigint PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE note (id integer PRIMARY KEY, kind smallint NOT NULL, object_id text NOT NULL, about text, number integer);
INSERT INTO patient SELECT n, 'patient ' || n, NULL FROM generate_series(1, 20) AS n;
INSERT INTO visit SELECT n * 10, 'v' || n FROM generate_series(1, 30) AS n;
INSERT INTO note
SELECT n, (ARRAY[7, 8, 9])[n % 3 + 1], CASE WHEN n % 3 = 2 THEN (n * 10)::text ELSE n::text END, (ARRAY['Patient', 'Visit'])[n % 2 + 1],
  CASE WHEN n % 2 = 1 THEN n * 10 ELSE n END
FROM generate_series(1, 40) AS n;
INSERT INTO note VALUES (101, 11, '1', 'Patient', 1), (102, 7, 'seven', NULL, NULL), (103, 7, '3', 'Invoice', 3);
