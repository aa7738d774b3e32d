"""What one server says of itself, in one query: settings, limits, encoding, ages, who is connected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row

from runner.connect import Session

SETTINGS = (
    "autovacuum_freeze_max_age", "autovacuum_multixact_freeze_max_age", "data_directory",
    "hot_standby_feedback", "max_connections", "max_slot_wal_keep_size", "max_wal_size", "reserved_connections",
    "superuser_reserved_connections", "vacuum_failsafe_age", "vacuum_multixact_failsafe_age",
)  # fmt: skip
COLLATION_VERSIONS = 150000  # the first server that keeps its databases' own


@dataclass(frozen=True, slots=True)
class Facts:
    """One side. `database` is its row of pg_database; `used` the sessions of the server, the role, the database.

    `settings` lacks what the role may not see, and what this version does not know. `time_zone` is what a session has
    that sets none.
    """

    version: int
    standby: bool
    database: Mapping[str, Any]
    encoding: str
    collation_version: str | None
    age: int
    multixact_age: int
    settings: Mapping[str, str]
    time_zone: str
    role: str
    superuser: bool
    reserved: bool
    role_limit: int
    used: Sequence[int]

    @property
    def locale(self) -> str:
        """What orders its texts: provider and name."""
        providers = {"c": "libc", "i": "icu", "b": "builtin"}
        provider = providers[self.database.get("datlocprovider", "c")]
        name = self.database.get("datlocale") or self.database.get("daticulocale") or self.database["datcollate"]
        return f"{name} ({provider})"

    def number(self, setting: str) -> int:
        """A setting that is a number, in its unit; 0 where this version does not know it."""
        return int(self.settings.get(setting, 0))


def read_facts(session: Session, mine: Sequence[int]) -> Facts:
    """Ask a server; `mine` are the processes of the runner's own sessions, which are not counted."""
    version = session.info.server_version
    kept = "pg_catalog.pg_database_collation_actual_version(d.oid)" if version >= COLLATION_VERSIONS else "NULL"
    query = QUERY.replace("COLLATION_VERSION", kept)
    values = {"version": version // 10000, "settings": list(SETTINGS), "mine": list(mine)}
    with session.cursor(row_factory=class_row(Facts)) as cursor:
        row = cursor.execute(query.encode(), values).fetchone()
    assert row is not None  # the database that is connected to is there
    return row


QUERY = """
    SELECT %(version)s AS version, pg_catalog.pg_is_in_recovery() AS standby, pg_catalog.to_jsonb(d) AS database,
           pg_catalog.pg_encoding_to_char(d.encoding) AS encoding, COLLATION_VERSION AS collation_version,
           pg_catalog.age(d.datfrozenxid) AS age, pg_catalog.mxid_age(d.datminmxid) AS multixact_age,
           (SELECT pg_catalog.jsonb_object_agg(s.name, s.setting) FROM pg_catalog.pg_settings AS s
            WHERE s.name = ANY (%(settings)s)) AS settings,
           (SELECT s.reset_val FROM pg_catalog.pg_settings AS s WHERE s.name = 'TimeZone') AS time_zone,
           r.rolname AS role, r.rolsuper AS superuser, r.rolconnlimit AS role_limit,
           EXISTS (SELECT FROM pg_catalog.pg_roles AS u WHERE u.rolname = 'pg_use_reserved_connections'
                   AND pg_catalog.pg_has_role(u.oid, 'USAGE')) AS reserved,
           (SELECT ARRAY[count(*), count(*) FILTER (WHERE a.usesysid = r.oid), count(*) FILTER (WHERE a.datid = d.oid)]
            FROM pg_catalog.pg_stat_activity AS a
            WHERE a.datid IS NOT NULL AND a.usesysid IS NOT NULL AND a.pid <> ALL (%(mine)s)
              AND coalesce(a.backend_type, 'client backend') = 'client backend') AS used
    FROM pg_catalog.pg_database AS d JOIN pg_catalog.pg_roles AS r ON r.rolname = session_user
    WHERE d.datname = current_database()"""
