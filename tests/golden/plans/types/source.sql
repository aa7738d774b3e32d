CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
CREATE DOMAIN year AS integer CHECK (VALUE > 1900);
CREATE TABLE patient (id integer PRIMARY KEY, mood mood, moods mood[], born year, tags text[], at timestamptz(3), data bytea);
INSERT INTO patient VALUES (1, 'sad', '{sad,"it''s ok",NULL}', 1970, '{a,"b c"}', '2025-01-01 12:00+00', '\x00ff');
INSERT INTO patient VALUES (2, NULL, '{}', NULL, NULL, 'infinity', ''), (3, 'it''s ok', NULL, 2000, '{}', NULL, NULL);
