"""SQL text that may be printed into a plan, and the functions that make it."""


class Sql(str):
    """Text that is safe to print into a plan: made by a quoting function, a checked expression or a template."""

    __slots__ = ()


def ident(name: str) -> Sql:
    """`name` as one quoted identifier where it must be quoted."""
    raise NotImplementedError
