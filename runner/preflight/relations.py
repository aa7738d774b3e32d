"""The relations themselves: as they were reviewed, empty or absent where the plan says so, and free of rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg

from runner.connect import Session
from runner.manifest import Plan
from runner.preflight.found import Found, split_name, split_names
from runner.sections import Side
from runner.snapshot import fingerprint, read_catalog

GATED = ("require", "create", "prepare")  # kinds whose gates say what must be true before any step


def check_changes(plan: Plan, side: Side, session: Session) -> Iterator[Found]:
    """The relations that are not what the plan was reviewed against."""
    reviewed = [relation for relation in plan.relations if relation.database == side and relation.fingerprint]
    if not reviewed:
        return
    schemas = sorted({split_name(relation.relation)[0] for relation in reviewed})
    catalog = read_catalog(session, side, schemas)
    again = f"`transhume snapshot {plan.project}` writes down how, then plan again"
    for relation in reviewed:
        if relation.relation not in catalog["relations"]:
            yield Found(side, f"{relation.relation} is not in the {side} any more")
        elif fingerprint(relation.relation, catalog) != relation.fingerprint:
            yield Found(side, f"{relation.relation} in the {side} was changed since the plan was reviewed", again)


def check_gates(plan: Plan, session: Session) -> Iterator[Found]:
    """What the gates of the first steps refuse: tables that are there already, or are not empty.

    All of them are one request. Where one cannot be asked, its step will say why.
    """
    steps = (step for step in plan.steps if step.kind in GATED and step.database == "target")
    gates = [gate.text for step in steps for gate in plan.open(step).all("gate", "target") if not gate.binds]
    if not gates:
        return
    try:
        cursor = session.execute(";\n".join(gates).encode())
    except psycopg.Error:
        return
    while True:
        yield from (Found("target", str(row[0])) for row in cursor.fetchall())
        if not cursor.nextset():
            return


def check_rules(session: Session, names: Sequence[str]) -> Iterator[Found]:
    """Rules on existing tables: they rewrite an INSERT, and a COPY goes past them."""
    for name, rule in session.execute(RULES, split_names(names)):
        advice = f"ALTER TABLE {name} DISABLE RULE {rule}, until the plan is applied"
        yield Found("target", f"{name} has the rule {rule}, which rewrites what is written there", advice)


def check_event_triggers(session: Session) -> Iterator[Found]:
    """Functions that run with every statement that creates or changes a table."""
    for trigger, function in session.execute(EVENT_TRIGGERS):
        what = f"the event trigger {trigger} runs {function} with the plan's DDL"
        yield Found("target", what, "it may refuse a statement, or copy it elsewhere", False)


RULES = """
    SELECT g.name, pg_catalog.quote_ident(r.rulename)
    FROM pg_catalog.pg_rewrite AS r
    JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN unnest(%(names)s::text[], %(schemas)s::text[], %(relations)s::text[]) AS g (name, nspname, relname)
      ON g.nspname = n.nspname AND g.relname = c.relname
    WHERE r.ev_type IN ('2', '3', '4') AND r.ev_enabled IN ('O', 'A')
    ORDER BY g.name, r.rulename"""

EVENT_TRIGGERS = """
    SELECT pg_catalog.quote_ident(evtname), evtfoid::pg_catalog.regproc::text
    FROM pg_catalog.pg_event_trigger
    WHERE evtenabled IN ('O', 'A') AND evtevent <> 'login'
    ORDER BY evtname"""
