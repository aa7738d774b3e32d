-- The legacy database of the workload, as an application of the Django kind leaves it: integer keys, dates and numbers
-- kept as text, states as small numbers, one key in a hundred of the comments' parents that leads nowhere.
-- psql -v users=50000 -v doctors=5000 -v patients=500000 -v orders=2000000 -v comments=1000000 -v messages=1000000
-- The same numbers, the same rows: chance is a hash of the row's number, and no clock is asked.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET synchronous_commit = off;
SET timezone = 'UTC';

CREATE SCHEMA dice;
-- A number from 0 up to `sides`; `salt` tells the columns apart.
CREATE FUNCTION dice.roll(row_number bigint, salt bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (hashint8extended(row_number, salt) & 9223372036854775807) % sides;
CREATE FUNCTION dice.pick(row_number bigint, salt bigint, VARIADIC choices text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN choices[1 + (hashint8extended(row_number, salt) & 9223372036854775807) % cardinality(choices)];
-- Nine kilobytes of words, of which notes and bodies are cut; a tab, a backslash and letters of two bytes among them.
CREATE TABLE dice.prose AS
  SELECT string_agg(dice.pick(n, 1, 'crown', 'please', 'check', 'margins', 'on', 'tooth', 'the', 'scan', 'is', 'blurred', 'shade',
    'as', 'agreed', 'Grüße', 'remake', 'before', 'Friday', 'patient', 'late', 'naïve', 'bridge', 'with', '"quotes"', 'back\slash',
    E'tab\tstop', 'O''Neil', 'invoice', 'paid', 'twice', 'wax', 'model', 'sent', 'by', 'courier', 'to', 'lab', 'again'), ' ') AS words
  FROM generate_series(1, 1450) AS n;
CREATE FUNCTION dice.prose(row_number bigint, salt bigint, shortest bigint, longest bigint, words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN substr(words, 1 + dice.roll(row_number, salt, 7500)::integer,
                (shortest + dice.roll(row_number, salt + 1, 1000) * dice.roll(row_number, salt + 2, 1000) * (longest - shortest) / 1000000)::integer);

CREATE TABLE core_office (
  id serial PRIMARY KEY, name varchar(120) NOT NULL, code varchar(12) NOT NULL UNIQUE, address jsonb NOT NULL,
  timezone varchar(40) NOT NULL, is_active boolean NOT NULL, created timestamptz NOT NULL, modified timestamptz NOT NULL
);
CREATE TABLE accounts_user (
  id serial PRIMARY KEY, password varchar(128) NOT NULL, last_login timestamptz, is_superuser boolean NOT NULL,
  username varchar(150) NOT NULL UNIQUE, first_name varchar(150) NOT NULL, last_name varchar(150) NOT NULL,
  email varchar(254) NOT NULL, is_staff boolean NOT NULL, is_active boolean NOT NULL, date_joined timestamptz NOT NULL
);
CREATE TABLE accounts_profile (
  id serial PRIMARY KEY, user_id integer NOT NULL, office_id integer NOT NULL, phone varchar(32), settings jsonb NOT NULL,
  kind smallint NOT NULL, created timestamptz NOT NULL, modified timestamptz NOT NULL
);
CREATE TABLE care_doctor (
  id serial PRIMARY KEY, user_id integer NOT NULL, office_id integer NOT NULL, license varchar(32) NOT NULL,
  npi varchar(16) NOT NULL, specialties jsonb NOT NULL, created timestamptz NOT NULL, modified timestamptz NOT NULL
);
CREATE TABLE care_patient (
  id serial PRIMARY KEY, doctor_id integer NOT NULL, user_id integer, office_id integer NOT NULL,
  first_name varchar(80) NOT NULL, last_name varchar(80) NOT NULL, dob varchar(10), sex char(1) NOT NULL,
  email varchar(254), phone varchar(32), notes text NOT NULL, meta jsonb NOT NULL, balance numeric(12,2) NOT NULL,
  created timestamptz NOT NULL, modified timestamptz NOT NULL
);
CREATE TABLE care_order (
  id serial PRIMARY KEY, patient_id integer NOT NULL, doctor_id integer NOT NULL, office_id integer NOT NULL,
  created_by_id integer, state smallint NOT NULL, number varchar(24) NOT NULL, total numeric(12,2) NOT NULL,
  tax varchar(10) NOT NULL, items jsonb NOT NULL, memo text NOT NULL, due date, shipped timestamptz,
  created timestamptz NOT NULL, modified timestamptz NOT NULL
);
CREATE TABLE care_comment (
  id serial PRIMARY KEY, order_id integer NOT NULL, parent_id integer, author_id integer NOT NULL, body text NOT NULL,
  is_deleted boolean NOT NULL, created timestamptz NOT NULL
);
CREATE TABLE inbox_message (
  id bigserial, sender_id integer NOT NULL, recipient_id integer NOT NULL, order_id integer, body text NOT NULL,
  payload jsonb NOT NULL, created timestamptz NOT NULL, PRIMARY KEY (id, created)
) PARTITION BY RANGE (created);
SELECT format('CREATE TABLE inbox_message_%s PARTITION OF inbox_message FOR VALUES FROM (%L) TO (%L)',
              to_char(month, 'YYYY_MM'), month, month + interval '1 month')
  FROM generate_series(timestamptz '2025-01-01', timestamptz '2025-12-01', interval '1 month') AS month \gexec

INSERT INTO core_office (name, code, address, timezone, is_active, created, modified)
SELECT 'Practice ' || n, 'PR' || lpad(n::text, 5, '0'),
  jsonb_build_object('street', dice.roll(n, 11, 900) || ' Oak Avenue', 'city', dice.pick(n, 12, 'Austin', 'Zürich', 'Québec', 'Leeds'),
                     'zip', lpad(dice.roll(n, 13, 99999)::text, 5, '0')),
  dice.pick(n, 14, 'America/Chicago', 'Europe/Zurich', 'America/Toronto', 'Europe/London'), dice.roll(n, 15, 10) < 9,
  timestamptz '2019-03-01' + n * interval '2 hours', timestamptz '2025-01-01' + dice.roll(n, 16, 25920000) * interval '1 second'
FROM generate_series(1, 200) AS n;

INSERT INTO accounts_user (password, last_login, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
SELECT 'pbkdf2_sha256$390000$' || md5('salt' || n) || '$' || md5('first' || n) || md5('second' || n),
  CASE WHEN dice.roll(n, 21, 5) < 4 THEN timestamptz '2025-01-01' + dice.roll(n, 22, 25920000) * interval '1 second' END,
  n <= 5, 'login' || n, dice.pick(n, 23, 'Asha', 'Ben', 'Chloé', 'Dmitri', 'Esi', 'Farid', 'Greta', 'Hiro'),
  dice.pick(n, 24, 'Baker', 'O''Neil', 'Müller', 'García', 'Ivanov', 'Chen', 'Okoro', 'Haddad') || n % 911,
  'login' || n || '@mail.example', dice.roll(n, 25, 20) = 0, dice.roll(n, 26, 20) > 0, timestamptz '2019-03-01' + n * interval '55 minutes'
FROM generate_series(1, :users) AS n;

INSERT INTO accounts_profile (user_id, office_id, phone, settings, kind, created, modified)
SELECT n, 1 + dice.roll(n, 31, 200), CASE WHEN dice.roll(n, 32, 10) > 0 THEN '+1' || 2000000000 + dice.roll(n, 33, 7999999999) END,
  jsonb_build_object('language', dice.pick(n, 34, 'en', 'fr', 'de'), 'notify', dice.roll(n, 35, 2) = 0,
                     'theme', jsonb_build_object('dark', dice.roll(n, 36, 3) = 0, 'size', dice.roll(n, 37, 20))),
  dice.roll(n, 38, 5), timestamptz '2019-03-01' + n * interval '55 minutes', timestamptz '2025-01-01' + dice.roll(n, 39, 25920000) * interval '1 second'
FROM generate_series(1, :users) AS n;

INSERT INTO care_doctor (user_id, office_id, license, npi, specialties, created, modified)
SELECT n, 1 + dice.roll(n, 41, 200), 'L-' || upper(substr(md5(n::text), 1, 10)), (1000000000 + dice.roll(n, 42, 999999999))::text,
  to_jsonb((ARRAY['implants', 'general', 'children', 'surgery', 'roots'])[1:1 + dice.roll(n, 43, 4)]),
  timestamptz '2019-03-01' + n * interval '5 hours', timestamptz '2025-01-01' + dice.roll(n, 44, 25920000) * interval '1 second'
FROM generate_series(1, :doctors) AS n;

INSERT INTO care_patient (doctor_id, user_id, office_id, first_name, last_name, dob, sex, email, phone, notes, meta, balance, created, modified)
SELECT 1 + dice.roll(n, 51, :doctors), CASE WHEN dice.roll(n, 52, 12) = 0 THEN 1 + dice.roll(n, 53, :users) END, 1 + dice.roll(n, 54, 200),
  dice.pick(n, 55, 'Asha', 'Ben', 'Chloé', 'Dmitri', 'Esi', 'Farid', 'Greta', 'Hiro'),
  dice.pick(n, 56, 'Baker', 'O''Neil', 'Müller', 'García', 'Ivanov', 'Chen', 'Okoro', 'Haddad') || n % 7907,
  CASE WHEN dice.roll(n, 57, 33) > 0 THEN (date '1938-01-01' + dice.roll(n, 58, 28000)::integer)::text END, dice.pick(n, 59, 'F', 'M', 'U'),
  CASE WHEN dice.roll(n, 510, 10) < 7 THEN 'patient' || n || '@mail.example' END,
  CASE WHEN dice.roll(n, 511, 5) < 4 THEN '+1' || 2000000000 + dice.roll(n, 512, 7999999999) END,
  dice.prose(n, 513, 0, 500, words),
  jsonb_build_object('source', dice.pick(n, 516, 'web', 'phone', 'referral', 'import'), 'score', dice.roll(n, 517, 10000) * 0.01,
                     'tags', to_jsonb((ARRAY['vip', 'minor', 'relapse', 'allergy'])[1:dice.roll(n, 518, 5)]), 'old_number', n * 7),
  dice.roll(n, 519, 500000) * 0.01, timestamptz '2020-06-01' + n * interval '5 minutes', timestamptz '2025-01-01' + dice.roll(n, 520, 25920000) * interval '1 second'
FROM generate_series(1, :patients) AS n, dice.prose;

INSERT INTO care_order (patient_id, doctor_id, office_id, created_by_id, state, number, total, tax, items, memo, due, shipped, created, modified)
SELECT 1 + dice.roll(n, 61, :patients), 1 + dice.roll(n, 62, :doctors), 1 + dice.roll(n, 63, 200),
  CASE WHEN dice.roll(n, 64, 20) > 0 THEN 1 + dice.roll(n, 65, :users) END, dice.roll(n, 66, 7), 'C-' || lpad(n::text, 10, '0'),
  dice.roll(n, 67, 900000) * 0.01, dice.pick(n, 68, '0.0825', '0.0', '0.077', '0.19', '0.05'),
  jsonb_build_array(
    jsonb_build_object('sku', 'CR-' || dice.roll(n, 69, 900), 'count', 1 + dice.roll(n, 610, 30), 'price', dice.roll(n, 611, 30000) * 0.01),
    jsonb_build_object('sku', 'BR-' || dice.roll(n, 612, 90), 'count', 1, 'price', dice.roll(n, 613, 9000) * 0.01)),
  dice.prose(n, 614, 0, 260, words), CASE WHEN dice.roll(n, 617, 5) < 3 THEN date '2022-01-03' + n / 1500 END,
  CASE WHEN dice.roll(n, 618, 10) < 7 THEN timestamptz '2022-01-06' + n * interval '1 minute' END,
  timestamptz '2022-01-01' + n * interval '1 minute', timestamptz '2025-01-01' + dice.roll(n, 619, 25920000) * interval '1 second'
FROM generate_series(1, :orders) AS n, dice.prose;

-- Threads of 13, each an answer to the comment before it or to the one before that.
INSERT INTO care_comment (order_id, parent_id, author_id, body, is_deleted, created)
SELECT 1 + (n - 1) / 13 * 7919 % :orders,
  CASE WHEN (n - 1) % 13 = 0 THEN NULL WHEN dice.roll(n, 71, 100) = 0 THEN 50000000 + n
       WHEN (n - 1) % 13 = 1 OR dice.roll(n, 72, 10) < 7 THEN n - 1 ELSE n - 2 END,
  1 + dice.roll(n, 73, :users), dice.prose(n, 74, 10, 400, words), dice.roll(n, 77, 50) = 0, timestamptz '2022-02-01' + n * interval '110 seconds'
FROM generate_series(1::bigint, :comments) AS n, dice.prose;

INSERT INTO inbox_message (sender_id, recipient_id, order_id, body, payload, created)
SELECT 1 + dice.roll(n, 81, :users), 1 + dice.roll(n, 82, :users), CASE WHEN dice.roll(n, 83, 2) = 0 THEN 1 + dice.roll(n, 84, :orders) END,
  dice.prose(n, 85, 10, 500, words),
  jsonb_build_object('channel', dice.pick(n, 88, 'chat', 'mail', 'text'), 'read', dice.roll(n, 89, 10) < 7, 'attempts', dice.roll(n, 810, 4)),
  timestamptz '2025-01-01' + n::float8 / :messages * interval '364 days'
FROM generate_series(1, :messages) AS n, dice.prose;

CREATE UNIQUE INDEX ON accounts_profile (user_id);
CREATE INDEX ON accounts_profile (office_id);
CREATE INDEX ON care_doctor (user_id);
CREATE INDEX ON care_doctor (office_id);
CREATE INDEX ON care_patient (doctor_id);
CREATE INDEX ON care_patient (user_id);
CREATE INDEX ON care_patient (office_id);
CREATE INDEX ON care_patient (modified);
CREATE INDEX ON care_order (patient_id);
CREATE INDEX ON care_order (doctor_id);
CREATE INDEX ON care_order (office_id);
CREATE INDEX ON care_order (created_by_id);
CREATE INDEX ON care_order (modified);
CREATE INDEX ON care_comment (order_id);
CREATE INDEX ON care_comment (parent_id);
CREATE INDEX ON care_comment (author_id);
CREATE INDEX ON inbox_message (sender_id);
CREATE INDEX ON inbox_message (recipient_id);
CREATE INDEX ON inbox_message (order_id);
ALTER TABLE accounts_profile ADD FOREIGN KEY (user_id) REFERENCES accounts_user, ADD FOREIGN KEY (office_id) REFERENCES core_office;
ALTER TABLE care_doctor ADD FOREIGN KEY (user_id) REFERENCES accounts_user, ADD FOREIGN KEY (office_id) REFERENCES core_office;
ALTER TABLE care_patient ADD FOREIGN KEY (doctor_id) REFERENCES care_doctor, ADD FOREIGN KEY (user_id) REFERENCES accounts_user,
  ADD FOREIGN KEY (office_id) REFERENCES core_office;
ALTER TABLE care_order ADD FOREIGN KEY (patient_id) REFERENCES care_patient, ADD FOREIGN KEY (doctor_id) REFERENCES care_doctor,
  ADD FOREIGN KEY (office_id) REFERENCES core_office, ADD FOREIGN KEY (created_by_id) REFERENCES accounts_user;
ALTER TABLE care_comment ADD FOREIGN KEY (order_id) REFERENCES care_order, ADD FOREIGN KEY (author_id) REFERENCES accounts_user;
ALTER TABLE inbox_message ADD FOREIGN KEY (sender_id) REFERENCES accounts_user, ADD FOREIGN KEY (recipient_id) REFERENCES accounts_user;
DROP SCHEMA dice CASCADE;
VACUUM (ANALYZE, FREEZE);
