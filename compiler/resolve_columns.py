"""A mapping -> BoundColumn: its value, its type, whether it may be NULL, and the guards that keep bad rows out."""

from __future__ import annotations

from dataclasses import dataclass, field

from compiler.bound import BoundColumn, Guard
from compiler.columns_copied import copied
from compiler.columns_made import constant, derived, expression, numbered, packed
from compiler.columns_recoded import recoded
from compiler.columns_tree import hung
from compiler.diagnostics import SpecError
from compiler.references import referred
from compiler.references_any import referred_to_any
from compiler.spec import (
    AnyReference,
    Constant,
    Copy,
    Derived,
    Expression,
    Identity,
    Json,
    Mapping,
    Node,
    Recode,
    Reference,
)
from compiler.sql import Sql, column, join
from compiler.types import TypeName
from compiler.world import Here, Made, refuse

IS_NULL = "23502"  # not_null_violation


@dataclass(slots=True)
class Columns:
    """Resolves columns; remembers keys, which are asked for by every table that refers to them."""

    _keys: dict[tuple[str, str], Made] = field(default_factory=dict)
    _asked: list[str] = field(default_factory=list)

    def bind(self, mapping: Mapping, here: Here) -> tuple[BoundColumn, Made]:
        """The column, and what it is made of. Raises SpecError."""
        made = self._made(mapping, here)
        in_key = mapping.target.text in here.key
        null = _null(mapping, made, here, in_key)
        _refuse_contradictions(mapping, made, null, in_key)
        if here.existing is None:
            here.world.types.use(made.type)
        asked = mapping.null is False or not null
        guards = (_filled(mapping, made),) if asked and made.null and made.present is not None else ()
        side = here.world.types.of_target(made.type)
        return BoundColumn(
            name=mapping.target.text,
            type=str(made.type),
            null=null,
            value=made.value,
            wire=str(side.type),
            comparable=None if made.differs else made.local or made.value,
            incomparable=made.differs,
            copies=made.copies,
            guards=(*made.guards, *guards),  # why there is no value comes before that there is none
            reference=made.reference,
            lookup=made.lookup,
            identity=made.identity,
            span=mapping.span,
            collation=made.collation,
            written=made.written,
            opaque=bool(side.opaque),
            raw=None if made.differs else made.raw,
            choices=made.choices,
            node=mapping.how.what if isinstance(mapping.how, Node) else None,
        ), made

    def _made(self, mapping: Mapping, here: Here) -> Made:
        if mapping.target.text not in here.key:
            return self._make(mapping, here)
        place = (here.id, mapping.target.text)
        if place not in self._keys:
            if here.id in self._asked:
                path = " -> ".join([*self._asked[self._asked.index(here.id) :], here.id])
                hint = "give one of them a key of its own, such as {uuid: id}"
                refuse(mapping, "E507", f"the keys of tables are those of each other in a circle: {path}", "", hint)
            self._asked.append(here.id)
            try:
                self._keys[place] = self._make(mapping, here)
            finally:
                self._asked.pop()
        return self._keys[place]

    def _key_type(self, other: Here, key: Mapping) -> TypeName:
        """The type of another table's key; an empty SpecError where that table's own resolving tells what is wrong."""
        try:
            return self._made(key, other).type
        except SpecError as error:
            if any(diagnostic.code == "E507" for diagnostic in error.diagnostics):
                raise
            raise SpecError([]) from None

    def _make(self, mapping: Mapping, here: Here) -> Made:
        match mapping.how:
            case Copy() as how:
                return copied(mapping, how, here)
            case Recode() as how:
                return recoded(mapping, how, here)
            case Reference() as how:
                return referred(mapping, how, here, self._key_type)
            case AnyReference() as how:
                return referred_to_any(mapping, how, here, self._key_type)
            case Expression() as how:
                return expression(mapping, how, here)
            case Constant() as how:
                return constant(mapping, how, here)
            case Json() as how:
                return packed(mapping, how, here)
            case Derived() as how:
                return derived(mapping, how, here)
            case Identity() as how:
                return numbered(mapping, how, here)
            case Node() as how:
                return hung(mapping, how, here, self._key_type)


def _refuse_contradictions(mapping: Mapping, made: Made, null: bool, in_key: bool) -> None:
    references = [made.reference, *(choice.reference for choice in made.choices)]
    if not null and any(reference.missing == "null" for reference in references if reference):
        message = f'"{mapping.target}" is NOT NULL, and a missing reference is to become NULL'
        refuse(mapping, "E506", message, "", "let the column be empty, or take missing: reject")
    if in_key and not made.steady:  # a load that is done again would move its rows twice
        hint = "take {uuid: ...} or {identity: true}"
        refuse(mapping, "E507", f'key "{mapping.target}" is another in another run', made.differs, hint)


def _null(mapping: Mapping, made: Made, here: Here, in_key: bool) -> bool:
    """Whether the column may be empty: as the catalog says, or the spec, or the source."""
    existing = here.existing.column(mapping.target.text) if here.existing else None
    if existing is not None:
        if mapping.null and not existing.null:
            message, hint = f'column "{mapping.target}" is NOT NULL in the target', 'take "null: true" out'
            refuse(mapping, "E506", message, "cannot be empty", hint)
        return existing.null
    if in_key:
        return False
    if mapping.null is not None:
        return mapping.null
    return made.null or isinstance(mapping.how, Constant | Json | Expression)


def _filled(mapping: Mapping, made: Made) -> Guard:
    assert made.present is not None  # bind
    sources = join(" AND ", [Sql(f"{column('s', name)} IS NOT NULL") for name in made.reads])
    what = ", ".join(made.reads) if made.present == sources else f"the value of {mapping.target}"
    return Guard(mapping.target.text, made.present, f"{what} is null", IS_NULL)
