CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
CREATE DOMAIN temper AS mood;
CREATE DOMAIN short AS varchar(5) CHECK (VALUE <> 'bad');
CREATE DOMAIN amount AS numeric(6,2);
CREATE TABLE patient (
  id integer PRIMARY KEY, mood mood, temper temper, code short, price amount, tags varchar(3)[], span int4range, ip inet,
  at timestamptz(3), flags bit(4), doc jsonb, note character(6), much numeric, raw bytea, clock time(2), iv interval,
  word text, remark text
);
INSERT INTO patient
SELECT n, CASE n % 3 WHEN 0 THEN 'sad' WHEN 1 THEN 'it''s ok' END::mood, CASE n % 2 WHEN 0 THEN 'sad' END::mood::temper,
       (ARRAY['a', 'b c', NULL, 'ä€', 'ok'])[n % 5 + 1], n * 1.25, ARRAY['x', NULL, 'y' || n % 10], int4range(n, n + 3),
       '10.0.0.1/8', timestamptz '2025-01-01 12:00+00' + n * interval '1 hour 3 milliseconds', (n % 16)::bit(4),
       jsonb_build_object('n', n), 'n' || n, CASE WHEN n % 7 = 0 THEN 'NaN' ELSE n / 3.0 END, decode('00ff', 'hex'),
       time '12:00' + n * interval '1.5 seconds', n * interval '1 month 1 day',
       (ARRAY['sad', 'it''s ok', 'neither', NULL, 'sad', 'sad'])[n % 6 + 1], (ARRAY['fine', 'ok', NULL, 'bad'])[n % 4 + 1]
FROM generate_series(1, 60) AS n;
CREATE TABLE visit (id integer PRIMARY KEY, note text);
INSERT INTO visit SELECT n, 'note ' || n FROM generate_series(1, 10) AS n;
