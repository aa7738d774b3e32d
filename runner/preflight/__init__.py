"""What must be true before anything runs: asked of both databases at once, and refused with every reason."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from runner.connect import Session
from runner.errors import Refused
from runner.journal import identity
from runner.manifest import Plan
from runner.preflight import locks, privileges, relations, replication, servers, space
from runner.preflight.facts import Facts, read_facts
from runner.preflight.found import Found, split_name
from runner.sections import Side

HINT = "nothing was changed"
UNKNOWN = "?"  # the system identifier, where the role may not ask for it


@dataclass(frozen=True)
class Preflight:
    """Looks before a run starts or goes on.

    `fresh`: nothing was done yet, so the target is as it was reviewed. `connections` is how many sessions the run will
    open on each side at most, 0 where that is not known. A number of queries a side, however many tables there are.
    """

    plan: Plan
    source: Session
    target: Session
    fresh: bool
    connections: int = 0

    def check(self, env: Mapping[str, str] = os.environ, notice: Callable[[str], None] = lambda _: None) -> None:
        """Give every notice to `notice`, then raise Refused with everything that is wrong. Raises psycopg.Error."""
        found = (*self.findings(env), *servers.check_environment(self.plan.requires, env))
        for one in found:
            if not one.refuses:
                notice(str(one))
        if problems := tuple(dict.fromkeys(str(one) for one in found if one.refuses)):
            raise Refused(f"project {self.plan.project} cannot be applied here", HINT, notes=problems)

    def findings(self, env: Mapping[str, str] = os.environ) -> Iterator[Found]:
        """Everything about the servers, in the order in which it is looked at; of `env` only the free space counts."""
        timeout = f"{max(1, round(self.plan.limits.lock_timeout * 1000))}ms"  # the target's session has its own
        self.source.execute("SELECT pg_catalog.set_config('lock_timeout', %s, false)", (timeout,))
        yield from self.between()
        asked = [*self.closed("source"), *self.closed("target")]
        yield from asked
        yield from self.around()
        slots = tuple(replication.check_slots(self.target))
        yield from slots
        if not any(one.refuses for one in asked):  # else the tables cannot be read, or a lock is waited for
            yield from self.tables("source")
            yield from self.tables("target")
            facts = self.facts["target"]
            yield from space.check_space(self.plan, self.source, self.target, facts, bool(slots), env)

    def alone(self, side: Side) -> Iterator[Found]:
        """What can be said of one side where the other does not answer."""
        yield from servers.check_server(side, read_facts(getattr(self, side), ()), self.plan.requires)
        yield from self.closed(side)
        if side == "target":
            yield from servers.check_extensions(self.target, self.plan.requires)
            yield from self.around()

    def between(self) -> Iterator[Found]:
        """What each server is, and how the two differ."""
        for side, facts in self.facts.items():
            yield from servers.check_server(side, facts, self.plan.requires)
        if self.plan.databases == 2:
            if self._identities[0] == self._identities[1]:
                both = f"{self.plan.source.env} and {self.plan.target.env}"
                yield Found("target", f"{both} lead to the same database")
            yield from servers.check_between(self.plan, self.facts["source"], self.facts["target"])
        yield from servers.check_extensions(self.target, self.plan.requires)
        if self.connections:
            one = self.plan.databases == 1
            yield from servers.check_connections(self.facts, self.connections, self._shared, one)

    def closed(self, side: Side) -> Iterator[Found]:
        """What keeps the role from the tables of a side: privileges, policies, locks that nobody will let go."""
        if side == "source":
            yield from privileges.check_source(self.source, self.plan.source.schema, self._read)
            yield from locks.check_prepared(side, self.source, self._read)
            return
        schemas = {self.plan.target.schema, *(split_name(table.target)[0] for table in self.plan.tables)}
        yield from privileges.check_target(self.target, sorted(schemas), self._existing)
        yield from locks.check_prepared(side, self.target, [table.target for table in self.plan.tables])

    def around(self) -> Iterator[Found]:
        """What else takes part when the target is written."""
        yield from relations.check_rules(self.target, self._existing)
        yield from relations.check_event_triggers(self.target)
        yield from replication.check_replication(self.plan, self.target, self._existing)

    def tables(self, side: Side) -> Iterator[Found]:
        """Whether the tables of a side are as the plan was reviewed against."""
        if side == "source":
            yield from relations.check_changes(self.plan, side, self.source)
        elif self.fresh:
            changes = list(relations.check_changes(self.plan, side, self.target))
            yield from changes
            if not changes:  # a gate cannot ask a table that is not there
                yield from relations.check_gates(self.plan, self.target)

    @cached_property
    def facts(self) -> dict[Side, Facts]:
        """What each server says of itself."""
        mine = [self.source.info.backend_pid, self.target.info.backend_pid]
        return {
            "source": read_facts(self.source, mine if self._shared else mine[:1]),
            "target": read_facts(self.target, mine if self._shared else mine[1:]),
        }

    @cached_property
    def _identities(self) -> tuple[str, str]:
        return identity(self.source), identity(self.target)

    @property
    def _shared(self) -> bool:
        """Whether one server has both databases, as far as that is known."""
        source, target = (one.split("/")[0] for one in self._identities)
        return source == target != UNKNOWN

    @property
    def _read(self) -> list[str]:
        """The relations that the plan reads in the source."""
        return [relation.relation for relation in self.plan.relations if relation.database == "source"]

    @property
    def _existing(self) -> list[str]:
        """The tables to be filled that were there when the plan was reviewed."""
        reviewed = {relation.relation for relation in self.plan.relations if relation.database == "target"}
        return [table.target for table in self.plan.tables if table.target in reviewed]
