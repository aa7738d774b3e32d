CREATE TABLE post (id integer PRIMARY KEY, tree_path text, name text, size text);
CREATE TABLE category (id uuid PRIMARY KEY, path varchar(255) NOT NULL UNIQUE COLLATE "C", name text NOT NULL);
-- 1 a thread; 5 lost its parent; 7 below 6, which cannot move; 9 below 8, which is filtered; 10 has two rows of one path
INSERT INTO post VALUES (1, '0001', 'a', '1'), (2, '0001/0002', 'b', '2'), (3, '0001/0002/0003', 'c', NULL), (4, '/0001/0004/', 'd', NULL),
  (5, '0099/0005', 'e', NULL), (6, '0001/0006', 'f', 'big'), (7, '0001/0006/0007', 'g', NULL), (8, '0001/0008', 'hidden', NULL),
  (9, '0001/0008/0009', 'i', NULL), (10, '0010', 'j', NULL), (11, '0010', 'k', NULL), (12, '0010/0012', 'l', NULL), (13, '', 'm', NULL),
  (14, NULL, 'n', NULL), (15, '0099/0005/0015', 'o', NULL);
INSERT INTO category
SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, path, 'category ' || n
FROM unnest(ARRAY['0001', '00010001', '00010002', '000100020001', '0002', '00020001', '0003000100010001', '000A', '000A0001'])
  WITH ORDINALITY AS p (path, n);
