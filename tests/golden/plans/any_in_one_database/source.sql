CREATE TABLE django_content_type (id integer PRIMARY KEY, app_label varchar(100) NOT NULL, model varchar(100) NOT NULL);
CREATE TABLE patient (id integer PRIMARY KEY, name text NOT NULL, born text);
CREATE TABLE visit (id bigint PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE note (id integer PRIMARY KEY, content_type_id integer NOT NULL REFERENCES django_content_type, object_id text NOT NULL);
INSERT INTO django_content_type VALUES (7, 'clinic', 'patient'), (9, 'clinic', 'visit'), (11, 'clinic', 'note'), (13, 'clinic', 'invoice');
INSERT INTO patient SELECT n, 'patient ' || n, NULL FROM generate_series(1, 20) AS n;
INSERT INTO visit SELECT n * 10, 'v' || n FROM generate_series(1, 30) AS n;
INSERT INTO note
SELECT n, (ARRAY[7, 9, 11])[n % 3 + 1], CASE WHEN n % 3 = 1 THEN (n * 10)::text ELSE (n + 2)::text END FROM generate_series(1, 40) AS n;
INSERT INTO note VALUES (101, 13, '1'), (102, 7, 'seven'), (103, 11, '101'), (104, 11, '103');
