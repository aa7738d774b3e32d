CREATE TABLE patient (id integer PRIMARY KEY, name text);
CREATE TABLE visit (id integer PRIMARY KEY, patient_id integer, note text);
INSERT INTO patient SELECT n, 'patient ' || n FROM generate_series(1, 20) AS n;
-- patients 1, 3 and 5 have two notes each, 7 has three, of which one is empty; 21 and 23 are not there
INSERT INTO visit SELECT n, n, 'note ' || n FROM generate_series(1, 23, 2) AS n;
INSERT INTO visit VALUES (2, 1, 'a'), (4, 3, 'b'), (6, 5, 'c'), (8, 7, NULL), (10, 7, 'e');
