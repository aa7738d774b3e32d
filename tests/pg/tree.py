"""A table with INHERITS children: their rows have equal keys, and the columns something of their own in each."""

from __future__ import annotations

MEMBERS = {"users": "none", "staff": "desk", "guests": "none", "interns": "young"}  # and the default of each
COLUMNS = ("legacy", "older")
PLACES = tuple((table, column) for table in MEMBERS for column in COLUMNS)
SCHEMA = """
DO $$ BEGIN
  CREATE ROLE removal_reader;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
CREATE SCHEMA app;
CREATE TABLE app.plans (tier integer, code varchar(40) COLLATE "C", PRIMARY KEY (tier, code));
CREATE TABLE app.users (
  id bigint PRIMARY KEY,
  email text NOT NULL,
  note integer NOT NULL DEFAULT 0,
  tier integer,
  legacy varchar(40) COLLATE "C" CONSTRAINT users_legacy_there NOT NULL DEFAULT 'none',
  older integer,
  CONSTRAINT users_legacy_filled CHECK (legacy <> '')
);
CREATE TABLE app.staff (desk text, PRIMARY KEY (id)) INHERITS (app.users);
CREATE TABLE app.guests (host text) INHERITS (app.users);
CREATE UNIQUE INDEX guests_once ON app.guests (id);
CREATE TABLE app.interns (UNIQUE (id)) INHERITS (app.staff, app.guests);
CREATE INDEX users_legacy ON app.users (legacy) INCLUDE (note);
INSERT INTO app.users (id, email, legacy) SELECT g, 'u' || g, 'v' || g FROM generate_series(1, ROWS) AS g;
INSERT INTO app.staff (id, email, legacy, desk) SELECT g, 's' || g, 'v' || g, 'd' FROM generate_series(1, ROWS) AS g;
INSERT INTO app.guests (id, email, legacy, older) SELECT g, 'g' || g, 'v' || g, g FROM generate_series(1, ROWS) AS g;
INSERT INTO app.interns (id, email, legacy, older) SELECT g, 'i' || g, 'v' || g, -g FROM generate_series(1, ROWS) AS g;

ALTER TABLE ONLY app.staff ALTER legacy SET DEFAULT 'desk', ALTER legacy SET STATISTICS 300;
ALTER TABLE ONLY app.staff ALTER legacy SET STORAGE EXTERNAL;
ALTER TABLE ONLY app.interns ALTER legacy SET DEFAULT 'young', ALTER legacy SET (n_distinct = -0.5);
ALTER TABLE app.guests ALTER older SET DEFAULT 7, ALTER older SET NOT NULL;
ALTER TABLE ONLY app.staff ALTER legacy SET NOT NULL;
COMMENT ON COLUMN app.users.legacy IS 'the parent''s';
COMMENT ON COLUMN app.staff.legacy IS 'the "staff''s"';
GRANT SELECT (legacy) ON app.staff TO removal_reader WITH GRANT OPTION;
GRANT UPDATE (legacy) ON app.interns TO removal_reader;
CREATE INDEX staff_legacy ON app.staff (lower(legacy), id) WITH (fillfactor = 70);
COMMENT ON INDEX app.staff_legacy IS 'searched';
ALTER INDEX app.staff_legacy ALTER COLUMN 1 SET STATISTICS 200;
ALTER TABLE app.staff ADD CONSTRAINT staff_short CHECK (length(legacy) < 40);
COMMENT ON CONSTRAINT staff_short ON app.interns IS 'as the staff';
ALTER TABLE app.staff ADD CONSTRAINT staff_only CHECK (legacy <> 'intern') NO INHERIT;
ALTER TABLE app.guests ADD CONSTRAINT guests_three UNIQUE (email, legacy, id);
ALTER TABLE app.interns ADD CONSTRAINT interns_plan FOREIGN KEY (tier, legacy) REFERENCES app.plans NOT VALID;
CREATE STATISTICS app.guests_legacy_older ON legacy, older FROM app.guests;
CREATE VIEW app.staff_list WITH (security_barrier) AS SELECT id, legacy FROM app.staff;
GRANT SELECT ON app.staff_list TO removal_reader;
CREATE POLICY guests_seen ON app.guests FOR SELECT TO removal_reader USING (legacy <> 'hidden');
CREATE FUNCTION app.seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER seen AFTER UPDATE OF legacy ON app.interns FOR EACH ROW EXECUTE FUNCTION app.seen();
CREATE FUNCTION app.bump() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF new.note <> old.note AND new.note > 0 THEN new.legacy := 'bumped ' || new.note; END IF; RETURN new; END $$;
CREATE TRIGGER bump BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.bump();
CREATE TRIGGER bump BEFORE UPDATE ON app.staff FOR EACH ROW EXECUTE FUNCTION app.bump();
CREATE TRIGGER bump BEFORE UPDATE ON app.guests FOR EACH ROW EXECUTE FUNCTION app.bump();
CREATE TRIGGER bump BEFORE UPDATE ON app.interns FOR EACH ROW EXECUTE FUNCTION app.bump();
"""
SPEC = """\
columns: [legacy, older]
because: nobody reads them any more
dependents:
  drop:
    - view staff_list
    - policy guests_seen on guests
    - trigger seen on interns
    - column staff.legacy
    - column staff.older
    - column guests.legacy
    - column guests.older
    - column interns.legacy
    - column interns.older
    - index users_legacy
    - index staff_legacy
    - constraint users_legacy_filled
    - constraint staff_short on staff
    - constraint staff_only on staff
    - constraint guests_three on guests
    - constraint interns_plan on interns
    - statistics guests_legacy_older
  rewrite: {function bump(): sql/bump.sql}
phases: {soak: 0s, retain: 0s}
"""
FILES = {
    "sql/bump.sql": (
        "CREATE OR REPLACE FUNCTION app.bump() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN RETURN new; END $$;\n"
    ),
}
DATA = "SELECT tableoid::regclass::text, id, email, note, legacy, older FROM app.users ORDER BY 1, 2"


def schema(rows: int) -> str:
    """The database, with so many rows in each table, with the same keys."""
    return SCHEMA.replace("ROWS", str(rows))
