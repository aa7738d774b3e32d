CREATE TABLE patient (id integer PRIMARY KEY, ssn text UNIQUE);
CREATE TABLE visit (id integer PRIMARY KEY, a integer, b integer, c integer, d text, e text, f text);
INSERT INTO patient SELECT n, 's' || n FROM generate_series(1, 20) AS n;
INSERT INTO visit SELECT n, n % 22 + 1, n % 25 + 1, 7, 's' || n % 20 + 1, 's' || n % 30 + 1, NULL FROM generate_series(1, 100) AS n;
