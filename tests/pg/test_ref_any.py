"""`ref_any`, carried out: each row refers to what its type and id mean, or is set aside for the reason that is true.

What is expected is told by a model in plain Python, which knows neither the SQL nor the plan.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass

import pytest

from runner.errors import RunnerError
from tests.pg.compiled import Projects
from tests.pg.migration import Migration

pytestmark = pytest.mark.both_servers

NAMESPACE = uuid.UUID("1b671a64-40d5-491e-99b0-da01ff1f3341")
TYPES = {7: "clinic.patient", 9: "clinic.visit", 11: "clinic.invoice", 13: "clinic.patientproxy"}
TABLES = {"clinic.patient": "patients", "clinic.patientproxy": "patients", "clinic.visit": "visits"}
PATIENTS, VISITS = range(1, 31), range(10, 310, 10)
TWINS = {3, 4}  # patients of one name: the unique index sets both aside
SKIP = "}\nskip: {django_content_type: types are kept by name"  # the closing brace is that of the limits


@dataclass(frozen=True)
class Note:
    """A row of the source."""

    id: int
    type: int | None
    object: str | None


def notes(garbage: bool) -> list[Note]:
    """Of every kind, drawn anew the same each time."""
    draw = random.Random(5)
    objects = [*map(str, range(1, 36)), *map(str, range(10, 340, 10)), None, *(["x", "", "9" * 20] if garbage else [])]
    return [Note(n, draw.choice([None, 7, 7, 9, 9, 11, 13]), draw.choice(objects)) for n in range(1, 401)]


def source(rows: list[Note], object_type: str) -> str:
    """The database, as SQL."""
    values = ", ".join(str((n.id, n.type, n.object)).replace("None", "NULL") for n in rows)
    return f"""
        CREATE TABLE django_content_type (id integer PRIMARY KEY, app_label varchar(100), model varchar(100));
        CREATE TABLE patient (id integer PRIMARY KEY, name text NOT NULL);
        CREATE TABLE visit (id bigint PRIMARY KEY, code text NOT NULL);
        CREATE TABLE note (id integer PRIMARY KEY, kind integer REFERENCES django_content_type, object {object_type});
        INSERT INTO django_content_type SELECT * FROM (VALUES
          {", ".join(f"({id}, 'clinic', '{name.split('.')[1]}')" for id, name in TYPES.items())}) AS t;
        INSERT INTO patient SELECT n, CASE WHEN n IN (3, 4) THEN 'twin' ELSE 'patient ' || n END
        FROM generate_series(1, 30) AS n;
        INSERT INTO visit SELECT n * 10, 'v' || n FROM generate_series(1, 30) AS n;
        INSERT INTO note SELECT id, kind, object::{object_type} FROM (VALUES {values}) AS n (id, kind, object);
    """


def specs(key: str, note: str) -> dict[str, str]:
    """`key` is that of patients and visits."""
    return {
        "patients": f"table: patients\nfrom: patient\nkey: {{id: {key}}}\ncolumns: {{old: id}}\nsame: [name]\n"
        "indexes: [{columns: [name], unique: true}]\n",
        "visits": f"table: visits\nfrom: visit\nkey: {{id: {key}}}\ncolumns: {{old: id}}\nsame: [code]\n",
        "notes": f"table: notes\nfrom: note\nkey: {{id: {{same: id}}}}\ncolumns:\n{note}",
    }


BY_ID = "{type: kind, id: object, to: {7: patients, 13: patients, 9: visits}}"
BY_NAME = (
    "{type: kind, id: object, to: {clinic.patient: patients, clinic.patientproxy: patients, clinic.visit: visits}}"
)
KIND_BY_ID = "  kind: {from: kind, map: {7: p, 13: proxy, 9: v}}\n"
KIND_BY_NAME = "  kind: {from: kind, map: {clinic.patient: p, clinic.visit: v, clinic.patientproxy: proxy}}\n"


@dataclass(frozen=True)
class Case:
    """A way to say it: the key of the tables, the mapping, how the source has the ids, what becomes of missing ones."""

    key: str
    mapping: str
    object_type: str
    kind: str = ""
    missing: str = "reject"
    by_name: bool = False
    direct: bool = True

    @property
    def specs(self) -> dict[str, str]:
        typed = ", type: bigint" if self.kind else ""
        subject = f"  subject: {{ref_any: {self.mapping}, missing: {self.missing}{typed}}}\n"
        return specs(self.key, subject + self.kind)


CASES = {
    "uuids by id": Case("{uuid: id}", BY_ID, "integer"),
    "uuids by name, ids as texts": Case("{uuid: id}", BY_NAME, "text", by_name=True),
    "uuids that may be missing": Case("{uuid: id}", BY_NAME, "varchar(30)", missing="null", by_name=True),
    "kept numbers": Case("{same: id}", BY_ID, "bigint", KIND_BY_ID),
    "kept numbers by name": Case("{same: id}", BY_NAME, "text", KIND_BY_NAME, by_name=True),
    "new numbers": Case("{identity: true}", BY_ID, "text", KIND_BY_ID, direct=False),
    "new numbers by name": Case("{identity: true}", BY_NAME, "integer", KIND_BY_NAME, by_name=True, direct=False),
    "new numbers that may be missing": Case(
        "{identity: true}", BY_NAME, "text", KIND_BY_NAME, missing="null", by_name=True, direct=False
    ),
}


def fate(note: Note, case: Case) -> tuple[str, object]:
    """What becomes of a note: moved with the table and legacy key that it refers to, or why it was set aside."""
    if note.type is None:
        return "moved", None
    table = TABLES.get(TYPES[note.type])
    if table is None:
        named = f" ({TYPES[note.type]})" if case.by_name else ""
        return "rejected", f"kind {note.type}{named} means no table"
    if note.object is None:
        return "moved", None
    if not note.object.isdigit() or int(note.object) >= 2**63:
        return "rejected", "object is no bigint"
    id = int(note.object)
    there = id in VISITS if table == "visits" else id in PATIENTS and id not in TWINS
    if not there:
        return "missing", table
    return "moved", (table, id)


def expected(rows: list[Note], case: Case) -> tuple[dict[int, object], dict[int, str]]:
    """What each note refers to in the target; why notes were set aside, where that has one reason."""
    moved, aside = dict[int, object](), dict[int, str]()
    for note in rows:
        what, how = fate(note, case)
        if what == "moved":
            moved[note.id] = how
        elif what == "rejected":
            aside[note.id] = str(how)
        elif case.missing == "null":
            moved[note.id] = None
    return moved, aside


def referred(migration: Migration, case: Case) -> dict[int, object]:
    """What each note of the target refers to, found by joining what is there."""
    kinds = {"p": "patients", "proxy": "patients", "v": "visits"}
    old = {table: dict(migration.ask(f"SELECT id, old FROM app.{table}")) for table in ("patients", "visits")}
    kind = "kind" if case.kind else "NULL"
    found = dict[int, object]()
    for id, subject, told in migration.ask(f"SELECT id, subject, {kind} FROM app.notes"):
        tables = [kinds[told]] if told else [] if case.kind else ["patients", "visits"]
        hits = [(table, old[table][subject]) for table in tables if subject in old[table]]
        assert len(hits) == (subject is not None), (id, subject, told)
        found[id] = hits[0] if hits else None
    return found


@pytest.mark.parametrize("name", CASES)
def test_every_row_refers_to_what_is_meant(name: str, projects: Projects) -> None:
    """Forward, back and forward again: what moved refers to the migrated row, and what did not says why."""
    case = CASES[name]
    rows = notes(garbage=case.object_type in ("text", "varchar(30)"))
    migration = projects(source(rows, case.object_type), case.specs, SKIP)
    moved, aside = expected(rows, case)
    header = (migration.folder / "load" / "notes.sql").read_text().split("\n\n")[0]
    assert ("directly" in header) == case.direct

    for _ in range(2):
        migration.apply()
        verdict = migration.verify()
        assert verdict.green, verdict
        assert referred(migration, case) == moved
        reasons = {int(key[0]): reason for table, key, _, reason, *_ in migration.rejects() if table == "notes"}
        assert {id: reasons[id] for id in aside} == aside
        assert reasons.keys() == aside.keys() | {n.id for n in rows if fate(n, case)[0] == "missing"}
        migration.roll_back()


def test_the_table_of_a_missing_row_is_named(projects: Projects) -> None:
    """A row whose parent went away after the load is set aside under the table that it referred to."""
    case = CASES["kept numbers"]
    migration = projects(source([Note(1, 7, "3"), Note(2, 9, "30"), Note(3, 9, "5"), Note(4, 7, "30")], "bigint"),
                         case.specs, SKIP)  # fmt: skip
    migration.apply()

    assert [row[1:5] for row in migration.rejects() if row[0] == "notes"] == [
        (["1"], "reconciled", "app.patients has no row with id = 3", "23503"),
        (["3"], "reconciled", "app.visits has no row with id = 5", "23503"),
    ]
    assert referred(migration, case) == {2: ("visits", 30), 4: ("patients", 30)}


@pytest.mark.parametrize("name", ["uuids by id", "new numbers"])
def test_missing_fail_stops(name: str, projects: Projects) -> None:
    """`missing: fail` stops before anything is taken away, and says which row refers to what."""
    case = CASES[name]
    specs = {table: spec.replace("missing: reject", "missing: fail") for table, spec in case.specs.items()}
    migration = projects(source([Note(1, 7, "1"), Note(2, 9, "5")], case.object_type), specs, SKIP)

    with pytest.raises(RunnerError, match=r"app\.notes\.subject of row 2"):
        migration.apply()


SWAP = """UPDATE app.notes SET subject = o.subject FROM app.notes AS o
          WHERE o.id = 3 - notes.id AND notes.id < 3"""
# What goes wrong: the case, the damage, how a problem that verify tells of it begins.
DAMAGES = {
    "the row that it refers to goes": (
        "kept numbers",
        "DELETE FROM app.visits WHERE id = 30",
        "1 rows of app.notes refer by subject to rows that visits does not have",
    ),
    "it refers to a row of another table": (
        "kept numbers",
        "UPDATE app.notes SET kind = 'p' WHERE id = 2",
        "column kind",
    ),
    "it refers to another row": (
        "new numbers",
        "UPDATE app.notes SET subject = subject % 2 + 1 WHERE id < 3",
        "column subject",
    ),
    "two refer to what the other did": ("uuids by id", SWAP, "column subject"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_verify_finds(what: str, projects: Projects) -> None:
    """No foreign key holds such a column: verify finds what would break it."""
    name, damage, problem = DAMAGES[what]
    case = CASES[name]
    rows = [Note(1, 7, "1"), Note(2, 9, "30"), Note(3, 7, "30")]
    migration = projects(source(rows, case.object_type), case.specs, SKIP)
    migration.apply()
    assert migration.verify().green
    migration.ask(damage)
    found = [text for check in migration.verify().checks for text in check.problems]

    assert any(text.startswith(problem) for text in found), found


def test_keys_are_what_they_would_be(projects: Projects) -> None:
    """A derived key is that of the table, whichever type means it, and however the source has the id."""
    case = CASES["uuids by name, ids as texts"]
    migration = projects(source([Note(1, 7, " +7"), Note(2, 13, "007"), Note(3, 9, "70")], "text"), case.specs, SKIP)
    migration.apply()
    wanted = [uuid.uuid3(NAMESPACE, name) for name in ("patients:7", "patients:7", "visits:70")]

    assert [row[0] for row in migration.ask("SELECT subject FROM app.notes ORDER BY id")] == wanted


TREE = """\
tree:
  parent: {from: parent, to: parent_id, type: integer}
  fill: {depth: depth}
  placeholder: {when: s.gone, set: {subject: null}}
"""
HUNG = """
ALTER TABLE note ADD parent integer, ADD gone boolean NOT NULL DEFAULT false;
UPDATE note SET parent = id - 1 WHERE id % 2 = 0;
UPDATE note SET gone = true WHERE id % 2 = 1;
"""


@pytest.mark.parametrize("name", ["uuids by id", "uuids by name, ids as texts", "kept numbers", "new numbers"])
def test_a_placeholder_refers_to_nothing(name: str, projects: Projects) -> None:
    """What a placeholder is told to forget is not looked for either: that it is missing sets nothing aside."""
    case = CASES[name]
    rows = [Note(1, 7, "1"), Note(2, 9, "30"), Note(3, 9, "5"), Note(4, 7, "1")]
    specs = {**case.specs, "notes": case.specs["notes"] + TREE}
    migration = projects(source(rows, case.object_type) + HUNG, specs, SKIP)

    for _ in range(2):
        migration.apply()
        assert migration.verify().green
        assert referred(migration, case) == {1: None, 2: ("visits", 30), 3: None, 4: ("patients", 1)}
        actions = [(row[1], row[-1]) for row in migration.rejects() if row[0] == "notes"]
        assert len(actions) == 2, actions
        migration.roll_back()
