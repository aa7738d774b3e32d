CREATE TABLE django_content_type (id integer PRIMARY KEY, app_label varchar(100) NOT NULL, model varchar(100) NOT NULL);
CREATE TABLE patient (id integer PRIMARY KEY, name text NOT NULL, born text);
CREATE TABLE visit (id bigint PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE note (
  id integer PRIMARY KEY,
  content_type_id integer REFERENCES django_content_type,
  object_id text,
  author_type integer,
  author_id integer
);
INSERT INTO django_content_type VALUES (7, 'clinic', 'patient'), (9, 'clinic', 'visit'), (11, 'clinic', 'invoice');
INSERT INTO patient SELECT n, 'patient ' || n, NULL FROM generate_series(1, 20) AS n;
INSERT INTO visit SELECT n * 10, 'v' || n FROM generate_series(1, 30) AS n;
INSERT INTO note SELECT
  n,
  (ARRAY[7, 9, NULL])[n % 3 + 1],
  CASE WHEN n % 3 = 1 THEN (n * 10)::text ELSE n::text END,
  (ARRAY[7, 9])[n % 2 + 1],
  CASE WHEN n % 2 = 1 THEN n * 10 ELSE n END
FROM generate_series(1, 40) AS n;
INSERT INTO note VALUES
  (101, 11, '1', 7, 1),
  (102, 7, 'seven', 7, 1),
  (103, 9, '99999999999999999999', 7, 1),
  (104, 7, ' +4 ', NULL, 5),
  (105, 9, NULL, 99, 5);
