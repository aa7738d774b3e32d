CREATE TABLE channel (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE message (id integer PRIMARY KEY, body text NOT NULL, about integer, about_id text);
CREATE TABLE reply (message_id integer NOT NULL, parent_id integer NOT NULL, PRIMARY KEY (message_id, parent_id));
CREATE TABLE forward (of_id bigint, to_id bigint, at date);
INSERT INTO channel SELECT n, 'channel ' || n FROM generate_series(1, 3) AS n;
-- 1 its own parent, with 2 to 5; 6 with two parents, and 7 below it; 8 an orphan; 9 and 10 each other's; 11 about
-- nothing that is there, with 12; 13 about a type that nobody knows; 14 its own parent and 1's
INSERT INTO message
SELECT n, 'message ' || n, CASE n WHEN 11 THEN 1 WHEN 13 THEN 3 WHEN 2 THEN 1 WHEN 3 THEN 2 END, CASE n WHEN 11 THEN '99' ELSE '2' END
FROM generate_series(1, 15) AS n;
INSERT INTO reply VALUES (1, 1), (2, 1), (3, 2), (4, 3), (5, 1), (6, 2), (6, 1), (7, 6), (8, 99), (9, 10), (10, 9), (11, 1), (12, 11),
  (13, 1), (14, 14), (14, 1);
INSERT INTO forward SELECT message_id, parent_id, NULL FROM reply;
INSERT INTO forward VALUES (NULL, 3, NULL), (15, NULL, NULL), (3, 2, NULL);
