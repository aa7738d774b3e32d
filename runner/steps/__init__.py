"""How each kind of step is carried out: KINDS is all of them. What it returns is left of the step; None: nothing."""

from collections.abc import Callable, Mapping

from runner.schedule import Parts
from runner.steps import load, reconcile, sectioned, verify
from runner.work import Work

KINDS: Mapping[str, Callable[[Work], Parts | None]] = {
    "require": sectioned.carry_out,
    "create": sectioned.carry_out,
    "prepare": sectioned.carry_out,
    "map": load.carry_out,
    "tree": load.carry_out,
    "load": load.carry_out,
    "index": sectioned.carry_out,
    "reconcile": reconcile.carry_out,
    "constrain": sectioned.carry_out,
    "finish": sectioned.carry_out,
    "verify": verify.carry_out,
}
