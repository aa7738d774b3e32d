CREATE TABLE store (id integer PRIMARY KEY, manager_id integer NOT NULL);
CREATE TABLE staff (id integer PRIMARY KEY, store_id integer NOT NULL, boss_id integer);
INSERT INTO store SELECT n, n * 2 FROM generate_series(1, 11) AS n;
-- nobody manages store 11, and where store 98 should be, it takes staff 18, store 9, staff 8, store 4 and staff 3 and 13 with it
INSERT INTO staff SELECT n, CASE n WHEN 18 THEN 98 ELSE n % 10 + 1 END, nullif(n - 1, 0) FROM generate_series(1, 20) AS n;
