"""The plan's steps: which there are, what each waits for, what it locks and takes away."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.bound import BoundComparison, BoundTable, MapTable, NewType, Ordered
from compiler.catalog import Column, Constraint, ForeignKey, Key
from compiler.emit import emit
from compiler.lower import in_order, lower
from compiler.names import Name
from compiler.order import order
from compiler.plan import Plan, Step
from compiler.spec import Partition, Word
from compiler.sql import Sql
from tests.tables import (
    ID,
    PROJECT,
    SPAN,
    copied,
    mapped,
    ordered,
    referring,
    relation,
    section,
    table,
    unique_index,
)


def steps(plan: Plan) -> dict[str, Step]:
    """The steps by id."""
    return {step.id: step for step in plan.steps}


def existing(name: str, *keys: ForeignKey, **options: object) -> BoundTable:
    """A table that is there before the plan, with a primary key and what is asked for."""
    primary = Key(f"{name}_id_key", ("id",), "PRIMARY KEY (id)")
    there = relation(name, primary_key=primary, foreign_keys=keys, **options)
    return table(name, create=False, existing=there)


def key(name: str, column: str, references: str, *, valid: bool = True) -> ForeignKey:
    """A foreign key to the id of another relation."""
    definition = f"FOREIGN KEY ({column}) REFERENCES app.{references}(id)"
    return ForeignKey(name, (column,), Name("app", references), ("id",), definition, valid)


def test_the_steps_of_two_tables() -> None:
    """Everything of a stage stands together; references make no load wait."""
    plan = lower(ordered(table("patients"), table("visits", referring("patient_id", "patients"))))

    assert {step.id: step.after for step in plan.steps} == {
        "require.schema-app": (),
        "create.patients": ("require.schema-app",),
        "create.visits": ("require.schema-app",),
        "load.patients": ("create.patients",),
        "load.visits": ("create.visits",),
        "index.patients": ("load.patients",),
        "index.visits": ("load.visits",),
        "reconcile.visits": ("index.visits", "index.patients"),
        "constrain.visits": ("reconcile.visits", "index.patients"),
        "verify.patients": ("index.patients",),
        "verify.visits": ("constrain.visits",),
    }


def test_maps_come_before_every_row() -> None:
    """A load waits for the maps that it looks up in, its own among them; a map waits for those of its own key."""
    shared = mapped("details")
    looked_up = replace(referring("id", "patients", derived=False), null=False)
    kept = replace(shared.map_table, numbered="") if shared.map_table else None
    details = replace(shared, columns=(looked_up,), map_table=kept)
    plan = steps(
        lower(ordered(mapped("patients"), details, table("visits", referring("of", "details", derived=False))))
    )

    assert plan["map.patients"].after == ("create.patients",)
    assert plan["map.details"].after == ("create.details", "map.patients")
    assert plan["load.patients"].after == ("create.patients", "map.patients")
    assert plan["load.details"].after == ("create.details", "map.details", "map.patients")
    assert plan["load.visits"].after == ("create.visits", "map.details")
    assert [(each.name, each.of) for each in plan["map.patients"].sections] == [
        ("apply", ""), ("size", ""), ("bound", ""), ("extract", ""), ("stage", ""), ("fill", ""), ("load", ""),
        ("sift", ""), ("build", "map_patients_legacy_id"), ("build", "statistics"), ("revert", ""),
    ]  # fmt: skip


def test_maps_are_whole_while_anybody_looks_up_in_them() -> None:
    """Reconcile takes entries away: a load that was slower would find other rows than one that was faster."""
    visits = table("visits", referring("patient_id", "patients", derived=False))
    plan = steps(lower(ordered(mapped("patients"), visits)))

    assert plan["reconcile.patients"].after == ("index.patients", "load.visits")


def test_the_gate_of_a_looked_up_reference() -> None:
    """It asks for what was not found, and for what was found and is gone since."""
    visits = table("visits", referring("patient_id", "patients", "fail", derived=False))
    gate = section(steps(lower(ordered(mapped("patients"), visits)))["reconcile.visits"], "gate").sql

    assert "FROM transhume.reject AS j" in gate
    assert "NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.patient_id)" in gate


def test_a_circle_is_settled_in_one_step() -> None:
    """Tables that refer to each other lose rows together; who refers to them waits for all of them."""
    stores = table("stores", referring("manager_id", "staff"))
    staff = table("staff", referring("store_id", "stores", "null"), referring("boss_id", "staff", "fail"))
    sales = table("sales", referring("store_id", "stores"))
    plan = steps(lower(ordered(stores, staff, sales, circles=[("stores", "staff")])))

    circle = plan["reconcile.stores+staff"]
    assert circle.after == ("index.stores", "index.staff")
    assert circle.table == "stores"
    assert [(each.name, each.of) for each in circle.sections] == [
        ("gate", ""), ("settle", "stores.manager_id"), ("settle", "staff.store_id"),
    ]  # fmt: skip
    assert plan["reconcile.sales"].after == ("index.sales", "reconcile.stores+staff")
    assert plan["constrain.staff"].after == ("reconcile.stores+staff", "index.stores", "index.staff")
    assert "reconcile.staff" not in plan


def test_a_table_that_refers_to_itself() -> None:
    """It has a step of its own, and the column's plain name."""
    plan = steps(lower(ordered(table("staff", referring("boss_id", "staff")), circles=[("staff",)])))

    assert plan["reconcile.staff"].after == ("index.staff",)
    assert section(plan["reconcile.staff"], "settle", "boss_id").binds == ("run", "step")


def test_after_makes_a_load_wait() -> None:
    """What the author says is kept; where it goes against the references, the steps still stand in an order."""
    parents = table("parents", after=("children",))
    children = table("children", referring("parent_id", "parents"))
    plan = lower(order(ordered(parents, children).resolved))
    place = {step.id: number for number, step in enumerate(plan.steps)}

    assert steps(plan)["load.parents"].after == ("create.parents", "load.children")
    assert all(place[before] < place[step.id] for step in plan.steps for before in step.after)


def test_in_order_moves_what_stands_too_early() -> None:
    """A step that stands too early comes as soon as it can; the others keep their places."""
    *others, verify_a, verify_b = lower(ordered(table("a"), table("b"))).steps

    assert in_order((*others, verify_a, verify_b)) == (*others, verify_a, verify_b)
    assert in_order((verify_b, *others, verify_a)) == (*others, verify_b, verify_a)


@given(st.permutations(["a", "b", "c", "d"]))
def test_same_bytes_whatever_the_files_are_called(names: list[str]) -> None:
    """The order of the tables in the folder does not show in the plan."""
    tables = {
        "a": table("a", referring("b_id", "b")),
        "b": table("b", referring("c_id", "c", "null"), referring("self_id", "b")),
        "c": mapped("c", referring("b_id", "b", "fail")),
        "d": table("d", referring("c_id", "c", derived=False), after=("a",)),
    }
    one, other = (order(ordered(*(tables[name] for name in each)).resolved) for each in (names, sorted(names)))

    assert emit(lower(one)) == emit(lower(other))


def test_a_new_table_is_new_lines() -> None:
    """No line of the manifest changes; of PLAN.md only the totals do."""
    few = [table("a"), table("c", referring("a_id", "a"))]
    before = emit(lower(ordered(*few)))
    after = emit(lower(ordered(few[0], table("b", referring("a_id", "a")), few[1])))

    assert set(before["plan.yaml"].splitlines()) < set(after["plan.yaml"].splitlines())
    gone = set(before["PLAN.md"].splitlines()) - set(after["PLAN.md"].splitlines())
    assert gone == {"**2 tables, about 2,000 rows, 11 steps. No hazard. Every step can be undone.**"}
    assert {name: text for name, text in after.items() if name in before and name.endswith(".sql")} == {
        name: text for name, text in before.items() if name.endswith(".sql")
    }


def test_existing_tables_lose_and_get_back() -> None:
    """A key between existing tables goes with the table that it refers to, and each key goes once."""
    trigger = ("touch", "CREATE TRIGGER touch ...")
    shops = existing("shops", triggers=(trigger, ("off", "...")), trigger_states=(("off", "disabled"),))
    clerks = existing(
        "clerks", key("clerk_shop", "shop_id", "shops"), key("clerk_town", "town_id", "towns", valid=False)
    )
    towns = relation("towns")
    there = [each.existing for each in (shops, clerks) if each.existing]
    plan = steps(lower(ordered(shops, clerks, target=[*there, towns])))

    assert section(plan["prepare.shops"], "apply").sql.splitlines() == [
        "ALTER TABLE app.clerks DROP CONSTRAINT clerk_shop;",
        "DROP INDEX IF EXISTS app.shops_id_key;",
        "ALTER TABLE app.shops DISABLE TRIGGER touch;",
    ]
    assert section(plan["prepare.shops"], "revert").sql.splitlines() == [
        "ALTER TABLE app.shops ENABLE TRIGGER touch;",
        "CREATE UNIQUE INDEX shops_id_key ON app.shops (id);",
        "ALTER TABLE app.clerks ADD CONSTRAINT clerk_shop FOREIGN KEY (shop_id) REFERENCES app.shops(id);",
    ]
    assert section(plan["prepare.clerks"], "apply").sql.splitlines() == [
        "ALTER TABLE app.clerks DROP CONSTRAINT clerk_town;",
        "DROP INDEX IF EXISTS app.clerks_id_key;",
    ]
    assert plan["load.clerks"].after == ("prepare.clerks", "prepare.shops")
    assert section(plan["constrain.clerks"], "apply").sql.splitlines() == [
        "ALTER TABLE app.clerks ADD CONSTRAINT clerk_shop FOREIGN KEY (shop_id) REFERENCES app.shops(id) NOT VALID;",
        "ALTER TABLE app.clerks ADD CONSTRAINT clerk_town FOREIGN KEY (town_id) REFERENCES app.towns(id) NOT VALID;",
    ]
    assert [each.of for each in plan["constrain.clerks"].sections if each.name == "build"] == ["clerk_shop"]
    assert section(plan["finish.shops"], "revert").sql == "ALTER TABLE app.shops DISABLE TRIGGER touch;"
    assert plan["prepare.shops"].risks == ("trigger touch of app.shops does not fire for the rows that are loaded",)


def test_what_somebody_else_refers_to_stays() -> None:
    """An index that a key of another table needs cannot go, and TRUNCATE would be refused."""
    shops = existing("shops")
    other = relation("prices", foreign_keys=(key("price_shop", "shop_id", "shops"),))
    plan = steps(lower(ordered(shops, target=[each for each in (shops.existing, other) if each])))

    assert [each.name for each in plan["prepare.shops"].sections] == ["gate", "verify"]
    assert section(plan["load.shops"], "revert").sql == "DELETE FROM app.shops;"
    assert "index.shops" not in plan
    assert plan["finish.shops"].after == ("load.shops",)
    assert plan["prepare.shops"].risks == (
        "shops_id_key of app.shops stays during the load (app.prices refers to it): slower, "
        "and duplicates fail row by row",
    )


def test_partitioned_tables() -> None:
    """What PostgreSQL does not allow on a partitioned table is done in another way."""
    months = Partition(
        "range", Word("at", SPAN), "month", Word("2025", SPAN), Word("2026", SPAN), (), None, False, SPAN
    )
    made = table("log", copied("at", "date"), referring("a_id", "a"), partition=months)
    old = existing("old", key("old_a", "a_id", "a"), kind="partitioned table", children=(Name("app", "old_1"),))
    first = relation("old_1", parents=(Name("app", "old"),), foreign_keys=(key("old_a", "a_id", "a"),))
    there = [each for each in (old.existing, first) if each]
    plan = steps(lower(ordered(table("a"), made, old, target=there)))

    for name, constraint in (("log", "log_a_id_fkey"), ("old", "old_a")):
        assert plan[f"constrain.{name}"].sections[0].name == "build"
        sql = section(plan[f"constrain.{name}"], "build", constraint).sql
        assert sql.startswith(f"ALTER TABLE app.{name} ADD CONSTRAINT {constraint} FOREIGN KEY (a_id) REFERENCES app.a")
        assert not sql.endswith("NOT VALID;")
    assert "index.old" not in plan
    assert [each.name for each in plan["prepare.old"].sections] == ["gate", "verify"]


def test_types_and_extensions() -> None:
    """A type waits for what it is made of, a table for its types."""
    types = (
        NewType(Name("app", "mood"), Sql("CREATE TYPE app.mood AS ENUM ('a')"), Name("public", "mood")),
        NewType(Name("app", "both"), Sql("CREATE TYPE app.both AS (m app.mood)"), Name("public", "both")),
    )
    project = replace(PROJECT, extensions=(Word("uuid-ossp", SPAN), Word("plpgsql", SPAN)))
    feelings = table("feelings", copied("m", "app.mood[]", wire="text"))
    plan = steps(lower(ordered(feelings, types=types, project=project)))

    assert plan["require.type-app.both"].after == ("require.schema-app", "require.type-app.mood")
    assert plan["create.feelings"].after == (
        "require.schema-app", "require.extension-uuid-ossp", "require.extension-plpgsql", "require.type-app.mood",
    )  # fmt: skip
    new, old = plan["require.extension-uuid-ossp"], plan["require.extension-plpgsql"]
    assert [each.name for each in new.sections] == ["gate", "apply", "revert"]
    assert section(new, "apply").sql == 'CREATE EXTENSION "uuid-ossp" SCHEMA public;'
    assert [each.name for each in old.sections] == ["gate"]


def test_duplicates() -> None:
    """Each policy has its repair; where rows cannot be told to be equal there is none."""
    indexes = tuple(
        unique_index("a", name, duplicates=policy) for name, policy in (("x", "reject"), ("y", "first"), ("z", "fail"))
    )
    expression = unique_index("a", duplicates="reject", name="lower_key")
    plan = steps(lower(ordered(table("a", indexes=(*indexes, expression)))))

    assert [each.of for each in plan["index.a"].sections if each.name == "repair"] == ["a_x_key", "a_y_key"]
    assert plan["index.a"].risks == (
        "a_y_key keeps the first of rows that are equal, in the order of the source's key",
        "lower_key has a condition or an expression: rows that are equal under it stop the run",
    )


def test_verify_waits_for_the_tables_that_its_queries_name() -> None:
    """A comparison reads finished tables only."""
    query = BoundComparison("totals", Sql("SELECT 1"), Sql("SELECT sum(x) FROM app.visits"))
    plan = steps(lower(ordered(table("patients", verify=(query,)), table("visits"), table("visit"))))

    assert plan["verify.patients"].after == ("index.patients", "index.visits")


def test_a_source_without_a_key() -> None:
    """One chunk, nothing to page by; in one database nothing to tell rows by either."""
    one = table("log", copied("a"), keyset=(), legacy_key=())
    two = steps(lower(ordered(one)))["load.log"]
    assert [each.name for each in two.sections] == [
        "size", "extract", "stage", "fill", "load", "sift", "set_aside", "revert",
    ]  # fmt: skip
    within = steps(lower(ordered(one, databases=1)))["load.log"]
    assert [each.name for each in within.sections] == ["size", "count", "load", "revert"]
    assert within.risks == (
        "the source has no key to page by: one transaction moves all of it, and a crash starts it anew",
    )


def test_rows_without_a_key_are_known_by_their_place() -> None:
    """Not by one that a row of the stage has too; and a reference that some of them lost is not compared."""
    one = table("log", referring("of", "patients", "null"), keyset=(), legacy_key=())
    plan = steps(lower(ordered(table("patients"), one)))
    sums = [each for each in plan["verify.log"].sections if each.name == "checksum"]

    assert (
        "ARRAY[t.tableoid::regclass::text || ' ' || t.ctid::text] AS key"
        in section(plan["reconcile.log"], "settle", "of").sql
    )
    assert [each.binds for each in sums] == [("rejected", 'nulled."of"')] * 2
    assert all("cardinality($1::text[]) = 0 AND cardinality($2::text[]) = 0 THEN sum(" in each.sql for each in sums)


def test_generated_always() -> None:
    """The keys of an existing identity column are written all the same."""
    old = existing("a")
    there = replace(old.existing, columns=(Column("id", "integer", identity="always"),)) if old.existing else None
    plan = steps(lower(ordered(replace(old, existing=there, direct=False), target=[there] if there else [])))

    assert "\n) OVERRIDING SYSTEM VALUE\nSELECT" in section(plan["load.a"], "load").sql


def test_what_never_was_valid_is_not_asked_for() -> None:
    """A check that the target has as NOT VALID stays so, and verify does not complain."""
    old = existing("a", checks=(Constraint("ok", "CHECK (true)", valid=False),))
    plan = steps(lower(ordered(old, target=[old.existing] if old.existing else [])))

    assert "AND k.conname NOT IN ('ok')" in section(plan["verify.a"], "verify").sql


@pytest.mark.parametrize("databases", [1, 2])
def test_incomparable_columns_are_named(databases: int) -> None:
    """What is not compared is said in the step and on the page; a lookup is compared by what it was looked up by."""
    odd = copied("now", "text", comparable=None, incomparable="only the target can compute it")
    plan: Ordered = ordered(mapped("p"), table("a", odd, referring("p_id", "p", "null", derived=False)))
    found = steps(lower(replace(plan, resolved=replace(plan.resolved, databases=databases))))["verify.a"]  # type: ignore[arg-type]

    assert found.what == "app.a against its source, but for now (only the target can compute it)"
    assert found.risks == ("app.a.now is not compared: only the target can compute it",)
    source, target = (each for each in found.sections if each.name == "checksum")
    assert source.binds == ("rejected", 'nulled."p_id"')
    assert "CASE WHEN s.id::text = ANY ($2::text[]) THEN NULL ELSE s.p_id::integer::text END" in source.sql
    assert "LEFT JOIN transhume.map_p AS m_p_id ON m_p_id.id = t.p_id" in target.sql


def test_the_map_of_a_source_without_a_key() -> None:
    """It is looked up by what references match on, and has no index of no columns."""
    kept = MapTable((ID,), (("id",),), ("id",))
    one = table("log", copied("a"), keyset=(), legacy_key=(), map_table=kept)
    builds = [each.of for each in steps(lower(ordered(one)))["map.log"].sections if each.name == "build"]

    assert builds == ["map_log_legacy_id", "map_log_id", "statistics"]
