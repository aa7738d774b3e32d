-- A table with INHERITS children: each has a key of its own, and one of them an index and a default.
CREATE SCHEMA app;
CREATE TABLE app.people (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    old_code character varying(8) NOT NULL DEFAULT '-',
    CONSTRAINT people_old CHECK (old_code <> '')
);
CREATE TABLE app.staff (desk text, PRIMARY KEY (id)) INHERITS (app.people);
CREATE TABLE app.interns (PRIMARY KEY (id)) INHERITS (app.staff);
CREATE INDEX staff_old ON app.staff (old_code);
ALTER TABLE ONLY app.staff ALTER old_code SET DEFAULT 'staff';
