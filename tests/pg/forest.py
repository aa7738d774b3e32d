"""What `tree:` makes of rows, in plain Python: no SQL, no cleverness, one row after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

STOPPED = {"orphan", "cycle", "below", "deep"}


@dataclass(frozen=True, slots=True)
class Comment:
    """A row: not `fit`, it cannot move for another reason; `gone`, it is a placeholder if anything hangs from it."""

    key: int
    parent: int | None
    at: int = 0
    gone: bool = False
    fit: bool = True

    @property
    def age(self) -> tuple[int, int]:
        """By what siblings are ordered."""
        return self.at, self.key


@dataclass(frozen=True, slots=True)
class Rules:
    """What a spec says. `under` stands for `{under: key}`; `deepest` 0: no limit."""

    orphan: str = "root"
    under: int = 0
    cycle: str = "break"
    deepest: int = 0
    deeper: str = "flatten"
    placeholder: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row hangs in the end."""

    parent: int | None
    root: int
    depth: int
    position: int


@dataclass(slots=True)
class Forest:
    """The rows that move, the fates of those that do not, and what was done to whom."""

    rules: Rules
    comments: Mapping[int, Comment]
    parents: dict[int, int | None] = field(default_factory=dict)
    fates: dict[int, str] = field(default_factory=dict)
    done: dict[int, str] = field(default_factory=dict)
    actions: set[tuple[int, str]] = field(default_factory=set)
    places: dict[int, Place] = field(default_factory=dict)

    @property
    def paths(self) -> Mapping[int, str]:
        """The positions from the root down."""
        return {key: "/".join(f"{self.places[one].position:06}" for one in self._down_to(key)) for key in self.places}

    def _down_to(self, key: int) -> list[int]:
        above = self.places[key].parent
        return [*(self._down_to(above) if above is not None else []), key]


def grow(comments: Iterable[Comment], rules: Rules) -> Forest:
    """Where each row hangs, by the rules."""
    fit = {each.key: each for each in comments if each.fit}
    forest = Forest(rules, fit)
    forest.parents = {key: None if one.parent == key else one.parent for key, one in fit.items()}
    _orphans(forest)
    _cycles(forest)
    levels = _levels(forest)
    hangs = _flattened(forest, levels)
    left = set(_left(forest, hangs))
    moving = [key for key in fit if key not in forest.fates and key not in left]
    _settle(forest, hangs, levels, left, moving)
    return forest


def _orphans(forest: Forest) -> None:
    above = _ancestors(forest.rules.under, forest.parents)
    for key, parent in list(forest.parents.items()):
        if parent is not None and parent not in forest.parents:
            _orphan(forest, key, adopt=bool(above) and key not in above)


def _orphan(forest: Forest, key: int, *, adopt: bool) -> None:
    rules = forest.rules
    forest.parents[key] = rules.under if rules.under and adopt else None
    if rules.orphan == "reject":
        forest.fates[key] = "orphan"
    else:
        forest.done[key] = "adopted" if forest.parents[key] is not None else "rooted"


def _ancestors(key: int, parents: Mapping[int, int | None]) -> list[int]:
    """The way up from a key, itself the first, up to where it comes back or ends; nothing where it is not there."""
    way: list[int] = []
    at: int | None = key
    while at is not None and at in parents and at not in way:
        way.append(at)
        at = parents[at]
    return way


def _cycles(forest: Forest) -> None:
    parents = dict(forest.parents)
    cycles = {frozenset(_cycle(key, parents)) for key in parents} - {frozenset()}
    for cycle in cycles:
        if forest.rules.cycle == "break":
            oldest = min(cycle, key=lambda key: forest.comments[key].age)
            forest.parents[oldest] = None
            forest.done[oldest] = "broken"
        for key in cycle if forest.rules.cycle == "reject" else ():
            forest.parents[key] = None
            forest.fates[key] = "cycle"
            forest.done.pop(key, None)
    if forest.rules.cycle == "reject":
        rings = {key for cycle in cycles for key in cycle}
        top = _ancestors(forest.rules.under, parents)
        reached = bool(top) and parents[top[-1]] is None
        for key in parents.keys() - rings:
            if parents[key] in rings:
                _orphan(forest, key, adopt=reached)


def _cycle(key: int, parents: Mapping[int, int | None]) -> list[int]:
    """The cycle that a row is in; nothing where it is in none."""
    way = _ancestors(key, parents)
    return way if parents[way[-1]] == key else []


def _levels(forest: Forest) -> dict[int, int]:
    levels: dict[int, int] = {}
    for key in forest.parents:
        way = _ancestors(key, forest.parents)
        levels[key] = len(way) - 1
        if forest.rules.deepest and forest.rules.deeper == "reject" and levels[key] > forest.rules.deepest:
            forest.fates.setdefault(key, "deep")
        if any(forest.fates.get(one) in ("orphan", "below") for one in way[1:]):
            forest.fates[key] = "below"
    return levels


def _flattened(forest: Forest, levels: Mapping[int, int]) -> dict[int, int | None]:
    """The parents in the end."""
    most = forest.rules.deepest if forest.rules.deeper == "flatten" else 0
    found: dict[int, int | None] = {}
    for key in forest.parents:
        way = _ancestors(key, forest.parents)
        found[key] = way[levels[key] - most + 1] if most and levels[key] > most else forest.parents[key]
    return found


def _left(forest: Forest, hangs: Mapping[int, int | None]) -> Iterator[int]:
    """Placeholders from which nothing hangs; those that fall with them follow."""
    staying = {key for key in forest.parents if key not in forest.fates}
    while forest.rules.placeholder:
        used = {hangs[key] for key in staying}
        bare = [key for key in staying if forest.comments[key].gone and key not in used]
        if not bare:
            return
        staying -= set(bare)
        yield from bare


def _settle(
    forest: Forest, hangs: Mapping[int, int | None], levels: Mapping[int, int], left: set[int], moving: list[int]
) -> None:
    taken: Counter[int | None] = Counter()
    for key in sorted(moving, key=lambda key: forest.comments[key].age):
        taken[hangs[key]] += 1
        way = _ancestors(key, forest.parents)
        most = forest.rules.deepest
        depth = min(levels[key], most) if most else levels[key]
        forest.places[key] = Place(hangs[key], way[-1], depth, taken[hangs[key]])
        if key in forest.done:
            forest.actions.add((key, forest.done[key]))
        if most and levels[key] > most:
            forest.actions.add((key, "flattened"))
        if forest.rules.placeholder and forest.comments[key].gone:
            forest.actions.add((key, "placeholder"))
    forest.actions |= {(key, "left") for key in left}
