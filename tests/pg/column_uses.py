"""Everything that can use a column, as SQL: the schemas that the analyser's predictions are held against.

{t} is the table, {c} its column; {p} makes names of a use its own, so that several can stand in one schema.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

COLUMNS = "id int NOT NULL, k int NOT NULL, {c} int, d int, txt text"
BASES = {
    "plain": "CREATE TABLE {t} (" + COLUMNS + ")",
    "partitioned": "CREATE TABLE {t} (" + COLUMNS + """) PARTITION BY RANGE (id);
        CREATE TABLE part_1 PARTITION OF {t} FOR VALUES FROM (0) TO (10);
        CREATE TABLE part_2 PARTITION OF {t} FOR VALUES FROM (10) TO (20) PARTITION BY LIST (k);
        CREATE TABLE part_2_1 PARTITION OF part_2 DEFAULT;
        CREATE TABLE part_3 (txt text, d int, {c} int, k int NOT NULL, id int NOT NULL);
        ALTER TABLE {t} ATTACH PARTITION part_3 DEFAULT""",
    "parent": "CREATE TABLE {t} (" + COLUMNS + """);
        CREATE TABLE child_1 () INHERITS ({t});
        CREATE TABLE child_2 ({c} int, own int) INHERITS ({t});
        CREATE TABLE grandchild () INHERITS (child_1, child_2)""",
    "diamond": "CREATE TABLE {t} (" + COLUMNS + """);
        CREATE TABLE left_side () INHERITS ({t});
        CREATE TABLE right_side () INHERITS ({t});
        CREATE TABLE bottom () INHERITS (left_side, right_side);
        CREATE TABLE other_parent ({c} int);
        CREATE TABLE two_parents () INHERITS ({t}, other_parent)""",
}  # fmt: skip
FIRED = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
USES = {
    "nothing": "SELECT 1",
    "view": "CREATE VIEW v{p} AS SELECT id, {c} FROM {t}",
    "view_of_others": "CREATE VIEW v{p} AS SELECT id, d FROM {t}",
    "view_star": "CREATE VIEW v{p} AS SELECT * FROM {t}",
    "view_where": "CREATE VIEW v{p} AS SELECT id FROM {t} WHERE {c} > 0",
    "view_join": "CREATE VIEW v{p} AS SELECT a.id FROM {t} a JOIN {t} b ON a.{c} = b.d",
    "view_on_view": "CREATE VIEW v{p} AS SELECT id, {c} AS x FROM {t}; CREATE VIEW w{p} AS SELECT id FROM v{p}",
    "view_chain": "CREATE VIEW v{p} AS SELECT {c} AS x FROM {t}; CREATE VIEW w{p} AS SELECT x FROM v{p};"
    "CREATE VIEW x{p} AS SELECT w.x, v.x AS y FROM w{p} w, v{p} v; CREATE VIEW y{p} AS SELECT t.{c} FROM x{p}, {t} t",
    "view_on_view_of_others": "CREATE VIEW v{p} AS SELECT id FROM {t}; CREATE VIEW w{p} AS SELECT id FROM v{p}",
    "view_whole_row": "CREATE VIEW v{p} AS SELECT t::text AS x FROM {t} t",
    "view_whole_row_and_column": "CREATE VIEW v{p} AS SELECT t::text AS x, t.{c} FROM {t} t",
    "view_grouped_by_key": "ALTER TABLE {t} ADD CONSTRAINT pk{p} PRIMARY KEY ({c});"
    "CREATE VIEW v{p} AS SELECT {c}, d FROM {t} GROUP BY {c}",
    "view_recursive": "CREATE RECURSIVE VIEW v{p} (n) AS SELECT {c} FROM {t} UNION SELECT n + 1 FROM v{p} WHERE n < 9",
    "view_with_trigger": f"CREATE FUNCTION f{{p}}() {FIRED};"
    "CREATE VIEW v{p} AS SELECT id, {c} FROM {t};"
    "CREATE TRIGGER tr{p} INSTEAD OF UPDATE ON v{p} FOR EACH ROW EXECUTE FUNCTION f{p}()",
    "view_with_rule": "CREATE VIEW v{p} AS SELECT id, {c} FROM {t};"
    "CREATE RULE r{p} AS ON UPDATE TO v{p} DO INSTEAD NOTHING",
    "view_default": "CREATE VIEW v{p} AS SELECT id, {c} AS x FROM {t}; ALTER VIEW v{p} ALTER COLUMN x SET DEFAULT 7",
    "view_row_type": "CREATE VIEW v{p} AS SELECT id, {c} FROM {t};"
    "CREATE FUNCTION f{p}(v{p}) RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE TABLE o{p} (r v{p}, id int)",
    "materialized_view": "CREATE MATERIALIZED VIEW m{p} AS SELECT id, {c} FROM {t}; CREATE INDEX mi{p} ON m{p} (id)",
    "materialized_view_on_view": "CREATE VIEW v{p} AS SELECT {c} FROM {t};"
    "CREATE MATERIALIZED VIEW m{p} AS TABLE v{p}; CREATE VIEW w{p} AS TABLE m{p}",
    "function_text": "CREATE FUNCTION f{p}() RETURNS int LANGUAGE sql AS 'SELECT 1 /* {c} */'",
    "function_atomic": "CREATE FUNCTION f{p}() RETURNS bigint BEGIN ATOMIC SELECT sum({c}) FROM {t}; END",
    "function_atomic_whole_row": "CREATE FUNCTION f{p}() RETURNS text BEGIN ATOMIC SELECT t::text FROM {t} t; END",
    "procedure_atomic": "CREATE PROCEDURE f{p}() BEGIN ATOMIC UPDATE {t} SET {c} = 1; END",
    "view_on_atomic": "CREATE FUNCTION f{p}() RETURNS bigint BEGIN ATOMIC SELECT sum({c}) FROM {t}; END;"
    "CREATE VIEW v{p} AS SELECT f{p}() AS x",
    "default_on_atomic": "CREATE FUNCTION f{p}() RETURNS bigint BEGIN ATOMIC SELECT sum({c}) FROM {t}; END;"
    "CREATE TABLE o{p} (x bigint DEFAULT f{p}())",
    "function_row_type": "CREATE FUNCTION f{p}({t}) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "function_set_of": "CREATE FUNCTION f{p}() RETURNS SETOF {t} LANGUAGE sql STABLE AS 'SELECT * FROM {t}'",
    "function_column_type": "CREATE FUNCTION f{p}({t}.{c}%TYPE) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "trigger_of": f"CREATE FUNCTION f{{p}}() {FIRED};"
    "CREATE TRIGGER tr{p} BEFORE UPDATE OF {c} ON {t} FOR EACH ROW EXECUTE FUNCTION f{p}()",
    "trigger_of_two": f"CREATE FUNCTION f{{p}}() {FIRED};"
    "CREATE TRIGGER tr{p} AFTER UPDATE OF d, {c} ON {t} FOR EACH ROW EXECUTE FUNCTION f{p}()",
    "trigger_when": f"CREATE FUNCTION f{{p}}() {FIRED};"
    "CREATE TRIGGER tr{p} BEFORE INSERT ON {t} FOR EACH ROW WHEN (NEW.{c} > 0) EXECUTE FUNCTION f{p}()",
    "trigger_when_whole_row": f"CREATE FUNCTION f{{p}}() {FIRED};"
    "CREATE TRIGGER tr{p} AFTER UPDATE ON {t} FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)"
    "EXECUTE FUNCTION f{p}()",
    "trigger_argument": f"CREATE FUNCTION f{{p}}() {FIRED};"
    "CREATE TRIGGER tr{p} AFTER UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION f{p}('a', '{c}')",
    "constraint_trigger": f"CREATE FUNCTION f{{p}}() {FIRED};"
    "CREATE CONSTRAINT TRIGGER tr{p} AFTER UPDATE OF {c} ON {t} DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f{p}()",
    "trigger_transition": f"CREATE FUNCTION f{{p}}() {FIRED};"
    "CREATE TRIGGER tr{p} AFTER UPDATE ON {t} REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION f{p}()",
    "generated": "ALTER TABLE {t} ADD g{p} int GENERATED ALWAYS AS ({c} + 1) STORED",
    "generated_and_more": "ALTER TABLE {t} ADD g{p} int GENERATED ALWAYS AS ({c} + 1) STORED;"
    "CREATE INDEX gi{p} ON {t} (g{p}); CREATE VIEW v{p} AS SELECT g{p} FROM {t}",
    "generated_virtual": "ALTER TABLE {t} ADD g{p} int GENERATED ALWAYS AS ({c} + 1) VIRTUAL",
    "index": "CREATE INDEX i{p} ON {t} ({c})",
    "index_two": "CREATE INDEX i{p} ON {t} (d, {c})",
    "index_include": "CREATE INDEX i{p} ON {t} (d) INCLUDE ({c})",
    "index_expression": "CREATE INDEX i{p} ON {t} (({c} + 1), d)",
    "index_partial": "CREATE INDEX i{p} ON {t} (d) WHERE {c} IS NOT NULL",
    "index_unique_partial": "CREATE UNIQUE INDEX i{p} ON {t} (id, k) WHERE {c} IS NOT NULL",
    "index_of_others": "CREATE INDEX i{p} ON {t} (d)",
    "index_whole_row": "CREATE INDEX i{p} ON {t} (({t} IS NOT NULL))",
    "index_on_atomic": "CREATE FUNCTION f{p}(int) RETURNS int IMMUTABLE BEGIN ATOMIC SELECT $1; END;"
    "CREATE INDEX i{p} ON {t} (f{p}({c}))",
    "check": "ALTER TABLE {t} ADD CONSTRAINT ck{p} CHECK ({c} > 0)",
    "check_two": "ALTER TABLE {t} ADD CONSTRAINT ck{p} CHECK ({c} > d) NOT VALID",
    "check_whole_row": "ALTER TABLE {t} ADD CONSTRAINT ck{p} CHECK ({t} IS NOT NULL)",
    "check_no_inherit": "ALTER TABLE {t} ADD CONSTRAINT ck{p} CHECK ({c} > 0) NO INHERIT",
    "check_not_enforced": "ALTER TABLE {t} ADD CONSTRAINT ck{p} CHECK ({c} > 0) NOT ENFORCED",
    "not_null": "ALTER TABLE {t} ALTER {c} SET NOT NULL",
    "not_null_named": "ALTER TABLE {t} ADD CONSTRAINT nn{p} NOT NULL {c} NO INHERIT",
    "unique": "ALTER TABLE {t} ADD CONSTRAINT u{p} UNIQUE ({c})",
    "unique_three": "ALTER TABLE {t} ADD CONSTRAINT u{p} UNIQUE (id, k, {c}) DEFERRABLE",
    "primary_key": "ALTER TABLE {t} ADD CONSTRAINT pk{p} PRIMARY KEY ({c})",
    "primary_key_three": "ALTER TABLE {t} ADD CONSTRAINT pk{p} PRIMARY KEY (id, k, {c})",
    "exclude": "ALTER TABLE {t} ADD CONSTRAINT x{p} EXCLUDE ({c} WITH =)",
    "exclude_two": "ALTER TABLE {t} ADD CONSTRAINT x{p} EXCLUDE (d WITH =, {c} WITH =)",
    "exclude_where": "ALTER TABLE {t} ADD CONSTRAINT x{p} EXCLUDE (d WITH =) WHERE ({c} > 0)",
    "exclude_expression": "ALTER TABLE {t} ADD CONSTRAINT x{p} EXCLUDE (({c} + 1) WITH =)",
    "foreign_key": "CREATE TABLE o{p} (x int PRIMARY KEY);"
    "ALTER TABLE {t} ADD CONSTRAINT fk{p} FOREIGN KEY ({c}) REFERENCES o{p}",
    "foreign_key_two": "CREATE TABLE o{p} (x int, y int, PRIMARY KEY (x, y));"
    "ALTER TABLE {t} ADD CONSTRAINT fk{p} FOREIGN KEY (d, {c}) REFERENCES o{p}",
    "foreign_key_set_null": "CREATE TABLE o{p} (x int, y int, PRIMARY KEY (x, y));"
    "ALTER TABLE {t} ADD CONSTRAINT fk{p} FOREIGN KEY (d, {c}) REFERENCES o{p} ON DELETE SET NULL ({c})",
    "foreign_key_in": "ALTER TABLE {t} ADD CONSTRAINT u{p} UNIQUE ({c});"
    "CREATE TABLE o{p} (x int CONSTRAINT fk{p} REFERENCES {t} ({c}))",
    "foreign_key_in_two": "ALTER TABLE {t} ADD CONSTRAINT u{p} UNIQUE (id, k, {c});"
    "CREATE TABLE o{p} (x int, y int, z int, CONSTRAINT fk{p} FOREIGN KEY (x, y, z) REFERENCES {t} (id, k, {c}))",
    "foreign_key_in_by_index": "CREATE UNIQUE INDEX i{p} ON {t} ({c});"
    "CREATE TABLE o{p} (x int CONSTRAINT fk{p} REFERENCES {t} ({c}))",
    "foreign_key_to_itself": "ALTER TABLE {t} ADD CONSTRAINT u{p} UNIQUE (id, k);"
    "ALTER TABLE {t} ADD CONSTRAINT fk{p} FOREIGN KEY (d, {c}) REFERENCES {t} (id, k)",
    "foreign_key_from_partitions": "ALTER TABLE {t} ADD CONSTRAINT u{p} UNIQUE ({c});"
    "CREATE TABLE o{p} (x int, CONSTRAINT fk{p} FOREIGN KEY (x) REFERENCES {t} ({c})) PARTITION BY LIST (x);"
    "CREATE TABLE op{p} PARTITION OF o{p} DEFAULT",
    "policy": "CREATE POLICY po{p} ON {t} USING ({c} > 0)",
    "policy_check": "CREATE POLICY po{p} ON {t} FOR INSERT WITH CHECK ({c} > 0)",
    "policy_whole_row": "CREATE POLICY po{p} ON {t} USING ({t} IS NOT NULL)",
    "policy_elsewhere": "CREATE TABLE o{p} (x int);"
    "CREATE POLICY po{p} ON o{p} USING (EXISTS (SELECT 1 FROM {t} AS q WHERE q.{c} = x))",
    "publication": "CREATE PUBLICATION {s}_pub{p} FOR TABLE {t}",
    "publication_columns": "CREATE PUBLICATION {s}_pub{p} FOR TABLE {t} (id, {c})",
    "publication_rows": "CREATE PUBLICATION {s}_pub{p} FOR TABLE {t} WHERE ({c} > 0) WITH (publish = 'insert')",
    "statistics": "CREATE STATISTICS st{p} ON {c}, d FROM {t}",
    "statistics_three": "CREATE STATISTICS st{p} (ndistinct) ON id, {c}, d FROM {t}",
    "statistics_expression": "CREATE STATISTICS st{p} ON ({c} + 1), d FROM {t}",
    "rule": "CREATE RULE ru{p} AS ON UPDATE TO {t} WHERE NEW.{c} > 0 DO ALSO SELECT 1",
    "rule_elsewhere": "CREATE TABLE o{p} (x int);"
    "CREATE RULE ru{p} AS ON DELETE TO o{p} DO ALSO UPDATE {t} SET {c} = NULL WHERE {c} = OLD.x",
    "rule_whole_row": "CREATE RULE ru{p} AS ON UPDATE TO {t} WHERE OLD.* IS DISTINCT FROM NEW.* DO ALSO SELECT 1",
    "attributes": "ALTER TABLE {t} ALTER {c} SET DEFAULT 5, ALTER {c} SET STATISTICS 9,ALTER {c} SET (n_distinct = -1);"
    "COMMENT ON COLUMN {t}.{c} IS 'what it is'; GRANT SELECT ({c}) ON {t} TO PUBLIC",
    "replica_identity": "ALTER TABLE {t} ALTER {c} SET NOT NULL; CREATE UNIQUE INDEX i{p} ON {t} ({c}, id, k);"
    "ALTER TABLE {t} REPLICA IDENTITY USING INDEX i{p}",
    "clustered": "CREATE INDEX i{p} ON {t} ({c}); ALTER TABLE {t} CLUSTER ON i{p}",
    "owned_sequence": "CREATE SEQUENCE q{p} OWNED BY {t}.{c}; ALTER TABLE {t} ALTER {c} SET DEFAULT nextval('q{p}')",
    "owned_sequence_used": "CREATE SEQUENCE q{p} OWNED BY {t}.{c}; CREATE TABLE o{p} (x int DEFAULT nextval('q{p}'))",
    "owned_sequence_in_view": "CREATE SEQUENCE q{p} OWNED BY {t}.{c};"
    "CREATE VIEW v{p} AS SELECT last_value FROM q{p}; CREATE VIEW w{p} AS TABLE v{p}",
    "free_sequence": "CREATE SEQUENCE q{p}; ALTER TABLE {t} ALTER {c} SET DEFAULT nextval('q{p}')",
    "default_function": "CREATE FUNCTION f{p}() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "ALTER TABLE {t} ALTER {c} SET DEFAULT f{p}()",
    "identity": "ALTER TABLE {t} ALTER {c} SET NOT NULL, ALTER {c} ADD GENERATED ALWAYS AS IDENTITY",
    "row_type_column": "CREATE TABLE o{p} (r {t}, rs {t}[])",
    "row_type_domain": "CREATE DOMAIN do{p} AS {t}; CREATE TABLE o{p} (r do{p})",
    "row_type_composite": "CREATE TYPE ty{p} AS (r {t}, n int); CREATE TABLE o{p} (r ty{p})",
    "typed_function_default": "CREATE FUNCTION f{p}(x int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT {c} FROM {t}'",
}
WHOLE = {  # tables of a form of their own, in place of a base
    "key_range": "CREATE TABLE {t} (id int, {c} int) PARTITION BY RANGE ({c})",
    "key_expression": "CREATE TABLE {t} (id int, {c} int) PARTITION BY LIST (({c} % 3))",
    "key_of_a_part": "CREATE TABLE {t} (id int, {c} int) PARTITION BY LIST (id);"
    "CREATE TABLE part PARTITION OF {t} DEFAULT PARTITION BY RANGE ({c})",
    "inherited": "CREATE TABLE mother (id int, {c} int); CREATE TABLE {t} () INHERITS (mother)",
    "inherited_and_own": "CREATE TABLE mother (id int, {c} int); CREATE TABLE {t} ({c} int) INHERITS (mother)",
    "a_partition": "CREATE TABLE mother (id int, {c} int) PARTITION BY LIST (id);"
    "CREATE TABLE {t} PARTITION OF mother DEFAULT",
    "of_a_type": "CREATE TYPE ty AS (id int, {c} int); CREATE TABLE {t} OF ty",
    "foreign": "CREATE FOREIGN DATA WRAPPER {s}_w; CREATE SERVER {s}_s FOREIGN DATA WRAPPER {s}_w;"
    "CREATE FOREIGN TABLE {t} (id int, {c} int OPTIONS (a 'b') CHECK ({c} > 0)) SERVER {s}_s;"
    "CREATE VIEW v AS TABLE {t}",
    "alone": "CREATE TABLE {t} ({c} int UNIQUE)",
    "serial": "CREATE TABLE {t} (id int, {c} serial PRIMARY KEY)",
    "unlogged": "CREATE UNLOGGED TABLE {t} (id int, {c} text COLLATE \"C\" UNIQUE)",
    "many_partitions": "CREATE TABLE {t} (id int, {c} int, CHECK ({c} > 0)) PARTITION BY HASH (id);"
    + "".join(f"CREATE TABLE p{n} PARTITION OF {{t}} FOR VALUES WITH (MODULUS 8, REMAINDER {n});" for n in range(8))
    + "CREATE INDEX i ON {t} ({c}); CREATE INDEX own ON p3 ({c}); ALTER TABLE p4 ADD CONSTRAINT ck CHECK ({c} < 9);"
    "CREATE VIEW v AS SELECT {c} FROM p5",
    "uses_of_children": "CREATE TABLE {t} (id int, {c} int); CREATE TABLE child () INHERITS ({t});"
    "CREATE TABLE own_child ({c} int) INHERITS ({t}); CREATE VIEW v AS SELECT {c} FROM child;"
    "CREATE VIEW w AS SELECT {c} FROM own_child; CREATE INDEX i ON child ({c}); CREATE INDEX j ON own_child ({c});"
    "CREATE TABLE grandchild () INHERITS (own_child); CREATE INDEX k ON grandchild ({c})",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """A schema: SQL that makes it, under a search_path of its own; `table` and `column` as they are stored."""

    name: str
    sql: str
    table: str = "t"
    column: str = "c"


def cases(base: str) -> Iterator[Case]:
    """Every use, of the column of one base; of the two that inherit, each every second one."""
    share = {"parent": slice(0, None, 2), "diamond": slice(1, None, 2)}.get(base, slice(None))
    for use, sql in list(USES.items())[share]:
        yield _case(f"{base}: {use}", f"{BASES[base]};{sql}")


def odd() -> Iterator[Case]:
    """Every second use, of a table and a column with names that must be quoted."""
    for use, sql in list(USES.items())[::2]:
        yield _case(f"odd names: {use}", f"{BASES['plain']};{sql}", 'Odd "T', "Odd.Column x")


def whole() -> Iterator[Case]:
    """Tables of a form of their own."""
    for name, sql in WHOLE.items():
        yield _case(name, sql)


def mixed(count: int) -> Iterator[Case]:
    """So many mixtures of two to six uses each, the same every time."""
    choice = random.Random(4)
    for number in range(count):
        base, uses = choice.choice(list(BASES)), choice.sample(list(USES), choice.randint(2, 6))
        parts = [USES[use].replace("{p}", f"_{at}") for at, use in enumerate(uses)]
        yield _case(f"{number} {base}: {', '.join(uses)}", ";".join([BASES[base], *parts]))


def _case(name: str, sql: str, table: str = "t", column: str = "c") -> Case:
    for mark, value in (("{t}", _ident(table)), ("{c}", _ident(column)), ("{p}", ""), ("{s}", "transhume_test")):
        sql = sql.replace(mark, value)
    return Case(name, sql, table, column)


def _ident(name: str) -> str:
    return name if name.islower() and name.isalnum() else '"' + name.replace('"', '""') + '"'
