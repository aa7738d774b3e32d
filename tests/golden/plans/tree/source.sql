CREATE TABLE account (id integer PRIMARY KEY, user_id integer NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE comment (
  id integer PRIMARY KEY,
  parent_id integer,
  author_id integer,
  body text NOT NULL,
  is_deleted boolean NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON comment (parent_id);
INSERT INTO account SELECT n, n + 100, 'account ' || n FROM generate_series(1, 9) AS n;
-- 1-6 a thread of six levels, a reply with a smaller id than its parent; 7 its own parent; 8 an orphan, with a reply;
-- 10 to 12 a cycle, from which 13 and 14 hang; 15 deleted, with a reply; 16 deleted, without; 17 deleted, with only 16;
-- 18 of an author that is not there
INSERT INTO comment
SELECT c.id, c.parent_id, CASE c.id WHEN 18 THEN 999 WHEN 7 THEN NULL ELSE 101 + c.id % 9 END, 'comment ' || c.id,
       c.id IN (15, 16, 17), timestamptz '2025-01-01 12:00Z' - c.id * interval '1 hour'
FROM (VALUES (1, NULL), (2, 1), (3, 6), (4, 3), (5, 4), (6, 2), (7, 7), (8, 99), (9, 8), (10, 12), (11, 10), (12, 11), (13, 11), (14, 13),
             (15, 1), (16, 17), (17, 1), (18, 1), (19, 18), (20, 15)) AS c (id, parent_id);
