"""A column with everything that a column can have, for removals to take and to bring back."""

from __future__ import annotations

ROLES = ("removal_reader", "removal_owner")
SCHEMA = """
DO $$ BEGIN
  CREATE ROLE removal_reader;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
  CREATE ROLE removal_owner; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
CREATE SCHEMA app;
CREATE TABLE app.plans (tier integer, code text COLLATE "C", PRIMARY KEY (tier, code));
INSERT INTO app.plans SELECT g, 'none' FROM generate_series(0, 9) AS g;
CREATE TABLE app.users (
  id bigint PRIMARY KEY,
  email text NOT NULL,
  note integer NOT NULL DEFAULT 0,
  tier integer,
  legacy varchar(40) COLLATE "C" NOT NULL DEFAULT 'none',
  touched_at timestamptz NOT NULL DEFAULT '2020-01-01',
  CONSTRAINT users_legacy_filled CHECK (legacy <> ''),
  CONSTRAINT users_legacy_short CHECK (length(legacy) + note < 1000000000)
);
INSERT INTO app.users (id, email, legacy) SELECT g, 'u' || g, 'v' || g FROM generate_series(1, ROWS) AS g;
COMMENT ON COLUMN app.users.legacy IS 'it''s the "old" one';
COMMENT ON CONSTRAINT users_legacy_short ON app.users IS 'short';
GRANT SELECT (legacy) ON app.users TO removal_reader;
GRANT UPDATE (legacy) ON app.users TO removal_owner WITH GRANT OPTION;
ALTER TABLE app.users
  ALTER COLUMN legacy SET STATISTICS 500,
  ALTER COLUMN legacy SET STORAGE EXTERNAL,
  ALTER COLUMN legacy SET COMPRESSION pglz,
  ALTER COLUMN legacy SET (n_distinct = -0.5);
CREATE INDEX users_legacy ON app.users (legacy varchar_pattern_ops DESC) INCLUDE (note) WITH (fillfactor = 70);
COMMENT ON INDEX app.users_legacy IS 'for the old search';
CREATE UNIQUE INDEX users_legacy_once ON app.users (legacy) WHERE legacy <> 'none' AND id > 0;
CREATE INDEX users_legacy_lower ON app.users (lower(legacy), id);
ALTER INDEX app.users_legacy_lower ALTER COLUMN 1 SET STATISTICS 300;
ALTER TABLE app.users ADD CONSTRAINT users_three UNIQUE (email, legacy, id);
ALTER TABLE app.users ADD CONSTRAINT users_plan FOREIGN KEY (tier, legacy) REFERENCES app.plans
  DEFERRABLE INITIALLY DEFERRED NOT VALID;
CREATE STATISTICS app.users_legacy_note ON legacy, note FROM app.users;
ALTER STATISTICS app.users_legacy_note SET STATISTICS 77;
CREATE POLICY users_legacy_seen ON app.users AS RESTRICTIVE FOR SELECT TO removal_reader USING (legacy <> 'hidden');
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN new.touched_at := '2030-01-01'; RETURN new; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE FUNCTION app.bump() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF new.note <> old.note AND new.note > 0 THEN new.legacy := 'bumped ' || new.note; END IF; RETURN new; END $$;
CREATE TRIGGER bump BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.bump();
CREATE FUNCTION app.seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER seen AFTER UPDATE OF legacy, note ON app.users FOR EACH ROW EXECUTE FUNCTION app.seen();
ALTER TABLE app.users ENABLE ALWAYS TRIGGER seen;
COMMENT ON TRIGGER seen ON app.users IS 'sees it';
CREATE PUBLICATION legacy_out FOR TABLE app.users (id, legacy) WHERE (id > 0);
CREATE VIEW app.legacy_list WITH (security_barrier) AS SELECT id, legacy FROM app.users;
GRANT SELECT ON app.legacy_list TO removal_reader WITH GRANT OPTION;
ALTER VIEW app.legacy_list OWNER TO removal_owner;
COMMENT ON VIEW app.legacy_list IS 'the old list';
CREATE VIEW app.legacy_short AS SELECT id FROM app.legacy_list WHERE length(legacy) < 10;
CREATE FUNCTION app.legacy_of(integer) RETURNS text LANGUAGE sql
  BEGIN ATOMIC SELECT legacy FROM app.users WHERE id = $1; END;
GRANT CREATE, USAGE ON SCHEMA app TO removal_owner;
GRANT SELECT ON app.users TO removal_owner;
"""
SPEC = """\
columns: [legacy]
because: nobody reads it any more
dependents:
  drop:
    - view legacy_short
    - function legacy_of(integer)
    - policy users_legacy_seen
    - trigger seen
    - publication legacy_out
    - index users_legacy
    - index users_legacy_once
    - index users_legacy_lower
    - constraint users_three
    - constraint users_plan
    - constraint users_legacy_filled
    - constraint users_legacy_short
    - statistics users_legacy_note
  rewrite: {view legacy_list: sql/legacy_list.sql, function bump(): sql/bump.sql}
phases: {soak: 0s, retain: 0s}
"""
FILES = {
    "sql/legacy_list.sql": "CREATE VIEW app.legacy_list AS SELECT id FROM app.users;\n",
    "sql/bump.sql": (
        "CREATE OR REPLACE FUNCTION app.bump() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN RETURN new; END $$;\n"
    ),
}


def schema(rows: int) -> str:
    """The database, with so many users. Its foreign key is not valid: rows that are there break it."""
    return SCHEMA.replace("ROWS", str(rows))
