CREATE TABLE patient (country text, no integer, name text, PRIMARY KEY (country, no));
CREATE TABLE visit (country text, no integer, day date, note text, PRIMARY KEY (country, no, day), FOREIGN KEY (country, no) REFERENCES patient);
INSERT INTO patient SELECT (ARRAY['de', 'a,"b', ''])[n % 3 + 1], n, 'patient ' || n FROM generate_series(1, 20) AS n;
INSERT INTO visit SELECT country, no, date '2025-01-01' + d, nullif(d, 2) FROM patient, generate_series(1, 3) AS d;
