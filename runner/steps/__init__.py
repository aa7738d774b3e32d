"""How each kind of step is carried out: KINDS is all of them. What it returns is left of the step; None: nothing."""

from collections.abc import Callable, Mapping

from runner.schedule import Parts
from runner.steps import export, keyed, load, reconcile, sectioned, verify
from runner.work import Work

KINDS: Mapping[str, Callable[[Work], Parts | None]] = {
    "require": sectioned.carry_out,
    "create": sectioned.carry_out,
    "prepare": sectioned.carry_out,
    "map": load.carry_out,
    "load": load.carry_out,
    "index": sectioned.carry_out,
    "reconcile": reconcile.carry_out,
    "constrain": sectioned.carry_out,
    "finish": sectioned.carry_out,
    "verify": verify.carry_out,
    # of removals
    "describe": sectioned.carry_out,
    "backup": sectioned.carry_out,
    "capture": sectioned.carry_out,
    "backfill": keyed.backfill,
    "relax": sectioned.carry_out,
    "rebuild": sectioned.carry_out,
    "guard": sectioned.carry_out,
    "enforce": sectioned.carry_out,
    "hide": sectioned.carry_out,
    "quarantine": sectioned.carry_out,
    "gate": sectioned.carry_out,
    "measure": sectioned.carry_out,
    "unlink": sectioned.carry_out,
    "drop": sectioned.carry_out,
    "export": export.carry_out,
    "purge": sectioned.carry_out,
    "add": sectioned.carry_out,
    "refill": keyed.refill,
    "narrow": sectioned.carry_out,
    "recreate": sectioned.carry_out,
    "release": sectioned.carry_out,
    "discard": sectioned.carry_out,
}
