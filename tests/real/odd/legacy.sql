-- What a schema may hold and nobody expects. PostgreSQL 15 or later, no extension.
CREATE TYPE mood AS ENUM ('sad', 'o''k', 'hap"py', '%s', '$1');
CREATE TYPE address AS (street text, zip integer, mood mood);
CREATE TYPE "Odd Type" AS ENUM ('a', 'B');
CREATE DOMAIN positive AS integer CHECK (value > 0);
CREATE DOMAIN tags AS text[] CHECK (array_length(value, 1) < 10);
CREATE DOMAIN needed AS text NOT NULL;
CREATE TYPE period AS RANGE (subtype = date);

CREATE TABLE types (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  enum mood, enums mood[], composite address, composites address[], "domain" positive, domains tags, filled needed,
  range period, multirange datemultirange, ranges int4range[], oids oidvector, object regclass, function regproc,
  number oid, xid xid, xid8 xid8, snapshot pg_snapshot, path jsonpath, name name, names name[], bits bit varying(5),
  json json, twice integer GENERATED ALWAYS AS (id::integer * 2) STORED, "Odd" "Odd Type", mac macaddr8, query tsquery,
  byte "char", padded character(5), span interval second(2), clock time(3) with time zone, price money, bytes bytea[]
);
INSERT INTO types (enum, enums, composite, composites, "domain", domains, filled, range, multirange, ranges, oids, object,
  function, number, xid, xid8, snapshot, path, name, names, bits, json, "Odd", mac, query, byte, padded, span, clock,
  price, bytes) VALUES
  ('o''k', '{sad,"hap\"py"}', ROW('x,"(\n', 1, 'sad'), ARRAY[ROW('y', 2, NULL)::address, NULL], 5, '{a,b}', 'n',
   '[2020-01-01,2021-01-01)', '{[2020-01-01,2020-02-01)}', '{"[1,2)",empty}', '1 2', 'pg_class', 'now', 1, '1', '2',
   '10:20:10,14', '$.a[*] ? (@ > 1)', 'nam', '{a,b}', '101', '{"b": 1,  "a":2}', 'B', '08:00:2b:01:02:03:04:05',
   'a & b:*', 'x', 'ab', '1.234567', '12:00:00.1234+05:30', '12.34', '{"\\x00ff",NULL}'),
  ('%s', '{}', ROW(NULL, NULL, NULL), '{}', 1, '{}', E'\x02\x15 \\N \\. \t\n\r', 'empty', '{}', '{}', '', NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, '', '{}', '', 'null', 'a', NULL, '', '', '', '-0', '00:00+00', '-1', '{}');
INSERT INTO types (filled) VALUES ('');

CREATE TABLE "order" (
  "select" integer PRIMARY KEY, "  col  w  space  " text, ":arr->ow::cast" text, "a.b" text, "per%cent" text,
  "do$1llar" text, "qu""ote" text, "back\slash" text, "{{ jinja }}" text, "ünïcödé名前" text, "CamelCase" text UNIQUE,
  "null" text, "from" integer REFERENCES "order"
);
INSERT INTO "order" VALUES
  (1, ' x ', '%s', '{1}', '%%', '$1', '"', '\', '{{ 7*7 }}', '名', 'A', 'null', NULL),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'B', NULL, 1),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'C', NULL, 3);
CREATE TABLE "نام" (id serial PRIMARY KEY, "کلید" integer REFERENCES "order");
INSERT INTO "نام" ("کلید") VALUES (1), (2), (NULL);

-- 63 bytes, the longest names
CREATE TABLE aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (
  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb integer PRIMARY KEY,
  ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc1 integer
    REFERENCES aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,
  ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc2 integer
    REFERENCES aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
);
INSERT INTO aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa VALUES (1, 2, NULL), (2, 1, 1);

-- keys of every kind, and none
CREATE TABLE keyless (a integer, b text);
INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
CREATE TABLE three (a integer, b text, c date, PRIMARY KEY (b, a, c));
INSERT INTO three SELECT i, 'x' || i % 3, date '2020-01-01' + i FROM generate_series(1, 5000) AS i;
CREATE TABLE of_three (id integer PRIMARY KEY, a integer, b text, c date, FOREIGN KEY (b, a, c) REFERENCES three (b, a, c));
INSERT INTO of_three SELECT a, a, b, c FROM three;
CREATE TABLE floats (id double precision PRIMARY KEY, v real);
INSERT INTO floats VALUES ('NaN', 'NaN'), ('-Infinity', 'Infinity'), (0.1, 0.1), ('-0', '-0'), (1e-320, 1e-45);
CREATE TABLE numbers (id numeric PRIMARY KEY);
INSERT INTO numbers VALUES (1.10), ('NaN'), (1e100);
CREATE TABLE times (id timestamp PRIMARY KEY, d date, z timestamptz);
INSERT INTO times VALUES ('infinity', 'infinity', 'infinity'), ('2020-01-01 00:00:00.123456', '-infinity', '-infinity'),
  ('4713-01-01 BC', '4713-01-01 BC', '4713-01-01 BC');
CREATE TABLE roots (id text PRIMARY KEY, parent text REFERENCES roots);
INSERT INTO roots VALUES ('root', 'root'), ('a', 'root');

-- shapes of tables
CREATE TABLE dropped (a integer, b integer, id integer PRIMARY KEY);
INSERT INTO dropped VALUES (1, 2, 3);
ALTER TABLE dropped DROP COLUMN a;
CREATE TABLE parts (id integer PRIMARY KEY, k text) PARTITION BY HASH (id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT i, i FROM generate_series(1, 1000) AS i;
CREATE TABLE of_parts (id integer PRIMARY KEY, part integer REFERENCES parts);
INSERT INTO of_parts SELECT i, i FROM generate_series(1, 1000) AS i;
CREATE TABLE wide (id integer PRIMARY KEY, t text);
INSERT INTO wide SELECT i, repeat('x', 60000) FROM generate_series(1, 200) AS i;
CREATE UNLOGGED TABLE empty (id integer PRIMARY KEY);
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES;
CREATE VIEW seen AS SELECT * FROM keyless;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM keyless;

-- a foreign key that does not hold
CREATE TABLE known (id integer PRIMARY KEY);
INSERT INTO known VALUES (5);
CREATE TABLE orphans (id integer PRIMARY KEY, known_id integer);
INSERT INTO orphans VALUES (1, 5), (2, 999);
ALTER TABLE orphans ADD CONSTRAINT orphans_known_fk FOREIGN KEY (known_id) REFERENCES known NOT VALID;
