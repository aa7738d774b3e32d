"""The table of faults: what can go wrong around a run, what is expected then, and the tests that prove it.

docs/faults.md is this table; `make faults` runs what it names and ends with what became of each row. `tests` are below
tests/. A fault that is not tried has a `reason` in their place.
"""

from __future__ import annotations

from dataclasses import dataclass

PARTS = {
    "A": "Processes, servers, the network",
    "B": "Resources",
    "C": "Locks, and others at work",
    "E": "What else acts on the target",
    "F": "Privileges, and what a role sees",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A fault by its number, which it keeps for good; either `tests` or a `reason`."""

    part: str
    number: int
    fault: str
    expected: str
    tests: tuple[str, ...] = ()
    reason: str = ""


SYNC = "comes with incremental synchronisation: a plan moves rows once, and holds a snapshot only while it loads"

ROWS = (
    Row(
        "A",
        1,
        "kill -9 at a named place of a chunk, or of any other change",
        "the next apply goes on, and ends with the content of a run without trouble",
        (
            "pg/test_resume.py::test_killed_at_a_failpoint",
            "pg/test_resume.py::test_killed_within_one_database",
            "faults/test_kills.py::test_killed_at_every_commit",
            "pg/test_resume_property.py::test_whatever_happens",
        ),
    ),
    Row(
        "A",
        2,
        "kill -9 at 100 random instants",
        "at each of them the tables hold what the journal says, and each run ends equal; a wrong runner is found out",
        (
            "faults/test_kills.py::test_killed_at_random_instants",
            "faults/test_kills.py::test_a_wrong_protocol_is_found_out",
            "pg/test_resume.py::test_a_checkpoint_outside_the_transaction_loses_rows",
        ),
    ),
    Row(
        "A",
        3,
        "kill -9 amid CREATE INDEX CONCURRENTLY",
        "the orphaned build is ended, the invalid index dropped and built again; never two builds at work",
        ("pg/test_outside.py::test_killed_amid_a_build", "pg/test_outside.py::test_killed_between_statements"),
    ),
    Row(
        "A",
        4,
        "kill -9 while a long statement holds locks",
        "the next apply ends the orphan first; without one, the server ends it",
        (
            "pg/test_faults.py::test_killed_during_a_long_statement",
            "faults/test_servers.py::test_an_orphan_ends_by_itself",
        ),
    ),
    Row(
        "A",
        5,
        "the target crashes",
        "reconnected, the journal read again; the content is equal",
        (
            "faults/test_servers.py::test_a_server_crashes",
            "pg/test_server_faults.py::test_the_server_crashes_and_comes_back",
            "pg/test_server_faults.py::test_the_server_stays_away",
        ),
    ),
    Row(
        "A",
        6,
        "the target's role or database does not wait for the disk",
        "the runner's sessions do: a crash takes nothing back that the journal has said",
        ("faults/test_servers.py::test_the_commit_is_waited_for", "faults/test_servers.py::test_a_server_crashes"),
    ),
    Row(
        "A",
        7,
        "the source crashes",
        "what was being read is read again in a new snapshot",
        ("faults/test_servers.py::test_a_server_crashes", "pg/test_faults.py::test_an_administrator_ends_sessions"),
    ),
    Row(
        "A",
        8,
        "the network loses a COMMIT, its reply, or falls silent",
        "the journal knows which it was; silence is noticed within tcp_user_timeout and the keepalives of the URL",
        ("pg/test_faults.py::test_a_lost_commit", "faults/test_network.py::test_silence"),
    ),
    Row(
        "A",
        9,
        "a server that is starting (57P03), or has no connection free (53300)",
        "asked again, less and less often",
        ("faults/test_network.py::test_no_new_connections",),
    ),
    Row(
        "A",
        10,
        "failover to a copy of the target that lacks the last chunks",
        "journal and rows are of the same instant: the run goes on from there",
        ("faults/test_servers.py::test_the_target_comes_back_from_an_old_copy",),
    ),
    Row(
        "A",
        11,
        "the target restored from before the run",
        "nothing of the run is there: it begins anew; rows without their journal are refused",
        (
            "faults/test_servers.py::test_the_target_comes_back_from_an_old_copy",
            "faults/test_servers.py::test_rows_without_a_journal",
        ),
    ),
    Row(
        "A",
        12,
        "the clock of the runner's host jumps",
        "nothing is decided by it",
        (
            "faults/test_clock.py::test_a_clock_that_jumps",
            "faults/test_clock.py::test_a_clock_that_runs_wild",
            "faults/test_clock.py::test_nothing_is_decided_by_the_wall_clock",
        ),
    ),
    Row(
        "A",
        13,
        "a process of the server is killed, as when memory runs out",
        "as a crash of the server",
        ("faults/test_servers.py::test_a_process_of_the_server_is_killed",),
    ),
    Row(
        "A",
        14,
        "Ctrl-C, SIGTERM",
        "chunks in flight may end, long statements are cancelled; exit code 130, apply goes on",
        ("pg/test_resume.py::test_interrupted_runs_go_on", "pg/test_faults.py::test_interrupting_a_long_statement"),
    ),
    Row(
        "B",
        15,
        "the disk of the data is full (53100)",
        "the run stops with what is committed; with room, apply goes on",
        (
            "faults/test_disk.py::test_the_disk_of_the_data_is_full",
            "pg/test_faults.py::test_a_full_disk",
            "faults/test_locks.py::test_an_error_that_stays",
        ),
    ),
    Row(
        "B",
        16,
        "the disk of the write-ahead log is full",
        "the server ends itself and the run stops; with room, both go on",
        ("faults/test_disk.py::test_the_disk_of_the_log_is_full",),
    ),
    Row(
        "B",
        17,
        "a replication slot that nobody reads keeps the log",
        "told before anything is written",
        (
            "pg/test_preflight_servers.py::test_a_replication_slot_that_nobody_reads",
            "pg/test_preflight_space.py::test_wal_that_nobody_reads",
        ),
    ),
    Row(
        "B",
        18,
        "too little room for what the plan will write",
        "refused where it can be seen, asked of the operator where not",
        (
            "pg/test_preflight_space.py::test_free_space_of_this_machine",
            "pg/test_preflight_space.py::test_space_that_cannot_be_seen",
            "pg/test_preflight_space.py::test_free_space_that_the_operator_confirms",
        ),
    ),
    Row(
        "B",
        19,
        "a sort passes temp_file_limit",
        "the step stops and says so; with the limit raised it goes on",
        ("faults/test_disk.py::test_temporary_files_are_limited",),
    ),
    Row(
        "B",
        20,
        "a row that the server cannot put into one message (1 GB)",
        "it is set aside by its key, with the server's SQLSTATE; the others move",
        ("faults/test_disk.py::test_a_row_that_is_too_big",),
    ),
    Row("B", 21, "a transaction of the source that stays open for hours", "", (), SYNC),
    Row(
        "B",
        22,
        "transaction ids are used up",
        "dirt costs one for each half of a chunk, never one for each row",
        ("faults/test_target.py::test_rows_cost_no_transaction_ids",),
    ),
    Row(
        "B",
        23,
        "the target is close to wraparound",
        "refused before anything is written",
        ("pg/test_preflight_servers.py::test_transaction_numbers_that_run_out",),
    ),
    Row(
        "B",
        24,
        "a prepared transaction that nobody ends",
        "told before anything is written",
        ("pg/test_preflight_servers.py::test_prepared_transactions",),
    ),
    Row(
        "C",
        25,
        "a long reader of a table that is to be changed",
        "the runner gives up its place and comes again: readers behind it are served at once",
        ("faults/test_locks.py::test_a_long_reader", "pg/test_faults.py::test_a_table_that_is_locked"),
    ),
    Row(
        "C",
        26,
        "a deadlock with the application",
        "the runner gives way, never the application",
        (
            "faults/test_locks.py::test_a_deadlock_with_the_application",
            "pg/test_lock_timeout.py::test_every_kind_of_step_gives_way",
        ),
    ),
    Row(
        "C",
        27,
        "one statement that locks two tables, as foreign keys do",
        "the runner gives way, as in a deadlock",
        (
            "faults/test_locks.py::test_a_deadlock_with_the_application",
            "pg/test_lock_timeout.py::test_a_rollback_gives_way",
        ),
    ),
    Row(
        "C",
        28,
        "two runners of one run",
        "one works, the others are refused and say who works",
        ("pg/test_resume.py::test_a_second_runner_is_refused", "faults/test_locks.py::test_four_runners_at_once"),
    ),
    Row(
        "C",
        29,
        "two projects that fill the same table",
        "the second is refused: the table is not empty",
        ("faults/test_locks.py::test_another_project_wants_the_same_table",),
    ),
    Row(
        "C",
        30,
        "a frozen runner that thaws after it was taken over",
        "it can change nothing, and ends",
        ("pg/test_resume.py::test_a_zombie_is_fenced", "faults/test_locks.py::test_a_frozen_runner"),
    ),
    Row("C", 31, "a pooler in place of the server", "refused", ("pg/test_faults.py::test_a_pooler_is_refused",)),
    Row(
        "C",
        32,
        "VACUUM or ANALYZE of a table is at work",
        "waited for in short tries, and never ended; autovacuum is sent away by the server",
        ("faults/test_locks.py::test_vacuum_is_at_work", "pg/test_server_faults.py::test_autovacuum_gives_way"),
    ),
    Row("C", 33, "serialization failures", "tried again", ("faults/test_locks.py::test_an_error_that_passes",)),
    Row(
        "C",
        34,
        "statement timeouts",
        "those of the role are not the runner's; a chunk that is cancelled gets smaller",
        (
            "faults/test_locks.py::test_a_statement_timeout_of_the_role",
            "faults/test_locks.py::test_an_error_that_passes",
            "pg/test_faults.py::test_an_administrator_ends_sessions",
        ),
    ),
    Row(
        "C",
        35,
        "CREATE INDEX CONCURRENTLY waits for a snapshot of the runner's own",
        "no session holds one then",
        ("pg/test_outside.py::test_within_one_database",),
    ),
    Row(
        "C",
        36,
        "a runner that waits for the advisory lock holds such a build up",
        "the lock is polled; a build waits long, not for ever",
        (
            "pg/test_outside.py::test_an_older_transaction_that_does_not_end",
            "pg/test_resume.py::test_a_second_runner_is_refused",
        ),
    ),
    Row(
        "C",
        37,
        "something comes to depend on a column between its review and its removal",
        "phases 1 to 3 are refused, the drop itself under its lock; nothing is dropped",
        ("pg/test_removal_gates.py::test_what_comes_to_use_the_columns_stops_the_drop",),
    ),
    Row(
        "C",
        38,
        "an event trigger refuses DDL",
        "the run stops with the trigger's words; without it, apply goes on",
        ("faults/test_target.py::test_an_event_trigger_refuses",),
    ),
    Row(
        "E",
        63,
        "triggers of the target that write, or send mail",
        "they do not fire for what is moved, and are as before afterwards",
        ("faults/test_target.py::test_triggers_do_not_fire",),
    ),
    Row(
        "E",
        64,
        "orphans behind keys that were not checked",
        "the runner never stands in for a replica: every key is checked",
        (
            "faults/test_target.py::test_no_session_stands_in_for_a_replica",
            "faults/test_kills.py::test_killed_at_random_instants",
        ),
    ),
    Row(
        "E",
        65,
        "rules that rewrite what is inserted",
        "refused",
        ("pg/test_preflight.py::test_rules_on_existing_tables", "faults/test_target.py::test_a_rule_takes_the_rows"),
    ),
    Row(
        "E",
        66,
        "a publication of the target sends on all that is loaded",
        "told before anything is written",
        ("pg/test_preflight_servers.py::test_publications_of_the_target",),
    ),
    Row(
        "E",
        67,
        "the index of a replica identity would be dropped",
        "refused",
        ("pg/test_preflight.py::test_a_replica_identity_that_the_plan_drops",),
    ),
    Row(
        "E",
        68,
        "event triggers that refuse DDL, or send it on",
        "told before anything is written",
        ("pg/test_preflight.py::test_event_triggers", "faults/test_target.py::test_an_event_trigger_refuses"),
    ),
    Row(
        "F",
        69,
        "policies hide rows of the source",
        "refused, or an error: never a row left behind",
        ("pg/test_faults.py::test_rows_that_a_policy_hides", "pg/test_preflight.py::test_row_security_hides_rows"),
    ),
    Row(
        "F", 70, "policies hide rows of the target", "refused", ("pg/test_preflight.py::test_row_security_hides_rows",)
    ),
    Row(
        "F",
        71,
        "a privilege is missing, or the source is not what was reviewed",
        "everything that is missing is told at once, nothing was changed",
        (
            "pg/test_faults.py::test_missing_privileges",
            "pg/test_preflight.py::test_privileges_that_are_missing",
            "pg/test_faults.py::test_a_changed_source",
        ),
    ),
    Row("F", 72, "the target is a standby", "refused", ("pg/test_preflight_servers.py::test_a_standby",)),
    Row(
        "F",
        73,
        "the source is a standby, and a conflict cancels what reads it",
        "read again in a new snapshot",
        (
            "pg/test_preflight_servers.py::test_a_standby",
            "faults/test_locks.py::test_an_error_of_the_source_that_passes",
        ),
    ),
    Row(
        "F",
        74,
        "functions, operators and tables planted in a search_path",
        "never taken for the server's own",
        ("faults/test_target.py::test_functions_that_were_planted",),
    ),
    Row(
        "F",
        75,
        "helper functions with their owner's rights",
        "only removals have some, each with a search_path of its own, in a schema that nobody else may use; what a "
        "load creates is temporary, its session's, and has its caller's rights",
        ("faults/test_target.py::test_no_functions_of_its_own",),
    ),
    Row(
        "F",
        76,
        "a role loses a privilege amid a run",
        "the run stops; with the privilege again, apply goes on",
        (
            "faults/test_target.py::test_a_privilege_is_taken_away",
            "pg/test_preflight.py::test_a_privilege_that_is_lost_amid_a_run",
        ),
    ),
    Row(
        "C",
        77,
        "an application writes all through a removal and its restore, keys and all",
        "it is refused by the guard alone; the column is what it was, each row what the application believes, 20 seeds",
        (
            "pg/test_removal_live.py::test_an_application_that_goes_on_writing",
            "pg/test_removal_inherits.py::test_applications_that_go_on_writing_to_every_member",
        ),
    ),
    Row(
        "C",
        78,
        "kill -9 in each phase of a removal, and in the restore, while the application writes",
        "the same command goes on; the same holds, 20 seeds",
        (
            "pg/test_removal_live.py::test_a_runner_that_is_killed_in_each_phase",
            "pg/test_removal_inherits.py::test_a_runner_that_is_killed_over_a_hierarchy",
        ),
    ),
)
