CREATE TABLE place (id integer PRIMARY KEY, lft integer, rght integer, tree_id smallint, name text NOT NULL);
CREATE TABLE region (id bigint PRIMARY KEY, lo bigint NOT NULL, hi bigint NOT NULL);
-- tree 1: 1 has 2 and 5, 2 has 3 and 4; tree 2: 6 has 7, which is filtered and has 8; tree 3: 9 and 10 cross, 11 ends
-- before it begins, 12 says nothing, 13 begins and does not end
INSERT INTO place VALUES (1, 1, 10, 1, 'a'), (2, 2, 7, 1, 'c'), (3, 3, 4, 1, 'b'), (4, 5, 6, 1, 'a'), (5, 8, 9, 1, 'b'),
  (6, 1, 6, 2, 'b'), (7, 2, 5, 2, 'hidden'), (8, 3, 4, 2, 'c'), (9, 1, 4, 3, 'x'), (10, 2, 6, 3, 'y'), (11, 9, 8, 3, 'z'),
  (12, NULL, NULL, 3, 'n'), (13, 20, NULL, 3, 'm');
INSERT INTO region VALUES (10, 1, 100), (20, 5, 50), (30, 6, 7), (40, 60, 70), (50, 200, 300), (60, 201, 202), (70, 205, 299), (80, 206, 207);
