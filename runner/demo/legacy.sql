-- A fifteen-year-old Django database, as the demo's source: its tables and its dirt.
--
-- Reads the setting demo.scale (1: about 200,000 rows) and fills an empty database, the same rows on every machine and
-- every day: nothing is random, nothing asks the clock. The rows of a table come from one INSERT; keys, indexes and
-- foreign keys come after them. The dirt, as shares of each table's rows:
--
--   auth_user         0.1  %  e-mail that another user has, in other case
--   dispatch_profile  0.1  %  unknown user_type          0.1  %  settings cut off in the middle of their JSON
--                     0.1  %  office that was deleted
--   dispatch_doctor   0.3  %  office that was deleted
--   dispatch_patient  0.3  %  unparsable dob ('00.00.0000', '31.02.1999', 'unknown', '')
--                     0.2  %  e-mail that another patient has, in other case
--                     0.05 %  office that was deleted    0.5  %  doctor that was deleted    0.02 %  no balance
--   dispatch_order    0.2  %  patient that was deleted   0.1  %  office that was deleted    0.1  %  unknown status
--                     0.05 %  tax_rate 'n/a'             0.05 %  unparsable due             0.05 %  negative total
--                     0.02 %  no total                   0.3  %  voided (not dirt: the specs leave them behind)
--   dispatch_comment  1    %  parent that was deleted    0.14 %  answers that lead back to themselves, in 20 cycles
--                     2    %  deleted (not dirt: the answers to them stay)
--
-- Where the dirt is, the legacy schema has no foreign key; everywhere else it has Django's, DEFERRABLE INITIALLY DEFERRED.

SET LOCAL search_path = public;
SET LOCAL timezone = 'UTC';
SET LOCAL jit = off;

CREATE TABLE auth_user (
    id serial NOT NULL,
    password varchar(128) NOT NULL,
    last_login timestamptz,
    is_superuser boolean NOT NULL,
    username varchar(150) NOT NULL,
    first_name varchar(30) NOT NULL,
    last_name varchar(150) NOT NULL,
    email varchar(254) NOT NULL,
    is_staff boolean NOT NULL,
    is_active boolean NOT NULL,
    date_joined timestamptz NOT NULL
);

CREATE TABLE django_content_type (
    id serial NOT NULL,
    app_label varchar(100) NOT NULL,
    model varchar(100) NOT NULL
);

CREATE TABLE django_session (
    session_key varchar(40) NOT NULL,
    session_data text NOT NULL,
    expire_date timestamptz NOT NULL
);

CREATE TABLE dispatch_office (
    id serial NOT NULL,
    name varchar(120) NOT NULL,
    code varchar(12) NOT NULL,
    street varchar(200) NOT NULL,
    city varchar(80) NOT NULL,
    state char(2) NOT NULL,
    zip varchar(10) NOT NULL,
    phone varchar(32) NOT NULL,
    fax varchar(32),
    is_active boolean NOT NULL,
    as400_id integer,
    created timestamp NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE dispatch_profile (
    id serial NOT NULL,
    user_id integer NOT NULL,
    office_id integer,
    user_type smallint NOT NULL,
    settings text NOT NULL,
    phone varchar(32),
    legacy_patient_id integer,
    pager varchar(20),
    fax_code varchar(8),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE dispatch_doctor (
    id serial NOT NULL,
    profile_id integer NOT NULL,
    office_id integer NOT NULL,
    license_no varchar(20) NOT NULL,
    specialty varchar(60) NOT NULL,
    rating double precision,
    is_active smallint NOT NULL,
    signature_path varchar(200),
    created_at timestamptz NOT NULL
);

CREATE TABLE dispatch_patient (
    id serial NOT NULL,
    office_id integer NOT NULL,
    doctor_id integer,
    first_name varchar(60) NOT NULL,
    last_name varchar(60) NOT NULL,
    dob varchar(10),
    sex char(1),
    email varchar(254),
    phone varchar(32),
    street varchar(200) NOT NULL,
    city varchar(80) NOT NULL,
    state char(2) NOT NULL,
    zip varchar(10) NOT NULL,
    balance numeric(12,2),
    tags varchar(200) NOT NULL,
    notes text,
    import_batch integer,
    created timestamp NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE dispatch_order (
    id serial NOT NULL,
    "order" varchar(16) NOT NULL,
    "group" integer,
    patient_id integer NOT NULL,
    office_id integer NOT NULL,
    status smallint NOT NULL,
    tax_rate varchar(12),
    due varchar(10),
    items jsonb NOT NULL,
    total numeric(12,2),
    memo varchar(255),
    is_void boolean NOT NULL,
    shipping_hack varchar(40),
    placed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE dispatch_comment (
    id serial NOT NULL,
    content_type_id integer NOT NULL,
    object_id integer NOT NULL,
    user_id integer NOT NULL,
    parent_id integer,
    body text NOT NULL,
    is_deleted boolean NOT NULL,
    created_at timestamptz NOT NULL
);

-- What the rows are made of -------------------------------------------------------------------------------------------

-- a number from 0 to n - 1 that looks random, and is the same for the same i and salt
CREATE FUNCTION pg_temp.pick(i bigint, salt bigint, n integer) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN (hashint8extended(i, salt) & 2147483647)::integer % n;

-- whether row i has the dirt that `salt` stands for, in this many of 10,000 rows
CREATE FUNCTION pg_temp.dirty(i bigint, salt bigint, share integer) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN pg_temp.pick(i, salt, 10000) < share;

-- one of several words
CREATE FUNCTION pg_temp.one(words text[], i bigint, salt bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN words[1 + pg_temp.pick(i, salt, cardinality(words))];

CREATE FUNCTION pg_temp.phone(i bigint) RETURNS text LANGUAGE sql STABLE
    RETURN format('(%s) 555-%s', 201 + pg_temp.pick(i, 71, 700), lpad(pg_temp.pick(i, 72, 10000)::text, 4, '0'));

-- legacy ids have gaps where rows were deleted: i -> id; 38 k - 1 is nobody's id
CREATE FUNCTION pg_temp.id(i bigint) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN (i + i / 37)::integer;

CREATE FUNCTION pg_temp.deleted(i bigint, n integer) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN 38 * (1 + pg_temp.pick(i, 73, greatest(1, n / 37))) - 1;

CREATE TEMPORARY TABLE size ON COMMIT DROP AS
SELECT greatest(5, round(200 * scale))::integer AS offices,
       greatest(80, round(8000 * scale))::integer AS users,
       greatest(9, round(900 * scale))::integer AS doctors,
       greatest(400, round(40000 * scale))::integer AS patients,
       greatest(1000, round(100000 * scale))::integer AS orders,
       greatest(500, round(50000 * scale))::integer AS comments
FROM (SELECT current_setting('demo.scale')::double precision AS scale) AS s;

CREATE TEMPORARY TABLE word ON COMMIT DROP AS SELECT
    '{Ada,Albert,Alice,Amir,Ana,Andre,Anna,Anthony,Barbara,Beatriz,Benjamin,Brian,Camila,Carlos,Carol,Catherine,Chen,
      Daniel,David,Deborah,Diego,Donna,Dorothy,Edward,Elena,Elizabeth,Emily,Eric,Fatima,Frank,George,Gloria,Grace,
      Hannah,Henry,Ian,Irene,Isabel,Jack,James,Janet,Jason,Jorge,Joseph,Joyce,Juan,Julia,Karen,Kenji,Kevin,Laura,Leila,
      Linda,Lisa,Luis,Maria,Mark,Martha,Mary,Michael,Nadia,Nancy,Nicole,Noah,Olivia,Omar,Patricia,Paul,Peter,Rachel,
      Ramón,Robert,Rosa,Ruth,Samuel,Sandra,Sara,Sofía,Steven,Susan,Teresa,Thomas,Tyler,Victor,Virginia,Walter,Wei,
      William,Yolanda,Zoë}'::text[] AS firsts,
    '{Adams,Alvarez,Anderson,Bailey,Baker,Barnes,Bell,Bennett,Brooks,Brown,Bryant,Butler,Campbell,Carter,Castillo,Chavez,
      Clark,Collins,Cook,Cooper,Cox,Cruz,Davis,Diaz,Edwards,Evans,Fisher,Flores,Foster,Garcia,Gomez,Gonzalez,Gray,Green,
      Griffin,Hall,Harris,Hayes,Hernandez,Hill,Howard,Hughes,Jackson,James,Jenkins,Johnson,Jones,Kelly,Kim,King,Lee,
      Lewis,Long,Lopez,Martin,Martinez,Miller,Mitchell,Moore,Morales,Morgan,Morris,Müller,Murphy,Myers,Nelson,Nguyen,
      "O''Brien",Ortiz,Parker,Patel,Perez,Perry,Peterson,Phillips,Powell,Price,Ramirez,Reed,Reyes,Richardson,Rivera,
      Roberts,Robinson,Rodriguez,Rogers,Ross,Ruiz,Russell,Sanchez,Sanders,Scott,Smith,Stewart,Sullivan,Taylor,Thomas,
      Thompson,Torres,Turner,Walker,Ward,Watson,White,Williams,Wilson,Wood,Wright,Young}'::text[] AS lasts,
    '{Main St,Oak Ave,Maple Dr,Cedar Ln,Park Blvd,Washington St,Lake Rd,Hill St,Elm St,Walnut Ct,River Rd,Church St,
      Highland Ave,2nd St,3rd Ave,County Road 12,Sunset Blvd,Meadow Ln,Mill Rd,Pine St}'::text[] AS streets,
    '{Springfield|IL|627,Madison|WI|537,Austin|TX|787,Columbus|OH|432,Dayton|OH|454,Topeka|KS|666,Omaha|NE|681,Tulsa|OK|741,
      Aurora|IL|605,Peoria|IL|616,Fargo|ND|581,Boise|ID|837,Reno|NV|895,Eugene|OR|974,Mobile|AL|366,Macon|GA|312,
      Akron|OH|443,Erie|PA|165,Waco|TX|767,Duluth|MN|558}'::text[] AS cities,
    '{Family Practice,Internal Medicine,Pediatrics,Cardiology,Orthopedics,Physical Therapy,Dermatology,Oncology,Urology,
      Home Care}'::text[] AS specialties,
    '{"WCH-18 Wheelchair 18 in","WLK-02 Folding walker","CPAP-10 CPAP mask, medium","NEB-05 Nebulizer kit",
      "OXY-03 Oxygen tubing 7 ft","BED-40 Hospital bed rail","GLU-50 Test strips, box of 50","CAT-16 Catheter 16 Fr",
      "DRS-44 Foam dressing 4x4","CRU-01 Forearm crutches","TNS-07 TENS electrodes","COM-30 Compression stockings"}'::text[]
      AS supplies,
    '{gmail.com,yahoo.com,hotmail.com,aol.com,example.org,example.net,comcast.net}'::text[] AS domains;

-- The rows ------------------------------------------------------------------------------------------------------------

INSERT INTO django_content_type (id, app_label, model) VALUES
    (1, 'admin', 'logentry'), (2, 'auth', 'permission'), (3, 'auth', 'group'), (4, 'auth', 'user'),
    (5, 'contenttypes', 'contenttype'), (6, 'sessions', 'session'), (7, 'south', 'migrationhistory'),
    (9, 'dispatch', 'office'), (10, 'dispatch', 'profile'), (11, 'dispatch', 'doctor'), (12, 'dispatch', 'patient'),
    (15, 'dispatch', 'order'), (16, 'dispatch', 'comment');

INSERT INTO django_session
SELECT md5('session ' || i),
       encode(convert_to(format('%s:{"_auth_user_id": "%s"}', md5('salt ' || i), 1 + pg_temp.pick(i, 1, s.users)), 'UTF8'),
              'base64'),
       timestamptz '2024-11-01 00:00+00' + i * interval '47 minutes'
FROM size AS s, generate_series(1, s.users / 16) AS i;

INSERT INTO dispatch_office (id, name, code, street, city, state, zip, phone, fax, is_active, as400_id, created, updated_at)
SELECT i,
       format('%s %s', split_part(place, '|', 1),
              pg_temp.one('{Clinic,Family Health,Medical Group,Home Supply,Care Center,Rehab}', i, 2)) || ' #' || i,
       upper(left(split_part(place, '|', 1), 3)) || '-' || lpad(i::text, 6, '0'),
       format('%s %s', 100 + pg_temp.pick(i, 3, 9000), pg_temp.one(w.streets, i, 4)),
       split_part(place, '|', 1), split_part(place, '|', 2),
       split_part(place, '|', 3) || lpad(pg_temp.pick(i, 5, 100)::text, 2, '0'),
       pg_temp.phone(i),
       CASE WHEN pg_temp.pick(i, 6, 3) > 0 THEN pg_temp.phone(i + 500000) END,
       pg_temp.pick(i, 7, 12) > 0,
       CASE WHEN i < 60 THEN 40000 + 3 * i END,
       timestamp '2009-03-02 08:00' + i * interval '19 days 1 hour 7 minutes',
       timestamptz '2024-01-02 15:00+00' + i * interval '17 hours'
FROM size AS s, word AS w, generate_series(1, s.offices) AS i, pg_temp.one(w.cities, i, 8) AS place;

INSERT INTO auth_user
    (id, password, last_login, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
SELECT i, 'pbkdf2_sha256$260000$' || left(md5('salt ' || i), 12) || '$' || md5('password ' || i),
       CASE WHEN pg_temp.pick(i, 1, 9) > 0 THEN joined + pg_temp.pick(i, 2, 1400) * interval '1 day' END,
       i <= 3, name, first, last,
       -- the same address again, as somebody typed it into a second account
       CASE WHEN pg_temp.dirty(i, 3, 12) THEN initcap(lag(email) OVER (ORDER BY i)) ELSE email END,
       i <= 40, pg_temp.pick(i, 4, 15) > 0, joined
FROM (
    SELECT i, first, last, name, timestamptz '2009-03-02 14:00+00' + i * interval '16 hours 43 minutes' AS joined,
           CASE WHEN pg_temp.pick(i, 5, 25) = 0 THEN '' ELSE name || '@' || pg_temp.one(w.domains, i, 6) END AS email
    FROM size AS s, word AS w, generate_series(1, s.users) AS i,
         pg_temp.one(w.firsts, i, 7) AS first, pg_temp.one(w.lasts, i, 8) AS last,
         LATERAL (SELECT translate(lower(left(first, 1) || last), 'ü''', 'u') || i AS name) AS n
) AS person;

INSERT INTO dispatch_profile
    (id, user_id, office_id, user_type, settings, phone, legacy_patient_id, pager, fax_code, created_at, updated_at)
SELECT i, i,
       CASE WHEN pg_temp.dirty(i, 1, 10) THEN 900000 + pg_temp.pick(i, 2, 40)
            WHEN type < 5 THEN 1 + pg_temp.pick(i, 3, s.offices) END,
       CASE WHEN pg_temp.dirty(i, 4, 10) THEN 90 + pg_temp.pick(i, 5, 3) ELSE type END,
       CASE WHEN pg_temp.dirty(i, 6, 10) THEN left(settings, 31) WHEN pg_temp.pick(i, 7, 40) = 0 THEN '' ELSE settings END,
       CASE WHEN pg_temp.pick(i, 8, 5) > 0 THEN pg_temp.phone(i + 1000000) END,
       CASE WHEN type = 5 THEN pg_temp.id(1 + pg_temp.pick(i, 9, s.patients)) END,
       NULL, CASE WHEN i < 900 THEN lpad((i % 90)::text, 3, '0') END,
       u.date_joined, coalesce(u.last_login, u.date_joined)
FROM size AS s, auth_user AS u,
     -- every eighth is a doctor, from the third on; most of the others are patients with access to the portal
     LATERAL (SELECT u.id AS i, CASE WHEN u.id <= 2 THEN 1 WHEN u.id % 8 = 3 THEN 2
                                     ELSE (ARRAY[3, 4, 4, 5, 5, 5, 5])[1 + pg_temp.pick(u.id, 10, 7)] END AS type) AS t,
     LATERAL (SELECT format('{"theme": "%s", "page_size": %s, "notify": {"email": %s, "fax": %s}}',
                            pg_temp.one('{light,dark,classic}', i, 11), 25 * (1 + pg_temp.pick(i, 12, 4)),
                            (pg_temp.pick(i, 13, 2) = 0)::text, (pg_temp.pick(i, 14, 9) = 0)::text) AS settings) AS j;

INSERT INTO dispatch_doctor
    (id, profile_id, office_id, license_no, specialty, rating, is_active, signature_path, created_at)
SELECT i, 8 * i - 5,
       CASE WHEN pg_temp.dirty(i, 1, 30) THEN 900000 + pg_temp.pick(i, 2, 40) ELSE 1 + pg_temp.pick(i, 3, s.offices) END,
       split_part(pg_temp.one(w.cities, i, 4), '|', 2) || lpad((10000 + 7 * i)::text, 7, '0'),
       pg_temp.one(w.specialties, i, 5),
       CASE WHEN pg_temp.pick(i, 6, 6) > 0 THEN 1 + pg_temp.pick(i, 7, 41) / 10.0 END,
       (pg_temp.pick(i, 8, 11) > 0)::integer,
       CASE WHEN pg_temp.pick(i, 9, 3) = 0 THEN format('/mnt/nfs2/signatures/%s.tif', i) END,
       p.created_at + interval '3 hours'
FROM size AS s, word AS w, generate_series(1, s.doctors) AS i
JOIN dispatch_profile AS p ON p.id = 8 * i - 5;

INSERT INTO dispatch_patient
    (id, office_id, doctor_id, first_name, last_name, dob, sex, email, phone, street, city, state, zip, balance, tags, notes,
     import_batch, created, updated_at)
SELECT pg_temp.id(i),
       -- some offices are much bigger than others
       CASE WHEN pg_temp.dirty(i, 1, 5) THEN 900000 + pg_temp.pick(i, 2, 40) ELSE 1 + (pg_temp.pick(i, 3, 1000)
            * pg_temp.pick(i, 4, 1000) / 1000000.0 * s.offices)::integer % s.offices END,
       CASE WHEN pg_temp.dirty(i, 5, 50) THEN 900000 + pg_temp.pick(i, 6, 90)
            WHEN pg_temp.pick(i, 7, 10) > 1 THEN 1 + pg_temp.pick(i, 8, s.doctors) END,
       first, last,
       CASE WHEN pg_temp.dirty(i, 9, 30) THEN pg_temp.one('{00.00.0000,31.02.1999,unknown,""}', i, 10)
            WHEN pg_temp.pick(i, 11, 60) > 0 THEN to_char(date '1925-01-01' + pg_temp.pick(i, 12, 34000), 'DD.MM.YYYY') END,
       (ARRAY['F', 'F', 'F', 'F', 'M', 'M', 'M', 'M', 'U', '', NULL])[1 + pg_temp.pick(i, 13, 11)],
       CASE WHEN pg_temp.dirty(i, 14, 40) THEN upper(lag(email) OVER (ORDER BY i)) ELSE email END,
       CASE WHEN pg_temp.pick(i, 15, 8) > 0 THEN pg_temp.phone(i + 2000000) END,
       format('%s %s', 1 + pg_temp.pick(i, 16, 9900), pg_temp.one(w.streets, i, 17)),
       split_part(place, '|', 1), split_part(place, '|', 2),
       split_part(place, '|', 3) || lpad(pg_temp.pick(i, 18, 100)::text, 2, '0'),
       CASE WHEN NOT pg_temp.dirty(i, 19, 2) THEN CASE WHEN pg_temp.pick(i, 20, 3) = 0
            THEN (pg_temp.pick(i, 21, 90000) - 5000) / 100.0 ELSE 0 END END,
       (ARRAY['', '', '', 'vip', 'medicare', 'medicare,delivery', 'hospice', 'no-fax,delivery'])[1 + pg_temp.pick(i, 22, 8)],
       CASE WHEN pg_temp.pick(i, 23, 4) = 0 THEN pg_temp.one(
            '{"Call before delivery.","Prefers mornings; dog in the yard.","Daughter handles billing.",
              "Moved in with family - verify address.","Allergic to latex!"}', i, 24) END,
       CASE WHEN i < s.patients / 5 THEN 1 + i / 500 END,
       created,
       least(created AT TIME ZONE 'America/Chicago' + pg_temp.pick(i, 25, 900000) * interval '1 minute',
             timestamptz '2024-11-29 22:00+00' - pg_temp.pick(i, 25, 900) * interval '1 minute')
FROM size AS s, word AS w,
     LATERAL (
         SELECT i, first, last,
                timestamp '2009-04-01 09:00' + i * interval '3 hours 21 minutes' * (40000.0 / s.patients) AS created,
                CASE WHEN pg_temp.pick(i, 26, 10) < 7
                     THEN translate(lower(first || '.' || last), 'üóíë''', 'uoie') || i || '@' || pg_temp.one(w.domains, i, 27)
                     WHEN pg_temp.pick(i, 28, 2) = 0 THEN '' END AS email
         FROM generate_series(1, s.patients) AS i, pg_temp.one(w.firsts, i, 29) AS first, pg_temp.one(w.lasts, i, 30) AS last
     ) AS person,
     pg_temp.one(w.cities, i, 31) AS place;

INSERT INTO dispatch_order
    (id, "order", "group", patient_id, office_id, status, tax_rate, due, items, total, memo, is_void, shipping_hack,
     placed_at, created_at, updated_at)
SELECT pg_temp.id(i),
       to_char(made, '"D-"YYYY-') || lpad(i::text, 9, '0'),
       CASE WHEN pg_temp.pick(i, 1, 3) = 0 THEN 1 + i / 40 END,
       CASE WHEN pg_temp.dirty(i, 2, 20) THEN pg_temp.deleted(i, s.patients)
            ELSE pg_temp.id(1 + pg_temp.pick(i, 3, s.patients)) END,
       CASE WHEN pg_temp.dirty(i, 4, 10) THEN 900000 + pg_temp.pick(i, 5, 40) ELSE 1 + pg_temp.pick(i, 6, s.offices) END,
       CASE WHEN pg_temp.dirty(i, 7, 10) THEN (ARRAY[7, 9, 99])[1 + pg_temp.pick(i, 8, 3)]
            ELSE (ARRAY[0, 1, 2, 3, 3, 4, 4, 4, 4, 4, 4, 5])[1 + pg_temp.pick(i, 9, 12)] END,
       CASE WHEN pg_temp.dirty(i, 10, 5) THEN 'n/a'
            WHEN pg_temp.pick(i, 11, 20) > 0 THEN pg_temp.one('{0.0825,0.0625,0.07,0.0575,0}', i, 12) END,
       CASE WHEN pg_temp.dirty(i, 13, 5) THEN pg_temp.one('{00.00.0000,31.02.2014,asap}', i, 14)
            WHEN pg_temp.pick(i, 15, 10) > 0
            THEN to_char(made + interval '1 day' * (2 + pg_temp.pick(i, 16, 30)), 'DD.MM.YYYY') END,
       items,
       CASE WHEN pg_temp.dirty(i, 17, 5) THEN -total WHEN NOT pg_temp.dirty(i, 18, 2) THEN total END,
       CASE WHEN pg_temp.pick(i, 19, 5) = 0 THEN pg_temp.one(
            '{"RUSH","leave at side door","insurance pending","2nd request","replaces earlier order, see fax",
              "patient will pick up"}', i, 20) END,
       pg_temp.dirty(i, 21, 30), NULL,
       CASE WHEN pg_temp.pick(i, 22, 6) > 0 THEN made + interval '1 minute' * pg_temp.pick(i, 23, 600) END,
       made,
       made + interval '1 hour' * pg_temp.pick(i, 24, 2000)
FROM size AS s, word AS w,
     LATERAL (
         SELECT i, timestamptz '2010-01-04 12:00+00' + i * interval '1 hour 18 minutes' * (100000.0 / s.orders) AS made
         FROM generate_series(1, s.orders) AS i
     ) AS ordered,
     LATERAL (
         SELECT jsonb_agg(jsonb_build_object('sku', split_part(item, ' ', 1), 'name', substr(item, strpos(item, ' ') + 1),
                                             'qty', qty, 'price', price) ORDER BY n) AS items,
                sum(qty * price) AS total
         FROM generate_series(1, 1 + pg_temp.pick(i, 25, 3)) AS n,
              LATERAL (SELECT pg_temp.one(w.supplies, 4 * i + n, 26) AS item, 1 + pg_temp.pick(4 * i + n, 27, 4) AS qty,
                              round((995 + pg_temp.pick(4 * i + n, 28, 20000)) / 100.0, 2) AS price) AS line
     ) AS lines;

INSERT INTO dispatch_comment (id, content_type_id, object_id, user_id, parent_id, body, is_deleted, created_at)
SELECT pg_temp.id(i),
       CASE WHEN thread % 3 = 0 THEN 12 ELSE 15 END,
       pg_temp.id(1 + pg_temp.pick(thread, 1, CASE WHEN thread % 3 = 0 THEN s.patients ELSE s.orders END)),
       1 + pg_temp.pick(i, 2, s.users),
       -- a hundred comments are a thread: each answers one that came before it in the thread, or none; in every fourth
       -- they answer each other thirty levels deep, in one of 25 the first answers one that came after it
       CASE WHEN thread % 25 = 3 AND place <= thread / 25 % 4 + 1
              THEN pg_temp.id(CASE place WHEN 0 THEN i + thread / 25 % 4 + 1 ELSE i - 1 END)
            WHEN pg_temp.dirty(i, 3, 100) THEN pg_temp.deleted(i, s.comments)
            WHEN thread % 4 = 0 AND place BETWEEN 1 AND 30 THEN pg_temp.id(i - 1)
            WHEN thread % 4 = 0 AND place > 30 THEN pg_temp.id(i - place + pg_temp.pick(i, 5, 30))
            WHEN place > 0 AND pg_temp.pick(i, 4, 6) > 0 THEN pg_temp.id(i - 1 - pg_temp.pick(i, 5, place)) END,
       pg_temp.one('{"Called the office, waiting for the fax.","Done.","Delivered, signature on file.",
                     "Insurance asks for the prescription again.","Please check the address before shipping.",
                     "Back order until next week; told the patient.","Wrong size, exchange arranged.",
                     "Spoke with the daughter, she will be home after 3 pm.","Thanks!","Any news on this one?"}', i, 6)
           || CASE WHEN pg_temp.pick(i, 7, 4) = 0 THEN format(E'\n\nRef. %s', md5('comment ' || i)) ELSE '' END,
       pg_temp.dirty(i, 8, 200),
       timestamptz '2012-06-01 13:00+00' + i * interval '2 hours 31 minutes' * (50000.0 / s.comments)
FROM size AS s, generate_series(1, s.comments) AS i,
     LATERAL (SELECT (i - 1) / 100 AS thread, (i - 1) % 100 AS place) AS t;

-- Keys, indexes, foreign keys, sequences ------------------------------------------------------------------------------

ALTER TABLE auth_user ADD CONSTRAINT auth_user_pkey PRIMARY KEY (id);
ALTER TABLE auth_user ADD CONSTRAINT auth_user_username_key UNIQUE (username);
CREATE INDEX auth_user_username_6821ab7c_like ON auth_user (username varchar_pattern_ops);

ALTER TABLE django_content_type ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);
ALTER TABLE django_content_type ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);

ALTER TABLE django_session ADD CONSTRAINT django_session_pkey PRIMARY KEY (session_key);
CREATE INDEX django_session_expire_date_a5c62663 ON django_session (expire_date);
CREATE INDEX django_session_session_key_c0390e0f_like ON django_session (session_key varchar_pattern_ops);

ALTER TABLE dispatch_office ADD CONSTRAINT dispatch_office_pkey PRIMARY KEY (id);
ALTER TABLE dispatch_office ADD CONSTRAINT dispatch_office_code_key UNIQUE (code);

ALTER TABLE dispatch_profile ADD CONSTRAINT dispatch_profile_pkey PRIMARY KEY (id);
ALTER TABLE dispatch_profile ADD CONSTRAINT dispatch_profile_user_id_key UNIQUE (user_id);
ALTER TABLE dispatch_profile ADD CONSTRAINT dispatch_profile_user_id_26a49a1b_fk_auth_user_id
    FOREIGN KEY (user_id) REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX dispatch_profile_office_id_8c1f0d52 ON dispatch_profile (office_id);
CREATE INDEX dispatch_profile_legacy_patient_id_f14e3c07 ON dispatch_profile (legacy_patient_id);

ALTER TABLE dispatch_doctor ADD CONSTRAINT dispatch_doctor_pkey PRIMARY KEY (id);
ALTER TABLE dispatch_doctor ADD CONSTRAINT dispatch_doctor_profile_id_key UNIQUE (profile_id);
ALTER TABLE dispatch_doctor ADD CONSTRAINT dispatch_doctor_profile_id_d90b7ae4_fk_dispatch_profile_id
    FOREIGN KEY (profile_id) REFERENCES dispatch_profile (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX dispatch_doctor_office_id_51a6e7f0 ON dispatch_doctor (office_id);

ALTER TABLE dispatch_patient ADD CONSTRAINT dispatch_patient_pkey PRIMARY KEY (id);
CREATE INDEX dispatch_patient_office_id_2b64c98d ON dispatch_patient (office_id);
CREATE INDEX dispatch_patient_doctor_id_6e0f7a1c ON dispatch_patient (doctor_id);
CREATE INDEX dispatch_patient_last_name_9d3cb5e2 ON dispatch_patient (last_name, first_name);
CREATE INDEX dispatch_patient_last_name_9d3cb5e2_like ON dispatch_patient (last_name varchar_pattern_ops);

ALTER TABLE dispatch_order ADD CONSTRAINT dispatch_order_pkey PRIMARY KEY (id);
ALTER TABLE dispatch_order ADD CONSTRAINT dispatch_order_order_key UNIQUE ("order");
CREATE INDEX dispatch_order_patient_id_3f2a91c7 ON dispatch_order (patient_id);
CREATE INDEX dispatch_order_office_id_a70d45be ON dispatch_order (office_id);
CREATE INDEX dispatch_order_status_5c8e21d9 ON dispatch_order (status, created_at);

ALTER TABLE dispatch_comment ADD CONSTRAINT dispatch_comment_pkey PRIMARY KEY (id);
ALTER TABLE dispatch_comment ADD CONSTRAINT dispatch_comment_user_id_0d2f9b63_fk_auth_user_id
    FOREIGN KEY (user_id) REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE dispatch_comment ADD CONSTRAINT dispatch_comment_content_type_id_b8e6c174_fk_django_co
    FOREIGN KEY (content_type_id) REFERENCES django_content_type (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX dispatch_comment_object_7e41a0c5 ON dispatch_comment (content_type_id, object_id);
CREATE INDEX dispatch_comment_user_id_1b3d5f7a ON dispatch_comment (user_id);
CREATE INDEX dispatch_comment_parent_id_c2a4e6f8 ON dispatch_comment (parent_id);

SELECT setval('auth_user_id_seq', (SELECT max(id) FROM auth_user)),
       setval('django_content_type_id_seq', (SELECT max(id) FROM django_content_type)),
       setval('dispatch_office_id_seq', (SELECT max(id) FROM dispatch_office)),
       setval('dispatch_profile_id_seq', (SELECT max(id) FROM dispatch_profile)),
       setval('dispatch_doctor_id_seq', (SELECT max(id) FROM dispatch_doctor)),
       setval('dispatch_patient_id_seq', (SELECT max(id) FROM dispatch_patient)),
       setval('dispatch_order_id_seq', (SELECT max(id) FROM dispatch_order)),
       setval('dispatch_comment_id_seq', (SELECT max(id) FROM dispatch_comment));

DROP FUNCTION pg_temp.phone, pg_temp.one, pg_temp.dirty, pg_temp.deleted, pg_temp.id, pg_temp.pick;

ANALYZE auth_user, django_content_type, django_session, dispatch_office, dispatch_profile, dispatch_doctor,
    dispatch_patient, dispatch_order, dispatch_comment;
